/* Finding entries, and the index that makes it quick. Both read and write files: no gateway is needed. */
#include <unistd.h>

#include "base/clock.h"
#include "cli/audit_line.h"
#include "cli/cli.h"
#include "search/search.h"

enum {
    SEARCH_LINES = 50,
    SEARCH_BEHIND = 20000, /* so far the index of a running gateway may be behind */
    INDEX_PATIENCE_NS = 1000000000,
    INDEX_TELL_NS = 100000000
};

/* ---- what is asked ---- */

static enum err search_words(struct cli *c, struct str *ret, struct fault *f)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 1u << 20);
    for (size_t i = 0; i < c->arg_count; i++) {
        buf_z(&b, i ? " " : "");
        buf_z(&b, c->arg[i]);
    }
    *ret = b.n ? arena_buf(&c->arena, &b) : STR_NONE;
    return arena_failed(&c->arena) ? fault_set(f, ERR_NOMEM, "no memory for the question") : ERR_OK;
}

static enum err search_asked(struct cli *c, struct search_question *q, uint64_t *ret_n, struct fault *f)
{
    int64_t now = clock_wall_ms(), n, after;
    *q = (struct search_question){.agent = str_of(cli_option(c, "agent")),
                                  .session = str_of(cli_option(c, "session")),
                                  .user = str_of(cli_option(c, "user")),
                                  .tool = str_of(cli_option(c, "tool")),
                                  .event = str_of(cli_option(c, "event")),
                                  .decision = str_of(cli_option(c, "decision")),
                                  .trace = str_of(cli_option(c, "trace")),
                                  .digest = str_of(cli_option(c, "digest")),
                                  .oldest_first = cli_switch(c, "oldest")};
    TRY(cli_moment(c, "since", now, 0, &q->since, f));
    TRY(cli_moment(c, "until", now, 0, &q->until, f));
    TRY(cli_number(c, "number", SEARCH_LINES, &n, f));
    TRY(cli_number(c, "after", 0, &after, f));
    q->after = (uint64_t)after;
    *ret_n = (uint64_t)n;
    return search_words(c, &q->text, f);
}

/* ---- what is found ---- */

struct search_run {
    struct cli *c;
    uint64_t found;
};

static enum err search_found(void *ctx, uint64_t seq, struct str entry, struct fault *f)
{
    struct search_run *r = ctx;
    (void)seq;
    r->found++;
    if (r->c->json)
        cli_print_json(entry);
    else
        audit_line_print(entry);
    return ferror(stdout) ? fault_set(f, ERR_IO, "standard output takes no more") : ERR_OK;
}

static void search_end_json(const struct search_answer *all)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 4096);
    struct json_out o = json_out(&b);
    json_open(&o, '{');
    if (all->next)
        json_kv_i64(&o, "next", (int64_t)all->next);
    else
        json_kv_null(&o, "next");
    json_kv_i64(&o, "indexed", (int64_t)all->indexed);
    json_kv_i64(&o, "scanned", (int64_t)all->scanned);
    json_close(&o, '}');
    cli_print_json(buf_view(&b));
}

static void search_end(const struct search_answer *all, uint64_t found)
{
    fflush(stdout);
    if (!found)
        fputs("No entry is found.\n", stderr);
    if (all->next)
        fprintf(stderr, "There may be more: --after %llu\n", (unsigned long long)all->next);
    if (all->damaged)
        fprintf(stderr,
                "The index from entry %llu on is damaged and was not used; doorward audit index makes it again.\n",
                (unsigned long long)all->damaged);
    else if (all->scanned > SEARCH_BEHIND)
        fprintf(stderr,
                "%llu entries are not indexed and were looked through one by one; doorward audit index changes that.\n",
                (unsigned long long)all->scanned);
}

enum err cli_run_audit_search(struct cli *c, struct fault *f)
{
    struct search_question q;
    struct search_answer all = {0};
    struct search_run r = {.c = c};
    struct str dir;
    uint64_t n;
    TRY(search_asked(c, &q, &n, f));
    TRY(cli_audit_dir(c, &dir, f));
    do { /* one question looks only so long */
        struct search_answer page;
        q.limit = n - r.found < SEARCH_LIMIT ? (unsigned)(n - r.found) : SEARCH_LIMIT;
        enum err e = search_ask(dir.p, &q, search_found, &r, &page, f);
        if (e == ERR_PARAMS) {
            f->err = ERR_USAGE;
            return fault_wrap(f, "audit search");
        }
        TRY(e);
        all.next = q.after = page.next;
        all.indexed = page.indexed > all.indexed ? page.indexed : all.indexed;
        all.scanned += page.scanned;
        all.damaged = page.damaged ? page.damaged : all.damaged;
    } while (all.next && r.found < n);
    if (c->json)
        search_end_json(&all);
    else
        search_end(&all, r.found);
    return ERR_OK;
}

/* ---- the index ---- */

struct index_run {
    int64_t begun, told;
    uint64_t of;
};

static void index_progress(void *ctx, uint64_t seq, uint64_t of)
{
    struct index_run *r = ctx;
    int64_t now = clock_mono_ns();
    r->of = of;
    if (!isatty(STDERR_FILENO) || now - r->begun < INDEX_PATIENCE_NS || now - r->told < INDEX_TELL_NS)
        return;
    r->told = now;
    fprintf(stderr, "\rentry %llu of %llu … ", (unsigned long long)seq, (unsigned long long)of);
}

enum err cli_run_audit_index(struct cli *c, struct fault *f)
{
    struct index_run r = {.begun = clock_mono_ns()};
    struct str dir;
    TRY(cli_audit_dir(c, &dir, f));
    enum err e = index_build(dir.p, index_progress, &r, f);
    if (r.told)
        fputs("\r\033[K", stderr);
    TRY(e);
    if (c->json)
        printf("{\"indexed\":%llu}\n", (unsigned long long)r.of);
    else if (r.of)
        printf("Everything up to entry %llu is indexed.\n", (unsigned long long)r.of);
    else
        puts("The record is empty: there is nothing to index.");
    return ERR_OK;
}
