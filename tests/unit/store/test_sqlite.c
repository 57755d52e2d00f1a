/* The registry of agents in SQLite: what survives, what is refused, and what is said of a file that cannot be used. */
#include "../folder.h"

#include "base/arena.h"
#include "base/buf.h"
#include "store/store.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NEWEST "5" /* version of the schema */

static char folder[64], file[128];

static int setup(void **state)
{
    (void)state;
    folder_make(folder);
    snprintf(file, sizeof(file), "%s/store.db", folder);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

static struct store *opened(void)
{
    struct store *s = NULL;
    struct fault f = {.text = ""};
    if (store_sqlite_open(file, &s, &f))
        fail_msg("the store does not open: %s", f.text);
    return s;
}

static struct store_agent agent(struct str id)
{
    return (struct store_agent){.id = id,
                                .type = STR("support"),
                                .version = STR("1"),
                                .env = STR("production"),
                                .owner = STR("ops"),
                                .allowed = STR("[\"desk/*\"]"),
                                .denied = STR("[]"),
                                .created = 1000,
                                .expires = INT64_MAX,
                                .max_sessions = 5,
                                .enabled = true};
}

static enum err created(struct store *s, struct str id, struct str thumbprint, struct fault *f)
{
    struct store_agent a = agent(id);
    struct store_key k = {.agent = id, .thumbprint = thumbprint, .jwk = STR("{}"), .created = 1000};
    return s->ops->agent_create(s, &a, &k, f);
}

/* Everything in the store as lines of text. */
static void list_agent(void *ctx, const struct store_agent *a)
{
    buf_fmt(ctx, "agent %zu:" STR_FMT " " STR_FMT " " STR_FMT " " STR_FMT " %lld %lld %lld %d\n", a->id.n,
            STR_ARG(a->id), STR_ARG(a->type), STR_ARG(a->owner), STR_ARG(a->allowed), (long long)a->created,
            (long long)a->expires, (long long)a->max_sessions, a->enabled);
}

static void list_key(void *ctx, const struct store_key *k)
{
    buf_fmt(ctx, "key " STR_FMT " of " STR_FMT " retires %lld\n", STR_ARG(k->thumbprint), STR_ARG(k->agent),
            (long long)k->retires);
}

static void holds(struct store *s, const char *expected)
{
    struct buf b;
    struct fault f = {.text = ""};
    buf_init(&b, 1 << 20);
    if (s->ops->load(s, list_agent, list_key, &b, &f))
        fail_msg("the store does not load: %s", f.text);
    buf_char(&b, 0);
    assert_string_equal(b.p, expected);
    buf_done(&b);
}

#define LINE(id, n) "agent " #n ":" id " support ops [\"desk/*\"] 1000 9223372036854775807 5 1\n"

static void what_is_created_is_there_after_a_restart(void **state)
{
    (void)state;
    struct fault f;
    struct store *s = opened();
    assert_int_equal(created(s, STR("b"), STR("t2"), &f), ERR_OK);
    assert_int_equal(created(s, STR("a"), STR("t1"), &f), ERR_OK);
    store_close(s);
    s = opened();
    holds(s, LINE("a", 1) LINE("b", 1) "key t1 of a retires 0\nkey t2 of b retires 0\n");
    store_close(s);
}

static void an_id_and_a_key_are_registered_once(void **state)
{
    (void)state;
    struct fault f;
    struct store *s = opened();
    assert_int_equal(created(s, STR("a"), STR("t1"), &f), ERR_OK);
    assert_int_equal(created(s, STR("a"), STR("t2"), &f), ERR_EXISTS);
    assert_non_null(strstr(f.text, "an agent of this id"));
    assert_int_equal(created(s, STR("b"), STR("t1"), &f), ERR_EXISTS);
    assert_non_null(strstr(f.text, "every agent needs a key of its own"));
    holds(s, LINE("a", 1) "key t1 of a retires 0\n"); /* nothing by halves */
    assert_int_equal(s->ops->agent_delete(s, STR("a"), &f), ERR_OK);
    holds(s, "");
    assert_int_equal(created(s, STR("c"), STR("t1"), &f), ERR_EXISTS); /* for ever */
    store_close(s);
}

static void a_new_key_retires_the_others(void **state)
{
    (void)state;
    struct fault f;
    struct store *s = opened();
    struct store_key k = {.agent = STR("a"), .thumbprint = STR("t2"), .jwk = STR("{}"), .created = 2000};
    assert_int_equal(created(s, STR("a"), STR("t1"), &f), ERR_OK);
    assert_int_equal(s->ops->agent_rotate(s, &k, 2500, &f), ERR_OK);
    k.thumbprint = STR("t3");
    k.created = 3000;
    assert_int_equal(s->ops->agent_rotate(s, &k, 3500, &f), ERR_OK);
    holds(s, LINE("a", 1) "key t1 of a retires 2500\nkey t2 of a retires 3500\nkey t3 of a retires 0\n");
    k.thumbprint = STR("t1"); /* an old one again: refused, and the one in use stays in use */
    assert_int_equal(s->ops->agent_rotate(s, &k, 4500, &f), ERR_EXISTS);
    holds(s, LINE("a", 1) "key t1 of a retires 2500\nkey t2 of a retires 3500\nkey t3 of a retires 0\n");
    store_close(s);
}

static void an_update_is_whole_and_needs_its_agent(void **state)
{
    (void)state;
    struct fault f;
    struct store *s = opened();
    struct store_agent a = agent(STR("a"));
    assert_int_equal(s->ops->agent_update(s, &a, &f), ERR_NOT_FOUND);
    assert_int_equal(created(s, STR("a"), STR("t1"), &f), ERR_OK);
    a.enabled = false;
    a.max_sessions = 9;
    assert_int_equal(s->ops->agent_update(s, &a, &f), ERR_OK);
    holds(s, "agent 1:a support ops [\"desk/*\"] 1000 9223372036854775807 9 0\nkey t1 of a retires 0\n");
    assert_int_equal(s->ops->agent_delete(s, STR("b"), &f), ERR_NOT_FOUND);
    store_close(s);
}

static void list_stop(void *ctx, const struct store_stop *p)
{
    buf_fmt(ctx, "\"" STR_FMT "\" by " STR_FMT " at %lld: " STR_FMT "\n", STR_ARG(p->agent), STR_ARG(p->by),
            (long long)p->at, STR_ARG(p->reason));
}

static void stops(struct store *s, const char *expected)
{
    struct buf b;
    struct fault f = {.text = ""};
    buf_init(&b, 1 << 20);
    if (s->ops->stops_load(s, list_stop, &b, &f))
        fail_msg("the stops do not load: %s", f.text);
    buf_char(&b, 0);
    assert_string_equal(b.p, expected);
    buf_done(&b);
}

static void what_is_stopped_is_so_after_a_restart(void **state)
{
    (void)state;
    struct fault f;
    struct store *s = opened();
    struct store_stop all = {STR(""), STR("fire"), STR("ada"), 7}, one = {STR("a"), STR("first"), STR("bob"), 8};
    stops(s, "");
    assert_int_equal(s->ops->stop_put(s, &all, &f), ERR_OK);
    assert_int_equal(s->ops->stop_put(s, &one, &f), ERR_OK); /* of an agent that is registered nowhere */
    one.reason = STR("second");
    assert_int_equal(s->ops->stop_put(s, &one, &f), ERR_OK);
    store_close(s);
    s = opened();
    stops(s, "\"\" by ada at 7: fire\n\"a\" by bob at 8: second\n");
    assert_int_equal(s->ops->stop_lift(s, STR(""), &f), ERR_OK);
    stops(s, "\"a\" by bob at 8: second\n");
    assert_int_equal(s->ops->stop_lift(s, STR("b"), &f), ERR_OK);
    assert_int_equal(s->ops->stop_lift(s, STR("a"), &f), ERR_OK);
    stops(s, "");
    store_close(s);
}

static void ids_of_odd_bytes_are_only_ids(void **state)
{
    (void)state;
    static const struct str odd[] = {
        STR("'; DROP TABLE agents; --"), STR("a\0b"), STR("a"), STR("%_\n\t"), STR("\xff\xfe"),
        STR("\xf0\x9f\x90\xb2")};
    struct fault f;
    struct store *s = opened();
    char print[8];
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        snprintf(print, sizeof(print), "t%zu", i);
        assert_int_equal(created(s, odd[i], str_of(print), &f), ERR_OK);
    }
    assert_int_equal(created(s, STR("a\0b"), STR("t9"), &f), ERR_EXISTS);
    assert_int_equal(created(s, STR("a\0c"), STR("t9"), &f), ERR_OK); /* another one: all bytes count */
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
        assert_int_equal(s->ops->agent_delete(s, odd[i], &f), ERR_OK);
    assert_int_equal(s->ops->agent_delete(s, STR("a\0c"), &f), ERR_OK);
    holds(s, "");
    store_close(s);
}

static char *asked(const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *st;
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
    char *answer = sqlite3_step(st) == SQLITE_ROW ? strdup((const char *)sqlite3_column_text(st, 0)) : NULL;
    sqlite3_finalize(st);
    sqlite3_close(db);
    return answer;
}

static void the_file_is_a_write_ahead_log_of_a_known_version(void **state)
{
    (void)state;
    store_close(opened());
    char *mode = asked("PRAGMA journal_mode"), *version = asked("PRAGMA user_version");
    assert_string_equal(mode, "wal");
    assert_string_equal(version, NEWEST);
    free(mode);
    free(version);
}

/* A process that dies behind a commit has committed. */
static void a_commit_survives_the_death_of_the_process(void **state)
{
    (void)state;
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        struct store *s = NULL;
        struct fault f;
        if (store_sqlite_open(file, &s, &f) || created(s, STR("a"), STR("t1"), &f))
            _exit(1);
        kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    struct store *s = opened();
    holds(s, LINE("a", 1) "key t1 of a retires 0\n");
    store_close(s);
}

static void unusable(const char *words)
{
    struct store *s = NULL;
    struct fault f = {.text = ""};
    enum err e = store_sqlite_open(file, &s, &f);
    if (e != ERR_STORE || s || !strstr(f.text, words))
        fail_msg("opening says %s \"%s\", not \"%s\"", err_code(e), f.text, words);
}

static void a_newer_store_is_left_alone(void **state)
{
    (void)state;
    store_close(opened());
    free(asked("PRAGMA user_version = 99"));
    unusable("written by a newer Doorward (schema 99, this one knows " NEWEST ")");
    char *version = asked("PRAGMA user_version");
    assert_string_equal(version, "99");
    free(version);
}

/* ---- pins ---- */

static void pin_line(void *ctx, const struct store_pin *p)
{
    buf_fmt(ctx, STR_FMT " " STR_FMT " '" STR_FMT "' seen %lld accepted %lld by '" STR_FMT "'\n", STR_ARG(p->tool),
            STR_ARG(p->hash), STR_ARG(p->definition), (long long)p->first_seen, (long long)p->accepted,
            STR_ARG(p->accepted_by));
}

static void pins_are(struct store *s, const char *tool, const char *want)
{
    struct buf b;
    struct fault f = {.text = ""};
    buf_init(&b, 1u << 20);
    enum err e = tool ? s->ops->pin_read(s, str_of(tool), pin_line, &b, &f) : s->ops->pins_load(s, pin_line, &b, &f);
    if (e || !str_is(buf_view(&b), want))
        fail_msg("%s: %s" STR_FMT ", not %s", err_code(e), f.text, STR_ARG(buf_view(&b)), want);
    buf_done(&b);
}

static void a_pin_is_replaced_whole_but_for_when_it_was_first_seen(void **state)
{
    (void)state;
    struct fault f;
    struct store *s = opened();
    struct store_pin first[] = {
        {.tool = STR("desk/b"), .hash = STR("h1"), .definition = STR("{\"name\":\"b\"}"), .first_seen = 10},
        {.tool = STR("desk/a"), .hash = STR("h2"), .definition = STR("{\"name\":\"a\"}"), .first_seen = 10}};
    struct store_pin next = {STR("desk/b"), STR("h3"), STR("{\"name\":\"b\",\"title\":\"B\"}"), 99, 20, STR("eve")};
    assert_int_equal(s->ops->pins_put(s, first, 2, &f), ERR_OK);
    assert_int_equal(s->ops->pins_put(s, &next, 1, &f), ERR_OK);
    store_close(s);
    s = opened();
    pins_are(s, NULL, "desk/a h2 '' seen 10 accepted 0 by ''\ndesk/b h3 '' seen 10 accepted 20 by 'eve'\n");
    pins_are(s, "desk/b", "desk/b h3 '{\"name\":\"b\",\"title\":\"B\"}' seen 10 accepted 20 by 'eve'\n");
    assert_int_equal(s->ops->pin_read(s, STR("desk/c"), pin_line, NULL, &f), ERR_NOT_FOUND);
    store_close(s);
}

/* What the first version of the schema wrote. */
static void a_store_from_before_pins_keeps_its_agents_and_takes_pins(void **state)
{
    (void)state;
    struct fault f;
    struct store *s = opened();
    struct store_pin pin = {.tool = STR("desk/a"), .hash = STR("h"), .definition = STR("{}"), .first_seen = 1};
    assert_int_equal(created(s, STR("a"), STR("t1"), &f), ERR_OK);
    store_close(s);
    free(asked("DROP TABLE tool_pins"));
    free(asked("DROP TABLE stops"));
    free(asked("DROP TABLE approvals"));
    free(asked("DROP TABLE held_sessions"));
    free(asked("DROP TABLE people"));
    free(asked("DROP TABLE passkeys"));
    free(asked("PRAGMA user_version = 1"));
    s = opened();
    holds(s, LINE("a", 1) "key t1 of a retires 0\n");
    assert_int_equal(s->ops->pins_put(s, &pin, 1, &f), ERR_OK);
    pins_are(s, NULL, "desk/a h '' seen 1 accepted 0 by ''\n");
    store_close(s);
    char *version = asked("PRAGMA user_version");
    assert_string_equal(version, NEWEST);
    free(version);
}

static void person_name(void *ctx, const struct store_person *p)
{
    buf_str(ctx, p->name);
}

static void passkey_line(void *ctx, const struct store_passkey *k)
{
    buf_fmt(ctx, STR_FMT " of " STR_FMT " used %lld count %lld\n", STR_ARG(k->id), STR_ARG(k->person),
            (long long)k->used, (long long)k->count);
}

static void a_store_from_before_passkeys_keeps_its_people_and_takes_passkeys(void **state)
{
    (void)state;
    struct fault f;
    struct buf b;
    struct store *s = opened();
    struct store_person p = {.name = STR("anna"), .role = STR("viewer"), .groups = STR("[]"), .enabled = true};
    struct store_passkey k = {.id = STR("id"), .person = STR("anna"), .rp = STR("localhost"), .count = 1};
    assert_int_equal(s->ops->person_put(s, &p, &f), ERR_OK);
    store_close(s);
    free(asked("DROP TABLE passkeys"));
    free(asked("PRAGMA user_version = 4"));
    s = opened();
    buf_init(&b, 1u << 16);
    assert_int_equal(s->ops->people_load(s, person_name, &b, &f), ERR_OK);
    assert_true(str_is(buf_view(&b), "anna"));
    buf_clear(&b);
    assert_int_equal(s->ops->passkey_put(s, &k, &f), ERR_OK);
    assert_int_equal(s->ops->passkey_used(s, k.id, 2, 99, &f), ERR_OK);
    assert_int_equal(s->ops->passkey_used(s, STR("i"), 2, 99, &f), ERR_NOT_FOUND);
    assert_int_equal(s->ops->passkey_drop(s, STR("i"), &f), ERR_NOT_FOUND);
    assert_int_equal(s->ops->passkeys_load(s, passkey_line, &b, &f), ERR_OK);
    assert_true(str_is(buf_view(&b), "id of anna used 99 count 2\n"));
    buf_done(&b);
    store_close(s);
}

static void approval_line(void *ctx, const struct store_approval *p)
{
    buf_fmt(ctx, STR_FMT " of " STR_FMT " %lld " STR_FMT "\n", STR_ARG(p->id), STR_ARG(p->sid), (long long)p->state,
            STR_ARG(p->question));
}

static void held_line(void *ctx, const struct store_held *h)
{
    buf_fmt(ctx, "held " STR_FMT "\n", STR_ARG(h->sid));
}

static void questions_are(struct store *s, const char *want)
{
    struct buf b;
    struct fault f = {.text = ""};
    buf_init(&b, 1 << 20);
    assert_int_equal(s->ops->approvals_load(s, 0, approval_line, &b, &f), ERR_OK);
    assert_int_equal(s->ops->held_load(s, held_line, &b, &f), ERR_OK);
    buf_char(&b, 0);
    assert_string_equal(b.p, want);
    buf_done(&b);
}

static void a_question_that_ends_leaves_what_was_in_it_and_lets_its_session_go(void **state)
{
    (void)state;
    struct fault f = {.text = ""};
    struct store *s = opened();
    struct store_approval one = {.id = STR("apr_1"),
                                 .sid = STR("s1"),
                                 .tool = STR("desk/a"),
                                 .state = 1,
                                 .question = STR("{\"agent\":\"a\",\"arguments\":{\"iban\":\"DE1\"}}"),
                                 .standing = STR("{}")};
    struct store_approval other = one, nowhere = one;
    struct store_held held[] = {{STR("s1"), STR("{}")}, {STR("s2"), STR("{}")}};
    other.id = STR("apr_2");
    other.sid = STR("s2");
    nowhere.id = STR("apr_3");
    nowhere.question = STR_NONE;
    assert_int_equal(s->ops->approvals_put(s, &one, 1, &held[0], 1, &f), ERR_OK);
    assert_int_equal(s->ops->approvals_put(s, &other, 1, &held[1], 1, &f), ERR_OK);
    one.question = STR_NONE;
    one.state = 5;
    one.ended = 1000;
    struct store_approval both[] = {one, nowhere};
    assert_int_equal(s->ops->approvals_put(s, both, 2, NULL, 0, &f), ERR_STORE); /* both or none */
    assert_int_equal(s->ops->approvals_put(s, &one, 1, NULL, 0, &f), ERR_OK);
    questions_are(s, "apr_1 of s1 5 {\"agent\":\"a\"}\n"
                     "apr_2 of s2 1 {\"agent\":\"a\",\"arguments\":{\"iban\":\"DE1\"}}\nheld s2\n");
    assert_int_equal(s->ops->approvals_prune(s, 1001, &f), ERR_OK);
    assert_int_equal(s->ops->approval_read(s, STR("apr_1"), approval_line, NULL, &f), ERR_NOT_FOUND);
    store_close(s);
}

static void a_token_and_an_account_are_one_persons(void **state)
{
    (void)state;
    struct fault f = {.text = ""};
    struct store *s = opened();
    struct store_person anna = {.name = STR("anna"),
                                .role = STR("approver"),
                                .groups = STR("[]"),
                                .token_hash = STR("t1"),
                                .slack = STR("U1"),
                                .created = 1,
                                .enabled = true};
    struct store_person ben = anna, carl = {.name = STR("carl"), .role = STR("approver"), .groups = STR("[]")};
    ben.name = STR("ben");
    assert_int_equal(s->ops->person_put(s, &anna, &f), ERR_OK);
    assert_int_equal(s->ops->person_put(s, &anna, &f), ERR_OK); /* in the place of herself */
    assert_int_equal(s->ops->person_put(s, &ben, &f), ERR_EXISTS);
    ben.token_hash = STR("t2");
    assert_int_equal(s->ops->person_put(s, &ben, &f), ERR_EXISTS);
    ben.slack = STR_NONE;
    assert_int_equal(s->ops->person_put(s, &ben, &f), ERR_OK);
    assert_int_equal(s->ops->person_put(s, &carl, &f), ERR_OK); /* nobody's is no one's */
    assert_int_equal(s->ops->person_drop(s, STR("anna"), &f), ERR_OK);
    assert_int_equal(s->ops->person_drop(s, STR("anna"), &f), ERR_NOT_FOUND);
    store_close(s);
}

static void a_file_that_is_no_store_is_refused(void **state)
{
    (void)state;
    int fd = open(file, O_WRONLY | O_CREAT, 0600);
    for (unsigned i = 0; i < 512; i++)
        assert_int_equal(write(fd, "no database ", 12), 12);
    close(fd);
    unusable("not a database");
    unlink(file);
    assert_int_equal(mkdir(file, 0700), 0);
    unusable("unable to open");
    rmdir(file);
}

static void a_damaged_page_is_an_error_and_no_empty_registry(void **state)
{
    (void)state;
    struct fault f;
    struct store *s = opened();
    assert_int_equal(created(s, STR("a"), STR("t1"), &f), ERR_OK);
    store_close(s);
    int fd = open(file, O_RDWR);
    char junk[4096];
    memset(junk, 0xa5, sizeof(junk));
    off_t end = lseek(fd, 0, SEEK_END);
    for (off_t at = 4096; at < end; at += 4096)
        assert_int_equal(pwrite(fd, junk, sizeof(junk), at), sizeof(junk));
    close(fd);
    s = NULL;
    struct buf b;
    buf_init(&b, 4096);
    enum err e = store_sqlite_open(file, &s, &f);
    if (!e)
        e = s->ops->load(s, list_agent, list_key, &b, &f);
    assert_int_equal(e, ERR_STORE);
    assert_int_equal(b.n, 0);
    buf_done(&b);
    store_close(s);
}

static void a_full_disk_refuses_and_changes_nothing(void **state)
{
    (void)state;
    struct fault f = {.text = ""};
    struct rlimit l;
    struct store *s = opened();
    assert_int_equal(created(s, STR("a"), STR("t1"), &f), ERR_OK);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &l);
    rlim_t most = l.rlim_cur;
    l.rlim_cur = 1;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
    enum err e = created(s, STR("b"), STR("t2"), &f);
    l.rlim_cur = most;
    setrlimit(RLIMIT_FSIZE, &l);
    assert_int_equal(e, ERR_STORE);
    holds(s, LINE("a", 1) "key t1 of a retires 0\n");
    assert_int_equal(created(s, STR("b"), STR("t2"), &f), ERR_OK); /* and then it goes on by itself */
    store_close(s);
}

int main(void)
{
#define SCENE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        SCENE(what_is_created_is_there_after_a_restart),
        SCENE(an_id_and_a_key_are_registered_once),
        SCENE(a_new_key_retires_the_others),
        SCENE(an_update_is_whole_and_needs_its_agent),
        SCENE(what_is_stopped_is_so_after_a_restart),
        SCENE(ids_of_odd_bytes_are_only_ids),
        SCENE(the_file_is_a_write_ahead_log_of_a_known_version),
        SCENE(a_commit_survives_the_death_of_the_process),
        SCENE(a_newer_store_is_left_alone),
        SCENE(a_pin_is_replaced_whole_but_for_when_it_was_first_seen),
        SCENE(a_store_from_before_pins_keeps_its_agents_and_takes_pins),
        SCENE(a_store_from_before_passkeys_keeps_its_people_and_takes_passkeys),
        SCENE(a_question_that_ends_leaves_what_was_in_it_and_lets_its_session_go),
        SCENE(a_token_and_an_account_are_one_persons),
        SCENE(a_file_that_is_no_store_is_refused),
        SCENE(a_damaged_page_is_an_error_and_no_empty_registry),
        SCENE(a_full_disk_refuses_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
