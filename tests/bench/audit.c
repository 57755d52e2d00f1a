/*
 * bench_audit [FOLDER]: durable entries a second with 1, 32 and 256 waiting at a time, and how long one waits; beside
 * them, in the same run, on the same disk and with rows of the same bytes: a bare loop that appends as many rows to a
 * file and calls fdatasync, the same into a file that has all its blocks already, and SQLite (WAL, synchronous=FULL)
 * with as many in a transaction. Then how quickly the whole record is verified. FOLDER: where to write; else beside the
 * program.
 */
#include "audit/key.h"
#include "bench.h"

#include <fcntl.h>
#include <libgen.h>
#include <semaphore.h>
#include <sqlite3.h>
#include <unistd.h>

enum { SECONDS = 2, WAITING_MAX = 256, SAMPLES = 1 << 20, FILE_BYTES = 64 << 20, ROW_MAX = 4096 };

static const char parameters[] =
    "{\"customer\":\"cus_9f2k1\",\"lines\":[{\"quantity\":2,\"sku\":\"A-1009\"},{\"quantity\":"
    "1,\"sku\":\"B-2210\"}],\"note\":\"the second parcel, as agreed on the phone\","
    "\"order_id\":\"ord_8fk2m1x9\",\"shipping\":\"express\"}";

struct tally {
    double *wait_us;
    uint64_t count;
    int64_t from, until; /* ns */
};

static void tally_start(struct tally *t)
{
    t->count = 0;
    t->from = clock_mono_ns();
    t->until = t->from + SECONDS * INT64_C(1000000000);
}

/* One more, which began at `born`. False: the time is over. */
static bool tally_one(struct tally *t, int64_t born)
{
    int64_t now = clock_mono_ns();
    t->wait_us[t->count++ % SAMPLES] = (double)(now - born) / 1e3;
    return now < t->until;
}

static double tally_print(const struct tally *t, const char *name)
{
    double seconds = (double)(clock_mono_ns() - t->from) / 1e9;
    size_t n = t->count < SAMPLES ? t->count : SAMPLES;
    bench_sort(t->wait_us, n);
    printf("%-36s %9.0f rows/s   p50 %6.0f us   p99 %6.0f us\n", name, (double)t->count / seconds, t->wait_us[n / 2],
           t->wait_us[n * 99 / 100]);
    fflush(stdout);
    return (double)t->count / seconds;
}

/* ---- the record: each entry that is told of hands in the next one ---- */

struct bench {
    struct audit *audit;
    struct tally *tally;
    unsigned open;
    sem_t over;
};
struct slot {
    struct audit_done done;
    struct bench *bench;
    int64_t born;
};

static void slot_append(struct slot *s)
{
    struct audit_entry e;
    struct fault f;
    audit_entry_init(&e, AUDIT_TOOL_CALL, AUDIT_AI_AGENT);
    e.trace_id = STR("4bf92f3577b34da6a3ce929d0e0e4736");
    e.agent_id = STR("agt_01JD9Z3V7W8X9Y0Z1A2B3C4D5E");
    e.agent_type = STR("support");
    e.agent_version = STR("1.4.2");
    e.agent_env = STR("production");
    e.session_id = STR("sess_01JD9Z3V7W8X9Y0Z1A2B3C4D5E");
    e.tool = STR("orders/create_order");
    e.parameters = str_of(parameters);
    e.digest = STR("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08");
    e.judged = e.allowed = true;
    e.reason = STR("every stage before the call let it through");
    s->born = clock_mono_ns();
    if (audit_append(s->bench->audit, &e, &s->done, &f))
        bench_die("append", f.text);
}

static void slot_done(struct audit_done *d)
{
    struct slot *s = (struct slot *)d;
    if (d->err)
        bench_die("an entry is not on record", err_code(d->err));
    if (tally_one(s->bench->tally, s->born))
        slot_append(s);
    else if (--s->bench->open == 0)
        sem_post(&s->bench->over);
}

static void slot_first(struct worker *w, struct worker_mail *m)
{
    (void)w;
    struct slot *slots = (struct slot *)m; /* the mail is the first slot's own */
    for (unsigned i = 0, n = slots->bench->open; i < n; i++)
        slot_append(&slots[i]);
}

/* A record of its own. ret_row: how long an entry is. Returns entries a second. */
static double bench_record(const char *dir, struct worker *w, struct tally *t, unsigned waiting, size_t *ret_row)
{
    static struct slot slots[WAITING_MAX];
    char path[4096], keys[4096], name[64];
    snprintf(path, sizeof(path), "%s/audit-%u", dir, waiting);
    snprintf(keys, sizeof(keys), "%s/keys-%u", dir, waiting);
    struct conf_audit conf = {.durability = CONF_FULL,
                              .segment_bytes = FILE_BYTES,
                              .queue = FILE_BYTES,
                              .keys = str_of(keys),
                              .origin = STR("example.com/audit")};
    struct audit_recovery found;
    struct audit_reader *reader;
    struct fault f;
    struct bench b = {.tally = t, .open = waiting};
    if (audit_open(path, &conf, &b.audit, &found, &f))
        bench_die(path, f.text);
    sem_init(&b.over, 0, 0);
    for (unsigned i = 0; i < waiting; i++)
        slots[i] = (struct slot){.done = {.worker = w, .done = slot_done}, .bench = &b};
    tally_start(t);
    slots[0].done.mail.run = slot_first;
    worker_post(w, &slots[0].done.mail);
    while (sem_wait(&b.over))
        ;
    snprintf(name, sizeof(name), "record, %u waiting", waiting);
    double rate = tally_print(t, name);
    audit_close(b.audit);
    struct str entry;
    uint64_t seq;
    if (audit_reader_open(path, &reader, &f) || audit_reader_seek(reader, 100, &f) ||
        audit_reader_next(reader, &entry, &seq, &f))
        bench_die(path, f.text);
    *ret_row = entry.n;
    audit_reader_close(reader);
    return rate;
}

static void bench_verify(const char *dir, unsigned waiting)
{
    char path[4096], keys[4096];
    struct note_verifiers v;
    struct log_verdict verdict;
    struct fault f;
    snprintf(path, sizeof(path), "%s/audit-%u", dir, waiting);
    snprintf(keys, sizeof(keys), "%s/keys-%u", dir, waiting);
    if (note_verifiers_read(keys, &v, &f))
        bench_die(keys, f.text);
    const struct log_verify how = {.dir = path, .verifiers = &v};
    int64_t from = clock_mono_ns();
    if (log_verify(&how, &verdict, &f))
        bench_die(path, f.text);
    double seconds = (double)(clock_mono_ns() - from) / 1e9;
    printf("%-36s %9.0f entries/s   (%llu entries, %llu checkpoints)\n", "verify, all of it",
           (double)verdict.entries / seconds, (unsigned long long)verdict.entries,
           (unsigned long long)verdict.checkpoints);
    note_verifiers_done(&v);
}

/* ---- the others ---- */

static void bench_sqlite(const char *dir, struct tally *t, unsigned waiting, size_t size)
{
    char path[4096], row[ROW_MAX], name[64];
    sqlite3 *db;
    sqlite3_stmt *st = NULL;
    snprintf(path, sizeof(path), "%s/rows-%u.db", dir, waiting);
    memset(row, 'r', sizeof(row));
    if (sqlite3_open(path, &db) ||
        sqlite3_exec(
            db,
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE rows (seq INTEGER PRIMARY KEY, "
            "entry TEXT NOT NULL)",
            NULL, NULL, NULL) ||
        sqlite3_prepare_v2(db, "INSERT INTO rows (entry) VALUES (?)", -1, &st, NULL))
        bench_die(path, sqlite3_errmsg(db));
    tally_start(t);
    for (bool more = true; more;) {
        int64_t born = clock_mono_ns();
        bool ok = sqlite3_exec(db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK;
        for (unsigned i = 0; ok && i < waiting; i++) {
            sqlite3_bind_text(st, 1, row, (int)size, SQLITE_STATIC);
            ok = sqlite3_step(st) == SQLITE_DONE;
            sqlite3_reset(st);
        }
        if (!ok || sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
            bench_die(path, sqlite3_errmsg(db));
        for (unsigned i = 0; i < waiting; i++)
            more = tally_one(t, born);
    }
    snprintf(name, sizeof(name), "SQLite FULL, %u a transaction", waiting);
    tally_print(t, name);
    sqlite3_finalize(st);
    sqlite3_close(db);
}

/* again: into a file that was filled before, over and over; otherwise at the end of one that grows. */
static double bench_bare(const char *dir, struct tally *t, unsigned waiting, size_t size, bool again)
{
    char path[4096], name[64];
    size_t bytes = waiting * size;
    char *rows = malloc(bytes);
    snprintf(path, sizeof(path), "%s/bare-%u-%d", dir, waiting, again);
    memset(rows, 'r', bytes);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        bench_die(path, "cannot be made");
    for (off_t at = 0; again && at + (off_t)bytes <= FILE_BYTES; at += (off_t)bytes)
        if (pwrite(fd, rows, bytes, at) != (ssize_t)bytes)
            bench_die(path, "cannot be written");
    if (fsync(fd))
        bench_die(path, "cannot be flushed");
    tally_start(t);
    off_t at = 0;
    for (bool more = true; more;) {
        int64_t born = clock_mono_ns();
        if (pwrite(fd, rows, bytes, at) != (ssize_t)bytes || fdatasync(fd))
            bench_die(path, "cannot be written");
        at += (off_t)bytes;
        if (again && at + (off_t)bytes > FILE_BYTES)
            at = 0;
        for (unsigned i = 0; i < waiting; i++)
            more = tally_one(t, born);
    }
    snprintf(name, sizeof(name), "%s and fdatasync, %u rows", again ? "overwrite" : "plain append", waiting);
    double rate = tally_print(t, name);
    close(fd);
    free(rows);
    return rate;
}

int main(int argc, char **argv)
{
    static double samples[SAMPLES];
    struct tally t = {.wait_us = samples};
    struct worker w;
    struct fault f;
    char dir[4000], command[4096];
    snprintf(dir, sizeof(dir), "%s/bench-audit-XXXXXX", argc > 1 ? argv[1] : dirname(strdup(argv[0])));
    if (!mkdtemp(dir))
        bench_die(dir, "cannot be made");
    if (worker_init(&w, 0, &f) || worker_start(&w, &f))
        bench_die("worker", f.text);
    static const unsigned waiting[] = {1, 32, 256};
    for (size_t i = 0; i < sizeof(waiting) / sizeof(waiting[0]); i++) {
        size_t row;
        double record = bench_record(dir, &w, &t, waiting[i], &row);
        double bare = bench_bare(dir, &t, waiting[i], row, false);
        bench_bare(dir, &t, waiting[i], row, true);
        bench_sqlite(dir, &t, waiting[i], row);
        printf("ratio_%u: %.2f   (record to plain append, rows of %zu bytes)\n", waiting[i], record / bare, row);
    }
    bench_verify(dir, WAITING_MAX);
    worker_stop(&w);
    worker_join(&w);
    worker_done(&w);
    snprintf(command, sizeof(command), "rm -r '%s'", dir);
    return system(command) ? 1 : 0;
}
