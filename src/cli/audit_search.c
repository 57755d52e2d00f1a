/* Finding entries, in the record's files or through a gateway; and the index that makes it quick. */
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/audit_line.h"
#include "cli/http.h"
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
    int64_t now = clock_wall_ms(), n;
    const char *after = cli_option(c, "after");
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
    if (after && (!str_u64(str_of(after), &q->after) || !q->after))
        return fault_set(f, ERR_USAGE, "audit search: --after must be what the page before ended with, not %.60s",
                         after);
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

/* ---- from a gateway ---- */

static void search_parameter(struct cli *c, struct buf *b, const char *name, struct str value)
{
    if (value.n)
        buf_fmt(b, "&%s=%s", name, cli_percent(c, value));
}

static void search_moment(struct cli *c, struct buf *b, const char *name, int64_t ms)
{
    char text[CLOCK_RFC3339];
    if (!ms)
        return;
    clock_format(ms, text);
    search_parameter(c, b, name, str_of(text));
}

static struct str search_path(struct cli *c, const struct search_question *q)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 1u << 20);
    buf_fmt(&b, "/admin/v1/audit/search?limit=%u", q->limit);
    search_parameter(c, &b, "agent", q->agent);
    search_parameter(c, &b, "session", q->session);
    search_parameter(c, &b, "user", q->user);
    search_parameter(c, &b, "tool", q->tool);
    search_parameter(c, &b, "event", q->event);
    search_parameter(c, &b, "decision", q->decision);
    search_parameter(c, &b, "trace", q->trace);
    search_parameter(c, &b, "digest", q->digest);
    search_parameter(c, &b, "text", q->text);
    search_moment(c, &b, "since", q->since);
    search_moment(c, &b, "until", q->until);
    if (q->after)
        buf_fmt(&b, "&after=%llu", (unsigned long long)q->after);
    search_parameter(c, &b, "oldest", q->oldest_first ? STR("true") : STR_NONE);
    return arena_buf(&c->arena, &b);
}

static uint64_t search_member(const struct json *j, const char *name)
{
    int64_t v;
    return json_i64(j, json_get(j, JSON_ROOT, str_of(name)), &v) && v > 0 ? (uint64_t)v : 0;
}

static enum err search_gateway(struct search_run *r, const struct search_question *q, struct search_answer *ret,
                               struct fault *f)
{
    struct str path = search_path(r->c, q);
    struct json j;
    if (!path.p)
        return fault_set(f, ERR_NOMEM, "no memory for the question");
    TRY(cli_admin(r->c, "GET", path.p, STR_NONE, &j, NULL, f));
    JSON_EACH(&j, json_get(&j, JSON_ROOT, STR("entries")), v)
    {
        TRY(search_found(r, 0, json_raw(&j, v), f));
    }
    *ret = (struct search_answer){.next = search_member(&j, "next"),
                                  .indexed = search_member(&j, "indexed"),
                                  .scanned = search_member(&j, "scanned")};
    return ERR_OK;
}

/* ---- all of it ---- */

/* One question looks only so long: it is asked again until there are enough. */
static enum err search_pages(struct search_run *r, struct search_question *q, uint64_t n, struct str dir,
                             struct search_answer *all, struct fault *f)
{
    do {
        struct search_answer page;
        q->limit = n - r->found < SEARCH_LIMIT ? (unsigned)(n - r->found) : SEARCH_LIMIT;
        TRY(dir.p ? search_ask(dir.p, q, search_found, r, &page, f) : search_gateway(r, q, &page, f));
        all->next = q->after = page.next;
        all->indexed = page.indexed > all->indexed ? page.indexed : all->indexed;
        all->scanned += page.scanned;
        all->damaged = page.damaged ? page.damaged : all->damaged;
    } while (all->next && r->found < n);
    return ERR_OK;
}

enum err cli_run_audit_search(struct cli *c, struct fault *f)
{
    struct search_question q;
    struct search_answer all = {0};
    struct search_run r = {.c = c};
    struct str dir = STR_NONE;
    uint64_t n;
    TRY(search_asked(c, &q, &n, f));
    if (!cli_admin_named(c) || cli_option(c, "dir"))
        TRY(cli_audit_dir(c, &dir, f));
    enum err e = search_pages(&r, &q, n, dir, &all, f);
    if (e == ERR_PARAMS) {
        f->err = ERR_USAGE;
        return fault_wrap(f, "audit search");
    }
    TRY(e);
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

/* Files that root made would be in the gateway's way: they belong to whom the record belongs to. */
static enum err index_as_owner(const char *dir, struct fault *f)
{
    struct stat st;
    if (geteuid() != 0 || stat(dir, &st) < 0 || st.st_uid == 0)
        return ERR_OK;
    return setegid(st.st_gid) == 0 && seteuid(st.st_uid) == 0
               ? ERR_OK
               : fault_set(f, ERR_IO, "%s: cannot become its owner: %m", dir);
}

enum err cli_run_audit_index(struct cli *c, struct fault *f)
{
    struct index_run r = {.begun = clock_mono_ns()};
    struct str dir;
    TRY(cli_audit_dir(c, &dir, f));
    TRY(index_as_owner(dir.p, f));
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
