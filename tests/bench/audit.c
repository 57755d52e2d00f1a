/*
 * bench_audit [FOLDER]: durable entries a second with 1, 32 and 256 waiting at a time, and the median wait of one;
 * beside them, in the same run and on the same disk, rows of the same bytes in SQLite (WAL, synchronous=FULL, a
 * transaction each), and a bare loop of pwrite and fdatasync into a preallocated file. FOLDER: where to write; else
 * beside the program.
 */
#include "audit/audit.h"
#include "bench.h"

#include <fcntl.h>
#include <libgen.h>
#include <semaphore.h>
#include <sqlite3.h>
#include <unistd.h>

enum { SECONDS = 2, WAITING_MAX = 256, SAMPLES = 1 << 20, ROW = 1024 };

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

static void tally_print(const struct tally *t, const char *name)
{
    double seconds = (double)(clock_mono_ns() - t->from) / 1e9;
    size_t n = t->count < SAMPLES ? t->count : SAMPLES;
    bench_sort(t->wait_us, n);
    printf("%-36s %9.0f rows/s   p50 %6.0f us   p99 %6.0f us\n", name, (double)t->count / seconds, t->wait_us[n / 2],
           t->wait_us[n * 99 / 100]);
    fflush(stdout);
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

static void bench_record(const char *dir, struct worker *w, struct tally *t, unsigned waiting)
{
    static struct slot slots[WAITING_MAX];
    char path[4096], name[64];
    struct conf_audit conf = {.durability = CONF_FULL, .segment_bytes = 64 << 20, .queue = 64 << 20};
    struct audit_recovery found;
    struct fault f;
    struct bench b = {.tally = t, .open = waiting};
    snprintf(path, sizeof(path), "%s/audit", dir);
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
    tally_print(t, name);
    audit_close(b.audit);
}

/* ---- the others ---- */

static void bench_sqlite(const char *dir, struct tally *t)
{
    char path[4096], row[ROW];
    sqlite3 *db;
    sqlite3_stmt *st = NULL;
    snprintf(path, sizeof(path), "%s/rows.db", dir);
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
    int64_t born;
    do {
        born = clock_mono_ns();
        sqlite3_bind_text(st, 1, row, sizeof(row), SQLITE_STATIC);
        if (sqlite3_step(st) != SQLITE_DONE)
            bench_die(path, sqlite3_errmsg(db));
        sqlite3_reset(st);
    } while (tally_one(t, born));
    tally_print(t, "SQLite, synchronous=FULL, one by one");
    sqlite3_finalize(st);
    sqlite3_close(db);
}

static void bench_bare(const char *dir, struct tally *t)
{
    char path[4096], row[ROW];
    snprintf(path, sizeof(path), "%s/bare", dir);
    memset(row, 'r', sizeof(row));
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || posix_fallocate(fd, 0, 64 << 20) || fsync(fd))
        bench_die(path, "cannot be made");
    tally_start(t);
    int64_t born;
    do {
        born = clock_mono_ns();
        if (pwrite(fd, row, sizeof(row), (off_t)(t->count * sizeof(row) % (64 << 20))) != sizeof(row) || fdatasync(fd))
            bench_die(path, "cannot be written");
    } while (tally_one(t, born));
    tally_print(t, "bare pwrite and fdatasync, one by one");
    close(fd);
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
    bench_bare(dir, &t);
    bench_sqlite(dir, &t);
    bench_record(dir, &w, &t, 1);
    bench_record(dir, &w, &t, 32);
    bench_record(dir, &w, &t, 256);
    worker_stop(&w);
    worker_join(&w);
    worker_done(&w);
    snprintf(command, sizeof(command), "rm -r '%s'", dir);
    return system(command) ? 1 : 0;
}
