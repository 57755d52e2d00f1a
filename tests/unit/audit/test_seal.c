/* Values that are kept apart from the record: sealed, shown again, forgotten; and what damage, want of memory and a
 * full disk make of them. */
#include "../folder.h"

#include "audit/seal_inner.h"
#include "base/crc.h"

#include <dirent.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- memory that runs out when it is told to (linked with --wrap) ---- */

static long allocations_left = -1; /* below zero: no end */

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);

static bool no_memory(void)
{
    return allocations_left >= 0 && allocations_left-- == 0;
}

void *__wrap_malloc(size_t n)
{
    return no_memory() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return no_memory() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    return no_memory() ? NULL : __real_realloc(p, n);
}

static void *openssl_malloc(size_t n, const char *file, int line)
{
    (void)file, (void)line;
    return malloc(n);
}

static void *openssl_realloc(void *p, size_t n, const char *file, int line)
{
    (void)file, (void)line;
    return realloc(p, n);
}

static void openssl_free(void *p, const char *file, int line)
{
    (void)file, (void)line;
    free(p);
}

/* ---- a folder with a store in it ---- */

struct room {
    char dir[64];
    struct secret *key;
    struct seals *seals;
    struct arena a;
    uint64_t seq;
    struct sealed last;
    struct str entry; /* the last one, as much of it as sealing needs */
};

static void room_open(struct room *r)
{
    struct fault f = {.text = ""};
    if (seals_open(r->dir, r->key, &r->seals, &f))
        fail_msg("does not open: %s", f.text);
}

static void room_close(struct room *r)
{
    seals_close(r->seals);
    r->seals = NULL;
}

static int room_setup(void **state)
{
    struct room *r = calloc(1, sizeof(*r));
    unsigned char *bytes;
    folder_make(r->dir);
    r->key = secret_alloc(SEAL_KEY, &bytes);
    memset(bytes, 7, SEAL_KEY);
    arena_init(&r->a, 64u << 20);
    room_open(r);
    *state = r;
    return 0;
}

static int room_teardown(void **state)
{
    struct room *r = *state;
    room_close(r);
    secret_free(r->key);
    arena_done(&r->a);
    folder_remove(r->dir);
    free(r);
    return 0;
}

static struct conf_strings names_of(const char *a, const char *b)
{
    static struct str v[2];
    v[0] = str_of(a);
    v[1] = str_of(b);
    return (struct conf_strings){v, b ? 2 : a ? 1 : 0};
}

static enum err room_ask(struct room *r, struct seal_ask *ask, struct fault *f)
{
    static struct conf_strings email;
    struct buf b;
    if (!ask->names) {
        email = names_of("*email*", NULL);
        ask->names = &email;
    }
    ask->seq = ask->seq ? ask->seq : ++r->seq;
    if (!ask->subject.p)
        ask->subject = STR("user:ann");
    enum err e = seal_values(r->seals, ask, &r->a, &r->last, f);
    if (e)
        return e;
    buf_init(&b, 64u << 20);
    struct json_out o = json_out(&b);
    json_open(&o, '{');
    json_kv_raw(&o, "sealed", r->last.list.n ? r->last.list : STR("null"));
    json_kv_i64(&o, "seq", (int64_t)ask->seq);
    json_close(&o, '}');
    r->entry = arena_str(&r->a, buf_view(&b));
    buf_done(&b);
    return ERR_OK;
}

/* Seals, and flushes into the segment that begins with entry 1. What stands in the parameters' place. */
static struct str room_seal(struct room *r, struct seal_ask ask)
{
    struct fault f = {.text = ""};
    if (room_ask(r, &ask, &f) || seal_flush(r->seals, 1, &f))
        fail_msg("is not sealed: %s", f.text);
    return r->last.parameters;
}

#define SEALS(r, ...) room_seal(r, (struct seal_ask){__VA_ARGS__})

static enum err room_reveal(struct room *r, struct str entry, struct str *ret, struct fault *f)
{
    struct buf b;
    buf_init(&b, 64u << 20);
    enum err e = seal_reveal(r->dir, r->key, entry, &b, f);
    *ret = e ? STR_NONE : arena_str(&r->a, buf_view(&b));
    buf_done(&b);
    return e;
}

static struct str shown(struct room *r, struct str entry)
{
    struct str s;
    struct fault f = {.text = ""};
    if (room_reveal(r, entry, &s, &f))
        fail_msg("is not shown: %s", f.text);
    return s;
}

static void assert_str(struct str s, const char *right)
{
    if (!str_is(s, right))
        fail_msg("is " STR_FMT "\n  and not %s", STR_ARG(s), right);
}

#define SHOWS_MAIL "[{\"path\":\"/parameters/email\",\"subject\":\"user:ann\",\"value\":\"ann@example.com\"}]"
#define MAIL       STR("{\"email\":\"ann@example.com\"}")

/* The one file below a folder of the store. */
static void only_file(const char *folder, char ret[512])
{
    char command[600];
    snprintf(command, sizeof(command), "find %s -type f ! -name check", folder);
    FILE *p = popen(command, "r");
    assert_non_null(fgets(ret, 512, p));
    ret[strcspn(ret, "\n")] = 0;
    pclose(p);
}

static size_t file_read(const char *path, char *p, size_t max)
{
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, p, max);
    assert_true(fd >= 0 && n >= 0 && (size_t)n < max);
    close(fd);
    return (size_t)n;
}

static void file_write(const char *path, const char *p, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, p, n), n);
    close(fd);
}

static bool folder_holds(const char *folder, const char *word)
{
    char command[600];
    snprintf(command, sizeof(command), "grep -rqaF '%s' %s", word, folder);
    return system(command) == 0;
}

/* ---- the cipher ---- */

static void the_cipher_is_that_of_c2sp(void **state)
{
    static const char *const right[] = {"ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271",
                                        "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"};
    static const char *const aad[] = {"", "c2sp.org/XAES-256-GCM"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        unsigned char key[SEAL_KEY], out[12 + SEAL_TAG], back[12];
        char hex[2 * sizeof(out) + 1];
        const unsigned char *nonce = (const unsigned char *)"ABCDEFGHIJKLMNOPQRSTUVWX";
        struct str bound = str_of(aad[i]), plain = STR("XAES-256-GCM");
        memset(key, i ? 3 : 1, sizeof(key));
        assert_int_equal(seal_encrypt(key, nonce, &bound, 1, &plain, 1, out), ERR_OK);
        enc_hex(out, sizeof(out), hex);
        assert_string_equal(hex, right[i]);
        assert_int_equal(seal_decrypt(key, nonce, &bound, 1, out, sizeof(out), back), ERR_OK);
        assert_memory_equal(back, plain.p, plain.n);
    }
}

/* ---- what is sealed ---- */

static void a_marked_value_leaves_a_commitment_and_can_be_shown(void **state)
{
    struct room *r = *state;
    struct str p =
        SEALS(r, .parameters = STR("{\"customer\":{\"Email\":\"ann@example.com\",\"name\":\"Ann\"},\"n\":7}"));
    assert_true(r->last.any);
    assert_str(p, "{\"customer\":{\"Email\":\"[sealed]\",\"name\":\"Ann\"},\"n\":7}");
    assert_non_null(memmem(r->last.list.p, r->last.list.n, "\"path\":\"/parameters/customer/Email\"", 35));
    assert_str(shown(r, r->entry),
               "[{\"path\":\"/parameters/customer/Email\",\"subject\":\"user:ann\",\"value\":\"ann@example.com\"}]");
    assert_false(folder_holds(r->dir, "ann@example.com"));
    assert_false(folder_holds(r->dir, "user:ann"));
}

static void what_holds_nothing_marked_stays_as_it_is(void **state)
{
    struct room *r = *state;
    struct str p = SEALS(r, .parameters = STR("{\"n\":[1,{\"x\":null}]}"), .digest = STR("d"), .reasoning = STR("w"));
    assert_false(r->last.any);
    assert_str(p, "{\"n\":[1,{\"x\":null}]}");
    assert_str(r->last.digest, "d");
    assert_str(r->last.reasoning, "w");
    assert_int_equal(r->last.list.n, 0);
}

static void values_of_every_kind_come_back_as_they_were(void **state)
{
    static const char *const values[] = {"null",
                                         "true",
                                         "-0.5",
                                         "9007199254740993",
                                         "\"\"",
                                         "\"\\u0000\\\"\xc3\xa9\"",
                                         "[]",
                                         "{}",
                                         "[1,[\"x\",{\"email\":\"inner\"}]]",
                                         "{\"a\":{\"b\":[null]}}"};
    struct room *r = *state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct str all = arena_fmt(&r->a, "[{\"e-mail\":1},{\"E_MAIL\":%s}]", values[i]);
        assert_str(SEALS(r, .parameters = all), "[{\"e-mail\":\"[sealed]\"},{\"E_MAIL\":\"[sealed]\"}]");
        struct str right = arena_fmt(&r->a,
                                     "[{\"path\":\"/parameters/0/e-mail\",\"subject\":\"user:ann\",\"value\":1},"
                                     "{\"path\":\"/parameters/1/E_MAIL\",\"subject\":\"user:ann\",\"value\":%s}]",
                                     values[i]);
        assert_str(shown(r, r->entry), right.p);
    }
}

static void names_may_be_of_any_script_and_hold_any_sign(void **state)
{
    struct room *r = *state;
    struct conf_strings names = names_of("t\xc3\xa9l\xc3\xa9phone", "a*z");
    assert_str(
        SEALS(r, .names = &names, .parameters = STR("{\"a/~z\":1,\"t\xc3\xa9l\xc3\xa9phone\":2,\"telephone\":3}")),
        "{\"a/~z\":\"[sealed]\",\"t\xc3\xa9l\xc3\xa9phone\":\"[sealed]\",\"telephone\":3}");
    assert_str(shown(r, r->entry),
               "[{\"path\":\"/parameters/a~1~0z\",\"subject\":\"user:ann\",\"value\":1},"
               "{\"path\":\"/parameters/t\xc3\xa9l\xc3\xa9phone\",\"subject\":\"user:ann\",\"value\":2}]");
}

static void a_field_that_is_named_by_its_neighbour_is_sealed(void **state)
{
    struct room *r = *state;
    assert_str(
        SEALS(r, .parameters = STR("{\"fields\":[{\"name\":\"Email\",\"value\":\"x\"},{\"name\":\"n\",\"value\":1}]}")),
        "{\"fields\":[{\"name\":\"Email\",\"value\":\"[sealed]\"},{\"name\":\"n\",\"value\":1}]}");
}

static void a_guard_marks_places(void **state)
{
    struct room *r = *state;
    struct conf_strings none = {0};
    assert_str(SEALS(r, .names = &none, .paths = STR("[\"/lines/1/text\",\"/a~1b\",\"/not/there\"]"),
                     .parameters = STR("{\"a/b\":1,\"lines\":[{\"text\":\"x\"},{\"text\":\"y\"}]}")),
               "{\"a/b\":\"[sealed]\",\"lines\":[{\"text\":\"x\"},{\"text\":\"[sealed]\"}]}");
    assert_str(SEALS(r, .names = &none, .paths = STR("[\"no pointer\"]"), .parameters = STR("{\"a\":1}")),
               "\"[sealed]\"");
    assert_str(SEALS(r, .names = &none, .paths = STR("[\"\"]"), .parameters = STR("{\"a\":1}")), "\"[sealed]\"");
    assert_str(SEALS(r, .names = &none, .paths = STR("{"), .parameters = STR("{\"a\":1}")), "\"[sealed]\"");
    assert_str(shown(r, r->entry), "[{\"path\":\"/parameters\",\"subject\":\"user:ann\",\"value\":{\"a\":1}}]");
}

static void of_very_many_values_the_whole_is_one(void **state)
{
    struct room *r = *state;
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_char(&b, '[');
    for (int i = 0; i < 2000; i++)
        buf_fmt(&b, "%s{\"email\":%d}", i ? "," : "", i);
    buf_char(&b, ']');
    assert_str(SEALS(r, .parameters = buf_view(&b)), "\"[sealed]\"");
    assert_true(r->last.list.n < 1000);
    struct str right = arena_fmt(&r->a, "[{\"path\":\"/parameters\",\"subject\":\"user:ann\",\"value\":" STR_FMT "}]",
                                 STR_ARG(buf_view(&b)));
    assert_str(shown(r, r->entry), right.p);
    buf_done(&b);
}

static void the_digest_and_the_reasoning_give_nothing_away(void **state)
{
    struct room *r = *state;
    SEALS(r, .parameters = MAIL, .digest = STR("00ff"), .reasoning = STR("Ann's \"address\""));
    struct str digest = r->last.digest;
    assert_int_equal(digest.n, 64);
    assert_str(r->last.reasoning, "[sealed]");
    assert_non_null(strstr(shown(r, r->entry).p, "{\"path\":\"/reasoning\",\"subject\":\"user:ann\",\"value\":\"Ann's "
                                                 "\\\"address\\\"\"}"));
    /* the outcome of the same call, which has no parameters: the same digest, so that the two are known to belong
     * together */
    SEALS(r, .call = true, .digest = STR("00ff"), .reasoning = STR("Ann"));
    assert_true(str_eq(r->last.digest, digest));
    assert_str(r->last.reasoning, "[sealed]");
    SEALS(r, .call = true, .digest = STR("00ff"), .result_digest = STR("00aa"), .subject = STR("user:bob"));
    assert_false(str_eq(r->last.digest, digest));
    assert_int_equal(r->last.result_digest.n, 64); /* a result may repeat what it was asked for */
    assert_int_equal(r->last.list.n, 0);
}

static void what_policies_changed_is_sealed_as_it_was_before(void **state)
{
    struct room *r = *state;
    SEALS(r, .parameters = STR("{\"n\":1}"),
          .details = STR("{\"changed\":[\"email\"],\"digest\":\"00ff\",\"judged\":{\"email\":\"ann@example.com\"}}"));
    assert_true(r->last.any);
    assert_non_null(memmem(r->last.details.p, r->last.details.n, "{\"email\":\"[sealed]\"}", 20));
    assert_null(memmem(r->last.details.p, r->last.details.n, "00ff", 4));
    assert_str(shown(r, r->entry),
               "[{\"path\":\"/details/judged/email\",\"subject\":\"user:ann\",\"value\":\"ann@example.com\"}]");
}

static void thousands_of_values_of_many_subjects_are_each_found(void **state)
{
    enum { N = 3000, SUBJECTS = 1500 };
    struct room *r = *state;
    struct str *entry = calloc(N, sizeof(*entry));
    struct fault f;
    for (unsigned i = 0; i < N; i++) {
        struct seal_ask ask = {.subject = arena_fmt(&r->a, "user:%u", i % SUBJECTS),
                               .parameters = arena_fmt(&r->a, "{\"email\":\"%u@example.com\"}", i)};
        assert_int_equal(room_ask(r, &ask, &f), ERR_OK);
        entry[i] = r->entry;
        if (i % 100 == 99)
            assert_int_equal(seal_flush(r->seals, i < 2000 ? 1 : 2000, &f), ERR_OK);
    }
    for (unsigned i = 0; i < N; i += 7) {
        struct str right =
            arena_fmt(&r->a, "[{\"path\":\"/parameters/email\",\"subject\":\"user:%u\",\"value\":\"%u@example.com\"}]",
                      i % SUBJECTS, i);
        assert_str(shown(r, entry[i]), right.p);
    }
    free(entry);
}

/* ---- forgetting ---- */

static void who_is_forgotten_cannot_be_shown_and_others_can(void **state)
{
    struct room *r = *state;
    struct fault f;
    SEALS(r, .parameters = MAIL);
    struct str ann = r->entry;
    SEALS(r, .parameters = MAIL, .subject = STR("user:bob"));
    struct str bob = r->entry;
    assert_int_equal(seals_forget(r->seals, STR("user:ann"), &f), ERR_OK);
    assert_str(shown(r, ann), "[{\"forgotten\":true,\"path\":\"/parameters/email\",\"subject\":\"user:ann\"}]");
    assert_non_null(strstr(shown(r, bob).p, "ann@example.com"));
    assert_int_equal(seals_forget(r->seals, STR("user:ann"), &f), ERR_NOT_FOUND);
}

static void entries_of_a_subject_are_counted(void **state)
{
    struct room *r = *state;
    struct fault f;
    uint64_t n;
    bool all;
    assert_int_equal(seals_count(r->seals, STR("user:ann"), &n, &all, &f), ERR_NOT_FOUND);
    for (int i = 0; i < 3; i++) {
        SEALS(r, .parameters = MAIL, .reasoning = STR("why"));
        SEALS(r, .parameters = MAIL, .subject = STR("user:bob"));
    }
    SEALS(r, .parameters = MAIL);
    assert_int_equal(seals_count(r->seals, STR("user:ann"), &n, &all, &f), ERR_OK);
    assert_int_equal(n, 4);
    assert_true(all);
    assert_int_equal(seals_forget(r->seals, STR("user:ann"), &f), ERR_OK);
    assert_int_equal(seals_count(r->seals, STR("user:ann"), &n, &all, &f), ERR_NOT_FOUND);
    SEALS(r, .parameters = MAIL);
    assert_int_equal(seals_count(r->seals, STR("user:ann"), &n, &all, &f), ERR_OK);
    assert_int_equal(n, 1);
}

/* The writer holds the key in memory: that must go, too. */
static void after_it_is_forgotten_a_subject_gets_another_key(void **state)
{
    struct room *r = *state;
    struct fault f;
    SEALS(r, .parameters = MAIL, .digest = STR("00ff"));
    struct str before = r->entry, digest = r->last.digest;
    assert_int_equal(seals_forget(r->seals, STR("user:ann"), &f), ERR_OK);
    SEALS(r, .parameters = MAIL, .digest = STR("00ff"));
    assert_false(str_eq(digest, r->last.digest));
    assert_str(shown(r, r->entry), SHOWS_MAIL);
    assert_str(shown(r, before), "[{\"forgotten\":true,\"path\":\"/parameters/email\",\"subject\":\"user:ann\"}]");
    room_close(r);
    room_open(r);
    assert_str(shown(r, r->entry), SHOWS_MAIL);
}

static void a_destruction_that_was_cut_off_is_one(void **state)
{
    struct room *r = *state;
    static const char zeros[96];
    char path[512];
    SEALS(r, .parameters = MAIL);
    only_file(r->dir, path);
    room_close(r);
    snprintf(path, sizeof(path), "%s/subjects", r->dir);
    only_file(path, path);
    for (size_t n = 0; n <= sizeof(zeros); n += sizeof(zeros)) {
        file_write(path, zeros, n);
        assert_non_null(strstr(shown(r, r->entry).p, "\"forgotten\":true"));
    }
    room_open(r);
    SEALS(r, .parameters = MAIL);
    assert_str(shown(r, r->entry), SHOWS_MAIL);
}

/* An operator on another thread than the writer's: what is sealed meanwhile can be shown, or is forgotten. */
static void *forget_often(void *arg)
{
    struct room *r = arg;
    struct fault f;
    for (int i = 0; i < 300; i++) {
        enum err e = seals_forget(r->seals, STR("user:ann"), &f);
        assert_true(e == ERR_OK || e == ERR_NOT_FOUND);
    }
    return NULL;
}

static void forgetting_and_sealing_at_the_same_time_loses_nothing_else(void **state)
{
    struct room *r = *state;
    pthread_t other;
    struct str entry[300];
    assert_int_equal(pthread_create(&other, NULL, forget_often, r), 0);
    for (int i = 0; i < 300; i++) {
        SEALS(r, .parameters = MAIL);
        entry[i] = r->entry;
    }
    pthread_join(other, NULL);
    for (int i = 0; i < 300; i++) {
        struct str s = shown(r, entry[i]);
        assert_true(str_is(s, SHOWS_MAIL) || strstr(s.p, "\"forgotten\":true"));
    }
    SEALS(r, .parameters = MAIL);
    assert_str(shown(r, r->entry), SHOWS_MAIL);
}

static void values_go_with_their_segment(void **state)
{
    struct room *r = *state;
    struct str s;
    struct fault f;
    SEALS(r, .parameters = MAIL);
    assert_int_equal(seal_prune(r->dir, 1, &f), ERR_OK);
    assert_int_equal(seal_prune(r->dir, 1, &f), ERR_OK); /* again, after a stop in the middle */
    assert_int_equal(room_reveal(r, r->entry, &s, &f), ERR_CORRUPT);
    assert_non_null(strstr(f.text, "missing"));
}

/* ---- keys that are not right ---- */

static void under_another_seal_key_nothing_opens(void **state)
{
    struct room *r = *state;
    struct str s;
    struct seals *again;
    unsigned char *bytes;
    struct fault f = {.text = ""};
    SEALS(r, .parameters = MAIL);
    secret_free(r->key);
    r->key = secret_alloc(SEAL_KEY, &bytes);
    memset(bytes, 8, SEAL_KEY);
    assert_int_equal(room_reveal(r, r->entry, &s, &f), ERR_CONFLICT);
    assert_non_null(strstr(f.text, "another seal.key"));
    assert_int_equal(seals_open(r->dir, r->key, &again, &f), ERR_CONFLICT);
    assert_int_equal(seal_forget(r->dir, r->key, STR("user:ann"), &f), ERR_CONFLICT);
}

static void a_seal_key_under_which_nothing_lies_may_be_replaced(void **state)
{
    struct room *r = *state;
    unsigned char *bytes;
    room_close(r);
    secret_free(r->key);
    r->key = secret_alloc(SEAL_KEY, &bytes);
    memset(bytes, 8, SEAL_KEY);
    room_open(r);
    SEALS(r, .parameters = MAIL);
    assert_str(shown(r, r->entry), SHOWS_MAIL);
}

static void a_check_that_was_removed_is_missed(void **state)
{
    struct room *r = *state;
    char path[512];
    struct fault f;
    SEALS(r, .parameters = MAIL);
    room_close(r);
    snprintf(path, sizeof(path), "%s/subjects/check", r->dir);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(seals_open(r->dir, r->key, &r->seals, &f), ERR_CORRUPT);
    assert_non_null(strstr(f.text, "check is missing"));
}

static void a_damaged_key_is_said_to_be_and_can_be_forgotten(void **state)
{
    struct room *r = *state;
    char path[512], bytes[256];
    struct str s;
    struct fault f = {.text = ""};
    SEALS(r, .parameters = MAIL);
    snprintf(path, sizeof(path), "%s/subjects", r->dir);
    only_file(path, path);
    size_t n = file_read(path, bytes, sizeof(bytes));
    for (size_t i = 0; i < n; i++) {
        bytes[i] ^= 1;
        file_write(path, bytes, n);
        bytes[i] ^= 1;
        assert_int_equal(room_reveal(r, r->entry, &s, &f), ERR_CORRUPT);
    }
    assert_non_null(strstr(f.text, "this key of a subject is damaged"));
    file_write(path, bytes, n - 1);
    assert_int_equal(room_reveal(r, r->entry, &s, &f), ERR_CORRUPT);
    room_close(r);
    room_open(r);
    struct seal_ask ask = {.parameters = MAIL};
    assert_int_equal(room_ask(r, &ask, &f), ERR_CORRUPT); /* never over what may still be mended */
    assert_int_equal(seals_forget(r->seals, STR("user:ann"), &f), ERR_OK);
    SEALS(r, .parameters = MAIL);
    assert_str(shown(r, r->entry), SHOWS_MAIL);
}

static void keys_cannot_be_exchanged(void **state)
{
    struct room *r = *state;
    char ann[512], bob[512], bytes[256];
    struct str s;
    struct fault f;
    SEALS(r, .parameters = MAIL);
    struct str entry = r->entry;
    snprintf(ann, sizeof(ann), "%s/subjects", r->dir);
    only_file(ann, ann);
    size_t n = file_read(ann, bytes, sizeof(bytes));
    assert_int_equal(unlink(ann), 0);
    SEALS(r, .parameters = MAIL, .subject = STR("user:bob"));
    snprintf(bob, sizeof(bob), "%s/subjects", r->dir);
    only_file(bob, bob);
    file_write(bob, bytes, n);
    assert_int_equal(room_reveal(r, r->entry, &s, &f), ERR_CORRUPT);
    file_write(ann, bytes, n);
    assert_str(shown(r, entry), SHOWS_MAIL);
}

/* ---- damage ---- */

static void store_path(const struct room *r, char ret[512])
{
    snprintf(ret, 512, "%s/sealed/%020d", r->dir, 1);
}

static void a_flipped_bit_is_found_wherever_it_is(void **state)
{
    struct room *r = *state;
    char path[512], bytes[1024];
    struct str s;
    struct fault f;
    SEALS(r, .parameters = MAIL);
    store_path(r, path);
    size_t n = file_read(path, bytes, sizeof(bytes));
    for (size_t bit = 0; bit < 8 * n; bit++) {
        bytes[bit / 8] ^= (char)(1 << bit % 8);
        file_write(path, bytes, n);
        bytes[bit / 8] ^= (char)(1 << bit % 8);
        assert_int_equal(room_reveal(r, r->entry, &s, &f), ERR_CORRUPT);
    }
    file_write(path, bytes, n);
    assert_str(shown(r, r->entry), SHOWS_MAIL);
}

/* A person who changes a value makes the check sum anew; the tag cannot be made anew. */
static void a_value_that_was_changed_with_care_is_found(void **state)
{
    struct room *r = *state;
    char path[512], bytes[1024];
    struct str s;
    struct fault f;
    SEALS(r, .parameters = MAIL);
    store_path(r, path);
    size_t n = file_read(path, bytes, sizeof(bytes));
    for (size_t i = 12; i < n; i++) {
        if (i >= 24 && i < 40)
            continue; /* another key's id says that it was sealed with another key, and that is no more */
        bytes[i] ^= 1;
        uint32_t crc = crc32c(crc32c(0, bytes + 4, 4), bytes + 12, n - 12);
        memcpy(bytes + 8, &crc, 4);
        file_write(path, bytes, n);
        bytes[i] ^= 1;
        enum err e = room_reveal(r, r->entry, &s, &f);
        bool padding = i >= 64 + 32 + 17 + 16; /* which holds nothing */
        assert_int_equal(e, padding ? ERR_OK : ERR_CORRUPT);
    }
}

static void a_value_does_not_pass_for_that_of_another_entry_or_place(void **state)
{
    struct room *r = *state;
    struct str s;
    struct fault f;
    SEALS(r, .parameters = MAIL);
    static const char *const changes[][2] = {
        {"/parameters/email", "/parameters/other"}, {"\"seq\":1", "\"seq\":2"}, {"user:ann", "user:bob"}};
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        const char *from = changes[i][0], *to = changes[i][1];
        char *entry = arena_str(&r->a, r->entry).p ? strdup(r->entry.p) : NULL;
        memcpy(strstr(entry, from), to, strlen(to));
        enum err e = room_reveal(r, str_of(entry), &s, &f);
        assert_true(e == ERR_CORRUPT || strstr(s.p, "\"forgotten\":true")); /* bob has no key at all */
        free(entry);
    }
}

/* The machine stopped while values were written: what is whole is found, what comes afterwards too. */
static void a_torn_end_hides_nothing(void **state)
{
    struct room *r = *state;
    char path[512], bytes[2048];
    struct str s;
    struct fault f;
    SEALS(r, .parameters = MAIL);
    struct str first = r->entry;
    store_path(r, path);
    size_t whole = file_read(path, bytes, sizeof(bytes));
    SEALS(r, .parameters = MAIL);
    struct str second = r->entry;
    size_t n = file_read(path, bytes, sizeof(bytes));
    for (size_t cut = whole + 1; cut < n; cut++) {
        file_write(path, bytes, cut);
        room_close(r);
        room_open(r);
        SEALS(r, .parameters = MAIL);
        assert_str(shown(r, first), SHOWS_MAIL);
        assert_str(shown(r, r->entry), SHOWS_MAIL);
        bool padding = n - cut < 8; /* zeros, which the hole before what comes next is as well */
        assert_int_equal(room_reveal(r, second, &s, &f), padding ? ERR_OK : ERR_CORRUPT);
    }
    /* pages that never came to the disk are zeros */
    memset(bytes + whole, 0, (n - whole) / 2);
    file_write(path, bytes, n);
    room_close(r);
    room_open(r);
    SEALS(r, .parameters = MAIL);
    assert_str(shown(r, r->entry), SHOWS_MAIL);
}

/* An entry that was not written after all, and another one with its number. */
static void what_was_sealed_for_no_entry_is_passed_over(void **state)
{
    struct room *r = *state;
    struct fault f;
    SEALS(r, .seq = 5, .parameters = STR("{\"email\":\"never written\"}"));
    SEALS(r, .seq = 5, .parameters = MAIL);
    assert_str(shown(r, r->entry), SHOWS_MAIL);
    struct seal_ask six = {.seq = 6, .parameters = MAIL}, seven = {.seq = 7, .parameters = MAIL};
    assert_int_equal(room_ask(r, &six, &f), ERR_OK);
    struct str kept = r->entry;
    assert_int_equal(room_ask(r, &seven, &f), ERR_OK);
    seal_drop(r->seals, 7);
    assert_int_equal(seal_flush(r->seals, 1, &f), ERR_OK);
    struct str s;
    assert_str(shown(r, kept), SHOWS_MAIL);
    assert_int_equal(room_reveal(r, r->entry, &s, &f), ERR_CORRUPT);
}

/* ---- the disk and the memory ---- */

static void limit_files(rlim_t bytes)
{
    struct rlimit l;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &l), 0);
    l.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
}

static void a_full_disk_seals_nothing_and_then_goes_on(void **state)
{
    struct room *r = *state;
    struct fault f = {.text = ""};
    struct sealed masked;
    struct stat st;
    char path[512];
    signal(SIGXFSZ, SIG_IGN);
    limit_files(10);
    struct seal_ask ask = {.parameters = MAIL, .digest = STR("d"), .reasoning = STR("why")};
    assert_int_equal(room_ask(r, &ask, &f), ERR_AUDIT); /* no key can be made */
    assert_int_equal(r->seals->queue.n, 0);
    seal_masked(&ask, &masked);
    assert_str(masked.parameters, "\"[masked]\"");
    assert_str(masked.reasoning, "[masked]");
    assert_int_equal(masked.digest.n + masked.list.n, 0);
    limit_files(RLIM_INFINITY);
    assert_int_equal(room_ask(r, &ask, &f), ERR_OK);
    limit_files(10);
    assert_int_equal(seal_flush(r->seals, 1, &f), ERR_AUDIT);
    assert_non_null(strstr(f.text, "File too large"));
    assert_true(r->seals->queue.n > 0);
    store_path(r, path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 0); /* nothing half-written is left */
    limit_files(RLIM_INFINITY);
    assert_int_equal(seal_flush(r->seals, 1, &f), ERR_OK);
    assert_non_null(strstr(shown(r, r->entry).p, "ann@example.com"));
}

/* They are flushed together before what is sealed with them; when that fails, none of them is used again. */
static void keys_that_cannot_be_flushed_are_not_used(void **state)
{
    struct room *r = *state;
    struct fault f = {.text = ""};
    char path[512];
    for (unsigned i = 0; i < 2; i++) {
        struct seal_ask ask = {.parameters = MAIL, .subject = arena_fmt(&r->a, "user:%u", i)};
        assert_int_equal(room_ask(r, &ask, &f), ERR_OK);
    }
    struct str lost = r->entry;
    snprintf(path, sizeof(path), "%s/subjects", r->dir);
    snprintf(f.text, sizeof(f.text), "%s/elsewhere", r->dir);
    assert_int_equal(rename(path, f.text), 0); /* the folder cannot be reached */
    assert_int_equal(seal_flush(r->seals, 1, &f), ERR_AUDIT);
    assert_non_null(strstr(f.text, "cannot be flushed"));
    seal_drop(r->seals, 0);
    snprintf(f.text, sizeof(f.text), "%s/elsewhere", r->dir);
    assert_int_equal(rename(f.text, path), 0);
    SEALS(r, .parameters = MAIL, .subject = STR("user:1"));
    assert_non_null(strstr(shown(r, r->entry).p, "ann@example.com"));
    struct str s;
    assert_int_equal(room_reveal(r, lost, &s, &f), ERR_CORRUPT);
}

/* Each allocation on the way fails once. */
static void without_memory_nothing_is_sealed_and_nothing_is_lost(void **state)
{
    struct room *r = *state;
    unsigned failed = 0;
    SEALS(r, .parameters = MAIL);
    for (long n = 0;; n++) {
        struct fault f = {.text = ""};
        struct sealed got;
        struct arena a;
        struct conf_strings names = names_of("*email*", NULL);
        struct seal_ask ask = {.seq = 100 + (uint64_t)n,
                               .subject = arena_fmt(&r->a, "user:%ld", n),
                               .names = &names,
                               .parameters = MAIL,
                               .reasoning = STR("why"),
                               .details = STR("{\"digest\":\"00\",\"judged\":{\"email\":1}}"),
                               .digest = STR("00")};
        arena_init(&a, 1 << 20);
        allocations_left = n;
        enum err e = seal_values(r->seals, &ask, &a, &got, &f);
        bool through = allocations_left >= 0;
        allocations_left = -1;
        if (e) {
            assert_int_equal(e, ERR_NOMEM);
            assert_int_equal(r->seals->queue.n, 0);
            failed++;
        } else {
            assert_int_equal(seal_flush(r->seals, 1, &f), ERR_OK);
        }
        arena_done(&a);
        if (through)
            break;
    }
    assert_true(failed > 3);
    for (long n = 0;; n++) {
        struct buf b;
        struct fault f;
        buf_init(&b, 1 << 20);
        allocations_left = n;
        enum err e = seals_reveal(r->seals, r->entry, &b, &f);
        bool through = allocations_left >= 0;
        allocations_left = -1;
        if (!e)
            assert_str(buf_view(&b), SHOWS_MAIL);
        else
            assert_int_equal(e, ERR_NOMEM);
        buf_done(&b);
        if (through)
            break;
    }
}

static void without_memory_the_store_does_not_open(void **state)
{
    struct room *r = *state;
    struct fault f;
    room_close(r);
    for (long n = 0;; n++) {
        allocations_left = n;
        enum err e = seals_open(r->dir, r->key, &r->seals, &f);
        bool through = allocations_left >= 0;
        allocations_left = -1;
        if (!e) {
            assert_true(through);
            break;
        }
        assert_true(e == ERR_NOMEM || e == ERR_CORRUPT); /* a folder that cannot be listed is not shown to be empty */
    }
}

int main(void)
{
    CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free);
#define SCENE(name) cmocka_unit_test_setup_teardown(name, room_setup, room_teardown)
    const struct CMUnitTest tests[] = {
        SCENE(the_cipher_is_that_of_c2sp),
        SCENE(a_marked_value_leaves_a_commitment_and_can_be_shown),
        SCENE(what_holds_nothing_marked_stays_as_it_is),
        SCENE(values_of_every_kind_come_back_as_they_were),
        SCENE(names_may_be_of_any_script_and_hold_any_sign),
        SCENE(a_field_that_is_named_by_its_neighbour_is_sealed),
        SCENE(a_guard_marks_places),
        SCENE(of_very_many_values_the_whole_is_one),
        SCENE(the_digest_and_the_reasoning_give_nothing_away),
        SCENE(what_policies_changed_is_sealed_as_it_was_before),
        SCENE(thousands_of_values_of_many_subjects_are_each_found),
        SCENE(who_is_forgotten_cannot_be_shown_and_others_can),
        SCENE(entries_of_a_subject_are_counted),
        SCENE(after_it_is_forgotten_a_subject_gets_another_key),
        SCENE(a_destruction_that_was_cut_off_is_one),
        SCENE(forgetting_and_sealing_at_the_same_time_loses_nothing_else),
        SCENE(values_go_with_their_segment),
        SCENE(under_another_seal_key_nothing_opens),
        SCENE(a_seal_key_under_which_nothing_lies_may_be_replaced),
        SCENE(a_check_that_was_removed_is_missed),
        SCENE(a_damaged_key_is_said_to_be_and_can_be_forgotten),
        SCENE(keys_cannot_be_exchanged),
        SCENE(a_flipped_bit_is_found_wherever_it_is),
        SCENE(a_value_that_was_changed_with_care_is_found),
        SCENE(a_value_does_not_pass_for_that_of_another_entry_or_place),
        SCENE(a_torn_end_hides_nothing),
        SCENE(what_was_sealed_for_no_entry_is_passed_over),
        SCENE(a_full_disk_seals_nothing_and_then_goes_on),
        SCENE(keys_that_cannot_be_flushed_are_not_used),
        SCENE(without_memory_nothing_is_sealed_and_nothing_is_lost),
        SCENE(without_memory_the_store_does_not_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
