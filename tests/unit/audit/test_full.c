/* The disk takes no more: calls are refused, what has happened is kept, and when there is room again the record goes on
 * by itself and says what it missed. */
#include "record.h"

#include "audit/inner.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <time.h>

struct tally {
    uint64_t calls, denied, recovered;
    int64_t refused, dropped;
};

static void count(void *ctx, struct str text)
{
    struct tally *t = ctx;
    struct arena a;
    struct json j;
    int64_t refused = 0, dropped = 0;
    arena_init(&a, 1 << 20);
    assert_int_equal(json_parse(&j, text, &a, NULL, NULL), ERR_OK);
    uint32_t event = json_get(&j, JSON_ROOT, STR("event"));
    t->calls += json_str_is(&j, event, STR("TOOL_CALL"));
    t->denied += json_str_is(&j, event, STR("TOOL_DENIED"));
    if (json_str_is(&j, event, STR("RECORD_RECOVERED"))) {
        t->recovered++;
        assert_true(json_i64(&j, json_path(&j, JSON_ROOT, "details.refused"), &refused));
        assert_true(json_i64(&j, json_path(&j, JSON_ROOT, "details.dropped"), &dropped));
        t->refused += refused;
        t->dropped += dropped;
    }
    arena_done(&a);
}

static struct tally tally(const struct record *r)
{
    struct tally t = {0};
    assert_int_equal(record_read(r, 1, count, &t), record_verified(r).entries);
    return t;
}

/* Calls, until one is refused. Returns how many were acknowledged. */
static uint64_t until_refused(struct record *r)
{
    struct ack ack;
    struct fault f;
    uint64_t acknowledged = 0;
    while (acknowledged < 100000 && record_append(r, "desk/lookup", &ack, &f) == ERR_OK && !ack_wait(&ack, NULL))
        acknowledged++;
    assert_true(acknowledged < 100000);
    return acknowledged;
}

static void until_healthy(struct record *r)
{
    for (unsigned i = 0; i < 1000 && !audit_healthy(r->audit, NULL); i++)
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    assert_true(audit_healthy(r->audit, NULL));
}

static void note_denied(struct record *r)
{
    struct audit_entry e;
    audit_entry_init(&e, AUDIT_TOOL_DENIED, AUDIT_AI_AGENT);
    audit_note(r->audit, &e);
}

/* From the first refusal on: what a caller is told, and what is on record when the disk takes entries again. */
static void refused_until(struct record *r, void (*make_room)(void *ctx), void *ctx, const char *reason)
{
    struct ack ack;
    struct fault f = {.text = ""};
    uint64_t acknowledged = until_refused(r);
    assert_false(audit_healthy(r->audit, &f));
    assert_non_null(strstr(f.text, reason));
    assert_int_equal(record_append(r, "desk/lookup", &ack, &f), ERR_AUDIT);
    assert_non_null(strstr(f.text, "nothing is let through"));
    note_denied(r);
    assert_int_equal(record_verified(r).entries, acknowledged); /* nothing half-written counts */
    make_room(ctx);
    until_healthy(r);
    record_fill(r, 3);
    record_close(r);
    struct tally t = tally(r);
    assert_int_equal(t.calls, acknowledged + 3);
    assert_int_equal(t.denied, 1);
    assert_int_equal(t.recovered, 1);
    assert_int_equal(t.refused, 2);
    assert_int_equal(t.dropped, 0);
}

static void limit_files(rlim_t bytes)
{
    struct rlimit l;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &l), 0);
    l.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
}

static void lift_limit(void *ctx)
{
    (void)ctx;
    limit_files(RLIM_INFINITY);
}

static void a_file_that_may_not_grow_refuses_calls_until_it_may(void **state)
{
    struct record *r = *state;
    signal(SIGXFSZ, SIG_IGN);
    record_open(r);
    limit_files(50000);
    refused_until(r, lift_limit, NULL, "File too large");
}

/* An entry of which a part got into the file leaves nothing behind. */
static void what_was_half_written_is_cut_off(void **state)
{
    struct record *r = *state;
    struct ack ack = {.done = {.worker = r->worker, .done = ack_told}};
    struct audit_entry e;
    struct fault f;
    char *words = malloc(100000);
    memset(words, 'w', 100000);
    signal(SIGXFSZ, SIG_IGN);
    record_open(r);
    limit_files(50000);
    audit_entry_init(&e, AUDIT_TOOL_CALL, AUDIT_AI_AGENT);
    e.reasoning = (struct str){words, 100000};
    sem_init(&ack.told, 0, 0);
    assert_int_equal(audit_append(r->audit, &e, &ack.done, &f), ERR_OK);
    assert_int_equal(ack_wait(&ack, NULL), ERR_AUDIT);
    free(words);
    lift_limit(NULL);
    until_healthy(r);
    struct log_verdict v = record_verified(r);
    assert_int_equal(v.entries, 1);
    assert_int_equal(v.torn_bytes, 0);
}

static void remove_ballast(void *ctx)
{
    char path[512];
    snprintf(path, sizeof(path), "%s/ballast", ((struct record *)ctx)->dir);
    assert_int_equal(unlink(path), 0);
}

static void a_full_disk_refuses_calls_until_there_is_room(void **state)
{
    struct record *r = *state;
    static char ballast[128 << 10];
    char path[512];
    if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
        mount("tmpfs", r->dir, "tmpfs", 0, "size=256k"))
        skip(); /* only root may make a small disk */
    snprintf(path, sizeof(path), "%s/ballast", r->dir);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, ballast, sizeof(ballast)), sizeof(ballast));
    close(fd);
    r->conf.segment_bytes = 65536;
    record_open(r);
    refused_until(r, remove_ballast, r, "No space left");
    umount(r->dir);
}

static void a_record_that_stays_full_keeps_what_it_promised(void **state)
{
    struct record *r = *state;
    signal(SIGXFSZ, SIG_IGN);
    record_open(r);
    limit_files(50000);
    uint64_t acknowledged = until_refused(r);
    record_close(r);
    limit_files(RLIM_INFINITY);
    assert_int_equal(record_verified(r).entries, acknowledged);
    record_open(r);
    record_fill(r, 1);
}

/* A burst that the queue cannot hold. What is refused is not on record, but how many were is. */
static void a_full_queue_refuses_and_the_record_says_how_many(void **state)
{
    enum { BURST = 2000 };
    struct record *r = *state;
    struct ack *ack = calloc(BURST, sizeof(*ack));
    struct fault f = {.text = ""};
    uint64_t accepted = 0;
    r->conf.queue = 1;
    record_open(r);
    for (unsigned i = 0; i < BURST; i++) {
        if (record_append(r, "desk/lookup", &ack[accepted], &f) == ERR_OK)
            accepted++;
        else
            assert_non_null(strstr(f.text, "audit.queue"));
    }
    for (uint64_t i = 0; i < accepted; i++)
        assert_int_equal(ack_wait(&ack[i], NULL), ERR_OK);
    assert_true(accepted > 0 && accepted < BURST);
    struct tally t = {0};
    for (unsigned i = 0; i < 1000 && t.refused < BURST - (int64_t)accepted; i++) { /* not only when it is closed */
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        t = (struct tally){0};
        record_read(r, 1, count, &t);
    }
    record_close(r);
    assert_int_equal(tally(r).refused, t.refused);
    assert_int_equal(t.calls, accepted);
    assert_int_equal(t.refused, BURST - accepted);
    free(ack);
}

static void notes_that_found_no_room_are_counted(void **state)
{
    enum { BURST = 2000 };
    struct record *r = *state;
    r->conf.queue = 400; /* room for two of them */
    record_open(r);
    for (unsigned i = 0; i < BURST; i++)
        note_denied(r);
    record_close(r);
    struct tally t = tally(r);
    assert_true(t.dropped > 0);
    assert_int_equal(t.denied + (uint64_t)t.dropped, BURST);
}

/* What nobody signs, nobody can prove. The minute that it may take is a moment here. */
static void without_checkpoints_nothing_is_let_through(void **state)
{
    struct record *r = *state;
    struct ack ack;
    struct fault f = {.text = ""};
    char blocked[128];
    record_open(r);
    record_fill(r, 1);
    snprintf(blocked, sizeof(blocked), "%s/checkpoint.new", r->dir); /* where the next one is written */
    struct buf note;
    uint64_t size = 0;
    buf_init(&note, 1 << 20);
    for (unsigned i = 0; i < 1000 && audit_checkpoint(r->audit, &note, &size); i++)
        usleep(5000);
    buf_done(&note);
    assert_int_equal(size, 1);
    assert_int_equal(mkdir(blocked, 0700), 0);
    record_fill(r, 1);
    atomic_store(&r->audit->publish.patience_ms, 1);
    for (unsigned i = 0; i < 1000 && audit_healthy(r->audit, NULL); i++)
        usleep(5000);
    assert_false(audit_healthy(r->audit, &f));
    assert_non_null(strstr(f.text, "checkpoint"));
    assert_int_equal(record_append(r, "desk/lookup", &ack, &f), ERR_AUDIT);
    assert_non_null(strstr(f.text, "no checkpoint of the record could be written"));
    assert_int_equal(rmdir(blocked), 0);
    until_healthy(r);
    record_fill(r, 1);
    record_close(r);
    record_verified(r);
}

int main(void)
{
#define SCENE(name) cmocka_unit_test_setup_teardown(name, record_setup, record_teardown)
    const struct CMUnitTest tests[] = {
        SCENE(a_file_that_may_not_grow_refuses_calls_until_it_may),
        SCENE(what_was_half_written_is_cut_off),
        SCENE(a_full_disk_refuses_calls_until_there_is_room),
        SCENE(a_record_that_stays_full_keeps_what_it_promised),
        SCENE(a_full_queue_refuses_and_the_record_says_how_many),
        SCENE(notes_that_found_no_room_are_counted),
        SCENE(without_checkpoints_nothing_is_let_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
