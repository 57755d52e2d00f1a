/* What does not fit together is found and named; what was only half written when the machine stopped is put aside. */
#include "record.h"

static void refused(const struct record *r, enum err expected, const char *words)
{
    struct audit *a = NULL;
    struct audit_recovery found;
    struct fault f = {.text = ""};
    enum err e = audit_open(r->dir, &r->conf, &a, &found, &f);
    if (e != expected || !strstr(f.text, words))
        fail_msg("opening says %s \"%s\", not \"%s\"", err_code(e), f.text, words);
}

static void unverified(const struct record *r, const char *words)
{
    struct log_verdict v;
    struct fault f = {.text = ""};
    enum err e = record_verify(r, &v, &f);
    if (e != ERR_CORRUPT || !strstr(f.text, words))
        fail_msg("verification says %s \"%s\", not \"%s\"", err_code(e), f.text, words);
}

/* Either way to the record says the same. */
static void missed(const struct record *r, const char *words)
{
    unverified(r, words);
    refused(r, ERR_CORRUPT, words);
}

/* A closed record. The path is its first segment's. */
static void filled(struct record *r, unsigned entries, char ret_path[512])
{
    record_open(r);
    record_fill(r, entries);
    record_close(r);
    record_segment(r, 0, ret_path);
}

static void flip(const char *path, off_t at)
{
    size_t n;
    char *p = record_bytes(path, &n);
    p[at] ^= 1;
    record_overwrite(path, at, p + at, 1);
    free(p);
}

static void a_flipped_byte_is_found_with_its_place(void **state)
{
    struct record *r = *state;
    char path[512], words[64];
    size_t n;
    filled(r, 10, path);
    off_t at = record_frame(path, 1, 5, &n);
    flip(path, at + 200);
    snprintf(words, sizeof(words), "segment %020d, offset %lld", 1, (long long)at);
    missed(r, words);
    flip(path, at + 200);
    assert_int_equal(record_verified(r).entries, 10);
}

static void a_flipped_byte_anywhere_is_found(void **state)
{
    struct record *r = *state;
    struct log_verdict v;
    struct fault f;
    char path[512];
    size_t n;
    filled(r, 3, path);
    char *whole = record_bytes(path, &n);
    for (size_t at = 0; at < n; at++) {
        char other = (char)(whole[at] ^ 0x20);
        record_overwrite(path, (off_t)at, &other, 1);
        enum err e = record_verify(r, &v, &f);
        if (e != ERR_CORRUPT)
            fail_msg("a change at offset %zu is not seen", at);
        record_overwrite(path, (off_t)at, whole + at, 1);
    }
    free(whole);
    assert_int_equal(record_verified(r).entries, 3);
}

/* As if the machine had stopped before anything was published: what frames say of each other must do. */
static void unpublish(const struct record *r)
{
    char command[512];
    snprintf(command, sizeof(command), "rm -rf %s/checkpoint %s/checkpoints %s/tile", r->dir, r->dir, r->dir);
    assert_int_equal(system(command), 0);
}

static void unpublished(struct record *r, unsigned entries, char ret_path[512])
{
    filled(r, entries, ret_path);
    unpublish(r);
}

static void damage_to_a_promised_entry_is_no_torn_end(void **state)
{
    struct record *r = *state;
    char path[512];
    size_t n;
    unpublished(r, 10, path);
    flip(path, record_frame(path, 1, 4, &n) + 100);
    unverified(r, "segment");
    refused(r, ERR_CORRUPT, "says that it was flushed");
}

static void a_torn_end_is_put_aside_and_the_record_goes_on(void **state)
{
    struct record *r = *state;
    char path[512];
    size_t n;
    unpublished(r, 10, path);
    off_t at = record_frame(path, 1, 10, &n);
    assert_int_equal(truncate(path, at + 100), 0);
    struct log_verdict v = record_verified(r);
    assert_int_equal(v.entries, 9);
    assert_int_equal(v.torn_bytes, 100);
    record_open(r);
    assert_int_equal(r->found.entries, 9);
    assert_int_equal(r->found.torn_bytes, 100);
    record_fill(r, 2);
    record_close(r);
    assert_int_equal(record_verified(r).entries, 12); /* it says itself what it put aside */
    unsigned torn = 0;
    DIR *d = opendir(r->dir);
    for (struct dirent *e; (e = readdir(d));)
        torn += strncmp(e->d_name, "torn-00000000000000000010-", 26) == 0;
    closedir(d);
    assert_int_equal(torn, 1);
}

static void a_torn_end_of_any_length_loses_only_the_last_entry(void **state)
{
    struct record *r = *state;
    char path[512];
    size_t n, whole;
    unpublished(r, 3, path);
    char *p = record_bytes(path, &whole);
    off_t at = record_frame(path, 1, 3, &n);
    for (size_t keep = 0; keep < n; keep += 7) {
        assert_int_equal(truncate(path, at + (off_t)keep), 0);
        assert_int_equal(record_verified(r).entries, 2);
        record_open(r);
        assert_int_equal(r->found.entries, 2);
        record_close(r);
        unpublish(r);
        record_overwrite(path, 0, p, whole);
    }
    free(p);
}

static void a_removed_tail_is_missed(void **state)
{
    struct record *r = *state;
    char path[512];
    size_t n;
    filled(r, 10, path);
    assert_int_equal(truncate(path, record_frame(path, 1, 8, &n)), 0);
    missed(r, "entries 8 to 10 were published and are missing");
}

static void a_tail_of_zeros_is_missed(void **state)
{
    struct record *r = *state;
    char path[512], zeros[4096] = {0};
    size_t n;
    filled(r, 3, path);
    off_t at = record_frame(path, 1, 3, &n);
    record_overwrite(path, at, zeros, n);
    missed(r, "entries 3 to 3 were published and are missing");
}

static void swapped_entries_are_found(void **state)
{
    struct record *r = *state;
    char path[512];
    size_t n4, n5, whole;
    filled(r, 9, path);
    off_t at4 = record_frame(path, 1, 4, &n4), at5 = record_frame(path, 1, 5, &n5);
    char *p = record_bytes(path, &whole);
    record_overwrite(path, at4, p + at5, n5);
    record_overwrite(path, at4 + (off_t)n5, p + at4, n4);
    free(p);
    unverified(r, "entry 3 is followed by entry 5");
    refused(r, ERR_CORRUPT, "entry 5 follows entry 3");
}

/* Everything has its check sums, but it is not the tree that was signed. */
static void a_record_written_anew_is_found_by_its_checkpoint(void **state)
{
    struct record *r = *state;
    struct record other = *r;
    char from[512], to[512];
    size_t n;
    folder_make(other.dir);
    filled(r, 3, to);
    filled(&other, 3, from); /* other times, and so other hashes */
    char *p = record_bytes(from, &n);
    record_overwrite(to, 0, p, n);
    free(p);
    folder_remove(other.dir);
    unverified(r, "entries are not those whose checkpoint was signed"); /* the first that was kept */
    refused(r, ERR_CORRUPT, "the first 3 entries are not those whose checkpoint was published");
}

/* Even with a tree and a checkpoint that fit it: they are signed by somebody else. */
static void a_record_signed_by_another_key_is_refused(void **state)
{
    struct record *r = *state;
    struct record other = *r;
    char path[512], command[512];
    folder_make(other.dir);
    record_conf(&other, 1 << 20);
    filled(&other, 3, path);
    filled(r, 3, path);
    snprintf(command, sizeof(command), "rm -rf %s/* && cp -r %s/* %s && rm -rf %s/subjects %s/sealed", r->dir,
             other.dir, r->dir, r->dir, r->dir);
    assert_int_equal(system(command), 0);
    missed(r, "is signed by none of the known keys of example.com/audit");
    folder_remove(other.dir);
    folder_remove(other.keys);
}

static void a_changed_signature_is_found(void **state)
{
    struct record *r = *state;
    char path[512], file[512];
    size_t n;
    filled(r, 3, path);
    snprintf(file, sizeof(file), "%s/checkpoint", r->dir);
    char *p = record_bytes(file, &n);
    for (size_t at = 0; at < n; at++) {
        struct log_verdict v;
        struct fault f;
        char other = (char)(p[at] ^ 1);
        record_overwrite(file, (off_t)at, &other, 1);
        if (record_verify(r, &v, &f) != ERR_CORRUPT)
            fail_msg("a change at offset %zu of the checkpoint is not seen", at);
        record_overwrite(file, (off_t)at, p + at, 1);
    }
    free(p);
    record_verified(r);
}

/* Tiles can be made again from the entries. */
static void lost_tiles_are_made_again(void **state)
{
    struct record *r = *state;
    char path[512], command[512];
    r->conf.segment_bytes = 65536;
    r->conf.queue = 64 << 20;
    record_open(r);
    record_notes(r, 70000);
    record_close(r);
    assert_true(record_verified(r).segments > 100);
    snprintf(command, sizeof(command), "rm -rf %s/tile", r->dir);
    assert_int_equal(system(command), 0);
    unverified(r, "tile/0/000");
    record_open(r);
    record_fill(r, 1);
    record_close(r);
    assert_int_equal(record_verified(r).entries, 70001);
    snprintf(path, sizeof(path), "%s/tile/0/004", r->dir);
    flip(path, 77);
    unverified(r, "tile/0/004: is not the tree of the entries");
}

static void a_missing_segment_is_found(void **state)
{
    struct record *r = *state;
    struct audit_reader *reader;
    struct fault f;
    struct str json;
    char path[512];
    uint64_t seq = 0;
    enum err e;
    r->conf.segment_bytes = 8192;
    record_open(r);
    record_notes(r, 600);
    record_close(r);
    record_segment(r, 1, path);
    assert_int_equal(unlink(path), 0);
    unverified(r, "are missing: no segment holds them");
    assert_int_equal(audit_reader_open(r->dir, &reader, &f), ERR_OK);
    while ((e = audit_reader_next(reader, &json, &seq, &f)) == ERR_OK)
        ;
    assert_int_equal(e, ERR_CORRUPT); /* not "the end" */
    assert_true(seq < 600);
    audit_reader_close(reader);
}

static void a_missing_last_segment_is_found(void **state)
{
    struct record *r = *state;
    char path[512];
    r->conf.segment_bytes = 8192;
    record_open(r);
    record_notes(r, 600);
    record_close(r);
    record_segment(r, (unsigned)record_verified(r).segments - 1, path);
    assert_int_equal(unlink(path), 0);
    missed(r, "were published and are missing");
}

static void damage_is_left_as_it_was_found(void **state)
{
    struct record *r = *state;
    char path[512];
    size_t before, after;
    filled(r, 5, path);
    flip(path, 300);
    char *was = record_bytes(path, &before);
    refused(r, ERR_CORRUPT, "segment");
    char *is = record_bytes(path, &after);
    assert_int_equal(after, before);
    assert_memory_equal(is, was, before);
    free(was);
    free(is);
}

int main(void)
{
#define SCENE(name) cmocka_unit_test_setup_teardown(name, record_setup, record_teardown)
    const struct CMUnitTest tests[] = {
        SCENE(a_flipped_byte_is_found_with_its_place),
        SCENE(a_flipped_byte_anywhere_is_found),
        SCENE(damage_to_a_promised_entry_is_no_torn_end),
        SCENE(a_torn_end_is_put_aside_and_the_record_goes_on),
        SCENE(a_torn_end_of_any_length_loses_only_the_last_entry),
        SCENE(a_removed_tail_is_missed),
        SCENE(a_tail_of_zeros_is_missed),
        SCENE(swapped_entries_are_found),
        SCENE(a_record_written_anew_is_found_by_its_checkpoint),
        SCENE(a_record_signed_by_another_key_is_refused),
        SCENE(a_changed_signature_is_found),
        SCENE(lost_tiles_are_made_again),
        SCENE(a_missing_segment_is_found),
        SCENE(a_missing_last_segment_is_found),
        SCENE(damage_is_left_as_it_was_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
