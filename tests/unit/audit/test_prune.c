/* Retention: the oldest segments go, what is left can still be proved, and whoever follows is waited for. */
#include "record.h"

#include "audit/inner.h"
#include "audit/prune.h"

static const struct conf_retention small = {.bytes = 600000};

/* The publisher prunes once a minute; here it is asked at once, from this thread, when everything is published. */
static void prune(struct record *r)
{
    uint64_t size = 0, last = audit_seq(r->audit);
    struct buf note;
    buf_init(&note, 1 << 20);
    for (unsigned i = 0; i < 500 && size < last; i++) {
        buf_clear(&note);
        if (audit_checkpoint(r->audit, &note, &size))
            size = 0;
        usleep(10000);
    }
    buf_done(&note);
    assert_int_equal(size, last);
    prune_now(r->audit, size);
}

static void open_pruned(struct record *r, struct conf_retention retention)
{
    r->conf.segment_bytes = 65536;
    r->conf.queue = 64 << 20;
    r->conf.retention = retention;
    record_open(r);
}

static void the_oldest_go_and_the_rest_is_proved(void **state)
{
    struct record *r = *state;
    struct fault f;
    struct buf proof;
    open_pruned(r, small);
    record_notes(r, 3000);
    prune(r);
    record_notes(r, 10);
    struct log_verdict v = record_verified(r);
    assert_true(v.pruned > 1000 && v.pruned % 256 == 0);
    assert_int_equal(v.first, v.pruned + 1);
    assert_int_equal(v.last, 3011); /* and one that says what was pruned */
    record_close(r);
    record_verified(r);
    buf_init(&proof, 1 << 20);
    assert_int_equal(log_prove(r->dir, v.first, &proof, &f), ERR_OK);
    assert_non_null(memmem(proof.p, proof.n, "\nextra ", 7));
    buf_clear(&proof);
    assert_int_equal(log_prove(r->dir, 1, &proof, &f), ERR_OK); /* for whoever has kept what it was */
    assert_null(memmem(proof.p, proof.n, "\nextra ", 7));
    buf_done(&proof);
    record_open(r); /* and it goes on */
    assert_int_equal(r->found.entries, 3011);
    record_fill(r, 1);
    record_close(r);
    record_verified(r);
}

static void what_went_without_a_word_is_missed(void **state)
{
    struct record *r = *state;
    struct log_verdict v;
    struct fault f;
    char path[512];
    open_pruned(r, (struct conf_retention){0});
    record_notes(r, 1000);
    record_close(r);
    record_segment(r, 0, path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(record_verify(r, &v, &f), ERR_CORRUPT);
    assert_non_null(strstr(f.text, "no entry says that they were pruned"));
}

static void entries_go_by_their_age(void **state)
{
    struct record *r = *state;
    open_pruned(r, (struct conf_retention){.age = 1500});
    record_notes(r, 1000);
    prune(r);
    assert_int_equal(record_verified(r).pruned, 0);
    usleep(1600000);
    record_notes(r, 300);
    prune(r);
    struct log_verdict v = record_verified(r);
    assert_int_equal(v.pruned, 768); /* those that follow begin with young ones, or are being written */
}

static uint64_t taken(void *ctx)
{
    return *(uint64_t *)ctx;
}

static void whoever_follows_is_waited_for(void **state)
{
    struct record *r = *state;
    uint64_t at = 600;
    open_pruned(r, small);
    audit_hold(r->audit, taken, &at);
    record_notes(r, 3000);
    prune(r);
    assert_int_equal(record_verified(r).pruned, 512);
    at = UINT64_MAX;
    prune(r);
    assert_true(record_verified(r).pruned > 1000);
}

static void long_members_go_with_their_entries(void **state)
{
    struct record *r = *state;
    struct audit_entry e;
    char *words = malloc(100000), folder[128];
    memset(words, 'w', 100000);
    open_pruned(r, small);
    audit_entry_init(&e, AUDIT_TOOL_RESULT, AUDIT_AI_AGENT);
    e.reasoning = (struct str){words, 100000};
    audit_note(r->audit, &e);
    record_notes(r, 3000);
    free(words);
    snprintf(folder, sizeof(folder), "find %s/large -type f -exec touch -d @1 {} +", r->dir);
    assert_int_equal(system(folder), 0);
    prune(r);
    snprintf(folder, sizeof(folder), "test -z \"$(find %s/large -type f)\"", r->dir);
    assert_int_equal(system(folder), 0);
    record_verified(r);
}

int main(void)
{
#define SCENE(name) cmocka_unit_test_setup_teardown(name, record_setup, record_teardown)
    const struct CMUnitTest tests[] = {
        SCENE(the_oldest_go_and_the_rest_is_proved),
        SCENE(what_went_without_a_word_is_missed),
        SCENE(entries_go_by_their_age),
        SCENE(whoever_follows_is_waited_for),
        SCENE(long_members_go_with_their_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
