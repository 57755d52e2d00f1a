/* The newest entries, and those that come: what is read from the files, and which of the two ways is taken. */
#include "cli/audit_tail.h"

#include <time.h>

#include "audit/log.h"
#include "cli/audit_line.h"
#include "cli/http.h"

enum { TAIL_LINES = 20, TAIL_POLL_MS = 200 };

static void audit_reader_closep(struct audit_reader **r)
{
    audit_reader_close(*r);
}

/* An entry that cannot be read as JSON is shown as it is: a record hides nothing. */
static bool tail_wants(struct tail *t, struct str entry)
{
    static const struct json_limits deep = {.depth = 1024};
    struct json j = {0};
    if (!t->agent && !t->event)
        return true;
    arena_reset(&t->arena);
    if (json_parse(&j, entry, &t->arena, &deep, NULL))
        return true;
    return (!t->agent || json_str_is(&j, json_get(&j, JSON_ROOT, STR("agentId")), str_of(t->agent))) &&
           (!t->event || json_str_is(&j, json_get(&j, JSON_ROOT, STR("event")), str_of(t->event)));
}

enum err tail_print(struct tail *t, struct str entry, struct fault *f)
{
    if (t->c->json)
        cli_print_json(entry);
    else
        audit_line_print(entry);
    return ferror(stdout) ? fault_set(f, ERR_IO, "standard output takes no more") : ERR_OK;
}

/* last 0: to the end. */
static enum err tail_file_walk(struct tail *t, uint64_t from, uint64_t last, uint64_t skip, bool print,
                               uint64_t *ret_count, struct fault *f)
{
    struct str entry;
    uint64_t seq = 0, count = 0;
    enum err e = from ? audit_reader_seek(t->reader, from, f) : ERR_OK;
    while (!e && (!last || seq < last)) {
        e = audit_reader_next(t->reader, &entry, &seq, f);
        if (e || (last && seq > last) || !tail_wants(t, entry))
            continue;
        if (count++ < skip || !print)
            continue;
        e = tail_print(t, entry, f);
    }
    *ret_count = count;
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* With a filter the newest n may lie far back: the window grows until they are in it. */
static enum err tail_newest(struct tail *t, tail_walk *walk, uint64_t n, uint64_t last, struct fault *f)
{
    uint64_t window = n, count = 0;
    if (!last)
        return ERR_OK;
    for (;; window = window * 4 + 1000) {
        uint64_t from = window < last ? last - window + 1 : 1;
        if (!t->agent && !t->event)
            return walk(t, from, last, 0, true, &count, f);
        TRY(walk(t, from, last, 0, false, &count, f));
        if (!count && from == 1 && !cli_switch(t->c, "follow"))
            fputs("No entry is found.\n", stderr);
        if (count >= n || from == 1)
            return walk(t, from, last, count > n ? count - n : 0, true, &count, f);
    }
}

/* Goes on where the reader stands: behind the newest. */
static enum err tail_file_follow(struct tail *t, struct fault *f)
{
    const struct timespec pause = {0, TAIL_POLL_MS * 1000000L};
    uint64_t count;
    for (;;) {
        TRY(tail_file_walk(t, 0, 0, 0, true, &count, f));
        if (fflush(stdout) || ferror(stdout))
            return fault_set(f, ERR_IO, "standard output takes no more");
        nanosleep(&pause, NULL);
    }
}

/* A gateway that was not there at first is no reason to show nothing: its files are here. */
static enum err tail_follow(struct tail *t, uint64_t last, struct fault *f)
{
    bool begun = false;
    if (cli_option(t->c, "dir"))
        return tail_file_follow(t, f);
    enum err e = tail_stream_follow(t, last, &begun, f);
    if (begun || (e != ERR_UNREACHABLE && e != ERR_IO && e != ERR_NOT_FOUND) || ferror(stdout))
        return e;
    fprintf(stderr, "doorward: audit tail: no gateway is asked (%s); new entries are read from its files\n", f->text);
    return tail_file_follow(t, f);
}

/* What the newest checkpoint covers and nobody can read is not passed over in silence. It is read before the entries,
 * which go on meanwhile. */
static uint64_t tail_published(const char *dir)
{
    struct log_checkpoint c;
    if (log_checkpoint_read(dir, &c, NULL))
        return 0;
    uint64_t size = c.is.size;
    log_checkpoint_done(&c);
    return size;
}

static enum err tail_from_files(struct tail *t, uint64_t n, struct fault *f)
{
    struct audit_reader *reader CLEANUP(audit_reader_closep) = NULL;
    struct str dir;
    TRY(cli_audit_dir(t->c, &dir, f));
    TRY(audit_reader_open(dir.p, &reader, f));
    t->reader = reader;
    uint64_t published = tail_published(dir.p), last = audit_reader_last(reader);
    if (last < published)
        fprintf(stderr,
                "doorward: audit tail: the record breaks off behind entry %llu, though it goes on to %llu; "
                "`doorward audit verify` says more\n",
                (unsigned long long)last, (unsigned long long)published);
    TRY(tail_newest(t, tail_file_walk, n, last, f));
    return cli_switch(t->c, "follow") ? tail_follow(t, last, f) : ERR_OK;
}

static enum err tail_from_gateway(struct tail *t, uint64_t n, struct fault *f)
{
    uint64_t last;
    bool begun;
    TRY(tail_stream_last(t, &last, f));
    TRY(tail_newest(t, tail_stream_walk, n, last, f));
    return cli_switch(t->c, "follow") ? tail_stream_follow(t, last, &begun, f) : ERR_OK;
}

enum err cli_run_audit_tail(struct cli *c, struct fault *f)
{
    struct tail t = {.c = c, .agent = cli_option(c, "agent"), .event = cli_option(c, "event")};
    int64_t n;
    TRY(cli_number(c, "number", TAIL_LINES, &n, f));
    TRY(cli_audit_event(c, false, f));
    arena_init(&t.arena, 512u << 20);
    enum err e = cli_admin_named(c) && !cli_option(c, "dir") ? tail_from_gateway(&t, (uint64_t)n, f)
                                                             : tail_from_files(&t, (uint64_t)n, f);
    arena_done(&t.arena);
    return e;
}
