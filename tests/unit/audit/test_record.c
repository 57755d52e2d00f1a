/* Entries that were acknowledged are on the disk and stay there, whatever happens to the process. */
#include "record.h"

#include "base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

static void an_entry_is_on_disk_when_it_is_acknowledged(void **state)
{
    struct record *r = *state;
    record_open(r);
    record_fill(r, 3);
    assert_int_equal(record_read(r, 1, NULL, NULL), 3); /* the writer has not closed anything */
    assert_int_equal(record_verified(r).entries, 3);
}

static void a_record_goes_on_where_it_was_closed(void **state)
{
    struct record *r = *state;
    for (unsigned i = 0; i < 3; i++) {
        record_open(r);
        assert_int_equal(r->found.entries, 2 * i);
        assert_int_equal(r->found.torn_bytes, 0);
        record_fill(r, 2);
        record_close(r);
    }
    struct log_verdict v = record_verified(r);
    assert_int_equal(v.entries, 6);
    assert_int_equal(v.last, 6);
    assert_int_equal(v.segments, 1);
}

static void a_second_writer_is_refused(void **state)
{
    struct record *r = *state;
    struct audit *second = NULL;
    struct audit_recovery found;
    struct fault f;
    record_open(r);
    assert_int_equal(audit_open(r->dir, &r->conf, &second, &found, &f), ERR_CONFLICT);
    assert_null(second);
    record_fill(r, 1); /* the first one is not disturbed */
    record_close(r);
    record_open(r);
    assert_int_equal(r->found.entries, 1);
}

static void segments_roll_and_read_as_one(void **state)
{
    struct record *r = *state;
    r->conf.segment_bytes = 16384;
    record_open(r);
    record_notes(r, 1000);
    assert_int_equal(record_read(r, 1, NULL, NULL), 1000);
    record_close(r);
    struct log_verdict v = record_verified(r);
    assert_int_equal(v.entries, 1000);
    assert_int_equal(v.segments, 4); /* each begins at a whole tile, however small it should be */
    assert_int_equal(record_read(r, 557, NULL, NULL), 444);
    record_open(r);
    assert_int_equal(r->found.entries, 1000);
}

static uint64_t first_before(const struct record *r, int64_t wall_ms)
{
    struct audit_reader *reader;
    struct fault f;
    struct str json;
    uint64_t seq;
    assert_int_equal(audit_reader_open(r->dir, &reader, &f), ERR_OK);
    assert_int_equal(audit_reader_before(reader, wall_ms, &f), ERR_OK);
    assert_int_equal(audit_reader_next(reader, &json, &seq, &f), ERR_OK);
    audit_reader_close(reader);
    return seq;
}

static void reading_begins_not_long_before_a_moment(void **state)
{
    struct record *r = *state;
    r->conf.segment_bytes = 16384;
    record_open(r);
    record_notes(r, 600);
    usleep(3000);
    int64_t moment = clock_wall_ms();
    usleep(3000);
    record_notes(r, 600);
    assert_int_equal(first_before(r, 0), 1);
    uint64_t seq = first_before(r, moment), last = first_before(r, INT64_MAX);
    assert_true(seq > 1 && seq <= 601);
    assert_true(last > seq && last <= 1200);
}

/* What is longer than an entry may be stands in a file, to which the entry commits. */
static void a_long_member_stands_in_a_file_of_its_own(void **state)
{
    struct record *r = *state;
    struct audit_entry e;
    struct fault f;
    struct buf text;
    struct ack ack = {.done = {.worker = r->worker, .done = ack_told}};
    char *words = malloc(100000), hex[2 * SHA256_BYTES + 1], path[256];
    unsigned char hash[SHA256_BYTES];
    memset(words, 'w', 100000);
    enc_sha256(words, 100000, hash);
    enc_hex(hash, sizeof(hash), hex);
    r->conf.queue = 65536; /* smaller than the entry: it may pass alone */
    record_open(r);
    audit_entry_init(&e, AUDIT_TOOL_CALL, AUDIT_AI_AGENT);
    e.reasoning = (struct str){words, 100000};
    sem_init(&ack.told, 0, 0);
    assert_int_equal(audit_append(r->audit, &e, &ack.done, &f), ERR_OK);
    assert_int_equal(ack_wait(&ack, NULL), ERR_OK);
    record_fill(r, 1);
    record_close(r);
    assert_int_equal(record_verified(r).entries, 2);
    buf_init(&text, 1 << 20);
    assert_int_equal(audit_large(r->dir, str_of(hex), &text, &f), ERR_OK);
    assert_int_equal(text.n, 100000);
    assert_memory_equal(text.p, words, 100000);
    buf_done(&text);
    free(words);
    snprintf(path, sizeof(path), "%s/large/%.2s/%s", r->dir, hex, hex + 2);
    record_overwrite(path, 50000, "x", 1);
    struct log_verdict v;
    assert_int_equal(record_verify(r, &v, &f), ERR_CORRUPT);
    assert_non_null(strstr(f.text, "entry 1"));
}

static void a_reader_follows_the_writer_over_segments(void **state)
{
    struct record *r = *state;
    struct audit_reader *reader;
    struct fault f;
    struct str json;
    uint64_t seq;
    r->conf.segment_bytes = 8192;
    record_open(r);
    assert_int_equal(audit_reader_open(r->dir, &reader, &f), ERR_OK);
    assert_int_equal(audit_reader_last(reader), 0);
    for (uint64_t i = 1; i <= 600; i++) {
        assert_int_equal(audit_reader_next(reader, &json, &seq, &f), ERR_NOT_FOUND);
        record_fill(r, 1);
        enum err e = audit_reader_next(reader, &json, &seq, &f);
        if (e == ERR_NOT_FOUND) /* the end of a segment */
            e = audit_reader_next(reader, &json, &seq, &f);
        assert_int_equal(e, ERR_OK);
        assert_int_equal(seq, i);
        assert_int_equal(audit_reader_last(reader), i);
    }
    audit_reader_close(reader);
}

enum { THREADS = 16, EACH = 100 };

static void *many_appends(void *arg)
{
    struct record *r = arg;
    uintptr_t failed = 0;
    for (unsigned i = 0; i < EACH; i++) {
        struct ack ack;
        struct fault f;
        failed += record_append(r, "desk/lookup", &ack, &f) || ack_wait(&ack, NULL);
    }
    return (void *)failed;
}

/* Flushes of this process's writer, seen where the kernel counts them for nobody: each frame says what was flushed
 * before it, so that the number of different answers is the number of flushes. */
static uint64_t flushes(const struct record *r, uint64_t entries)
{
    char path[512];
    size_t n, at = 64;
    uint64_t count = 0, before = UINT64_MAX, flushed;
    record_segment(r, 0, path);
    char *p = record_bytes(path, &n);
    while (entries--) {
        uint32_t payload;
        memcpy(&payload, p + at, 4);
        memcpy(&flushed, p + at + 16, 8);
        count += flushed != before;
        before = flushed;
        at += (24 + payload + 7) / 8 * 8;
    }
    free(p);
    return count;
}

static void many_threads(struct record *r)
{
    pthread_t thread[THREADS];
    void *failed;
    r->conf.segment_bytes = 8 << 20;
    record_open(r);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, many_appends, r), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(thread[i], &failed);
        assert_null(failed);
    }
    assert_int_equal(record_verified(r).entries, THREADS * EACH);
}

static void who_waits_together_is_flushed_together(void **state)
{
    many_threads(*state);
    assert_true(flushes(*state, THREADS * EACH) < THREADS * EACH / 2);
}

static void a_group_is_gathered_before_it_is_flushed(void **state)
{
    struct record *r = *state;
    r->conf.durability = CONF_GROUP;
    many_threads(r);
    assert_true(flushes(r, THREADS * EACH) <= EACH * 2); /* one for all who wait, and some for the last ones */
}

/* This program again, as the one that is killed: it appends as fast as it can and says each number that was
 * acknowledged. */
static int child(const char *dir)
{
    static struct record r;
    static struct worker worker;
    struct fault f;
    struct ack ack[8];
    uint64_t seq[8];
    snprintf(r.dir, sizeof(r.dir), "%s", dir);
    record_conf(&r, 65536);
    r.worker = &worker;
    if (worker_init(&worker, 0, &f) || worker_start(&worker, &f) || audit_open(dir, &r.conf, &r.audit, &r.found, &f))
        return 1;
    for (;;) {
        for (unsigned i = 0; i < 8; i++)
            if (record_append(&r, "desk/lookup", &ack[i], &f))
                return 2;
        for (unsigned i = 0; i < 8; i++)
            if (ack_wait(&ack[i], &seq[i]))
                return 3;
        if (write(STDOUT_FILENO, seq, sizeof(seq)) != sizeof(seq))
            return 4;
    }
}

static uint64_t killed_after(struct record *r, unsigned acknowledged)
{
    int pipes[2], status;
    uint64_t seq, last = 0;
    assert_int_equal(pipe(pipes), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(pipes[1], STDOUT_FILENO);
        close(pipes[0]);
        close(pipes[1]);
        execl("/proc/self/exe", "child", r->dir, NULL);
        _exit(5);
    }
    close(pipes[1]);
    for (unsigned i = 0; i < acknowledged && read(pipes[0], &seq, sizeof(seq)) == sizeof(seq); i++)
        last = seq > last ? seq : last;
    kill(pid, SIGKILL);
    while (read(pipes[0], &seq, sizeof(seq)) == sizeof(seq))
        last = seq > last ? seq : last;
    close(pipes[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    return last;
}

static void a_killed_process_loses_nothing_that_it_acknowledged(void **state)
{
    struct record *r = *state;
    uint64_t before = 0;
    r->conf.segment_bytes = 65536; /* small, so that some rounds end while a segment rolls */
    for (unsigned round = 0; round < 20; round++) {
        uint64_t last = killed_after(r, 8 + round * 13 % 97);
        assert_true(last > before);
        struct log_verdict v = record_verified(r);
        assert_true(v.entries >= last);
        record_open(r);
        assert_int_equal(r->found.entries, v.entries);
        record_fill(r, 1);
        record_close(r);
        before = v.entries + 1 + (r->found.torn_bytes > 0); /* that it was torn is on record */
        assert_int_equal(record_verified(r).entries, before);
    }
    assert_int_equal(record_read(r, 1, NULL, NULL), before);
}

static void async_entries_are_flushed_soon_and_at_the_end(void **state)
{
    struct record *r = *state;
    r->conf.durability = CONF_ASYNC;
    record_open(r);
    record_fill(r, 500);
    record_close(r);
    assert_int_equal(record_verified(r).entries, 500);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[0], "child") == 0)
        return child(argv[1]);
#define SCENE(name) cmocka_unit_test_setup_teardown(name, record_setup, record_teardown)
    const struct CMUnitTest tests[] = {
        SCENE(an_entry_is_on_disk_when_it_is_acknowledged),
        SCENE(a_record_goes_on_where_it_was_closed),
        SCENE(a_second_writer_is_refused),
        SCENE(segments_roll_and_read_as_one),
        SCENE(reading_begins_not_long_before_a_moment),
        SCENE(a_long_member_stands_in_a_file_of_its_own),
        SCENE(a_reader_follows_the_writer_over_segments),
        SCENE(who_waits_together_is_flushed_together),
        SCENE(a_group_is_gathered_before_it_is_flushed),
        SCENE(a_killed_process_loses_nothing_that_it_acknowledged),
        SCENE(async_entries_are_flushed_soon_and_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
