/* A record in a folder of its own, with entries as the test wants them, and answers as lists of numbers. */
#ifndef TEST_SEARCH_MADE_H
#define TEST_SEARCH_MADE_H

#include "../folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/segment.h"
#include "base/clock.h"
#include "search/search.h"

struct made {
    char dir[64];
    uint64_t first, next; /* of the segment, and of the entry to come */
    int fd;
};

static const int64_t made_epoch = 1767225600000; /* of entry 0; a second between two */

struct made_entry { /* NULL: null */
    const char *agent, *session, *user, *tool, *event, *trace, *digest, *result, *parameters, *reason, *large;
    const char *chain;
    int allowed; /* 1, 0, or -1: not judged */
    int64_t at;  /* ms; 0: by its number */
};

static inline void made_str(struct json_out *o, const char *key, const char *value)
{
    if (value)
        json_kv_z(o, key, value);
    else
        json_kv_null(o, key);
}

static inline void made_raw(struct json_out *o, const char *key, const char *value)
{
    json_kv_raw(o, key, str_of(value ? value : "null"));
}

static inline void made_write(const struct made_entry *e, uint64_t seq, struct buf *b)
{
    char when[CLOCK_RFC3339];
    struct json_out json = json_out(b), *o = &json;
    clock_format(e->at ? e->at : made_epoch + (int64_t)seq * 1000, when);
    json_open(o, '{');
    made_str(o, "actor", NULL);
    made_str(o, "agentId", e->agent);
    made_raw(o, "chain", e->chain);
    made_str(o, "digest", e->digest);
    made_str(o, "event", e->event ? e->event : "TOOL_CALL");
    made_raw(o, "large", e->large);
    made_raw(o, "parameters", e->parameters);
    json_key(o, STR("policyDecision"));
    if (e->allowed < 0)
        json_put_null(o);
    else {
        json_open(o, '{');
        json_kv_bool(o, "allowed", e->allowed);
        made_str(o, "reason", e->reason);
        json_close(o, '}');
    }
    made_str(o, "result", e->result);
    json_kv_i64(o, "seq", (int64_t)seq);
    made_str(o, "sessionId", e->session);
    json_kv_z(o, "timestamp", when);
    made_str(o, "toolName", e->tool);
    made_str(o, "traceId", e->trace);
    made_str(o, "triggerUserId", e->user);
    json_close(o, '}');
}

static inline void made_put(struct made *m, struct buf *b)
{
    assert_false(buf_failed(b));
    assert_int_equal(write(m->fd, b->p, b->n), b->n);
    buf_done(b);
}

/* The entries to come are in a new segment, which begins with number `first`. */
static inline void made_segment(struct made *m, uint64_t first)
{
    char path[4096];
    struct buf b;
    if (m->fd >= 0)
        close(m->fd);
    segment_path(m->dir, first, path);
    m->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(m->fd >= 0);
    buf_init(&b, 4096);
    segment_put_head(&b, first);
    made_put(m, &b);
    m->first = m->next = first;
}

static inline void made_add(struct made *m, const struct made_entry *e)
{
    struct buf b;
    buf_init(&b, 1u << 20);
    size_t frame = segment_frame_begin(&b);
    made_write(e, m->next, &b);
    segment_frame_end(&b, frame, m->next, m->next - 1);
    made_put(m, &b);
    m->next++;
}

static inline void made_drop_segment(const struct made *m, uint64_t first)
{
    char path[4096];
    segment_path(m->dir, first, path);
    assert_int_equal(unlink(path), 0);
}

static inline void made_index(const struct made *m)
{
    struct fault f = {.text = ""};
    if (index_build(m->dir, NULL, NULL, &f))
        fail_msg("the index is not made: %s", f.text);
}

static inline int made_setup(void **state)
{
    struct made *m = calloc(1, sizeof(*m));
    folder_make(m->dir);
    m->fd = -1;
    made_segment(m, 1);
    *state = m;
    return 0;
}

static inline int made_teardown(void **state)
{
    struct made *m = *state;
    char command[160];
    close(m->fd);
    snprintf(command, sizeof(command), "chmod -R u+rwx %s", m->dir);
    assert_int_equal(system(command), 0);
    folder_remove(m->dir);
    free(m);
    return 0;
}

/* ---- answers ---- */

enum { MADE_FOUND = 4096 };
struct made_found {
    uint64_t seq[MADE_FOUND];
    size_t n;
    struct search_answer answer;
};

static inline enum err made_take(void *ctx, uint64_t seq, struct str entry, struct fault *f)
{
    struct made_found *r = ctx;
    char want[32];
    (void)f;
    assert_true(r->n < MADE_FOUND);
    r->seq[r->n++] = seq;
    snprintf(want, sizeof(want), "\"seq\":%llu,", (unsigned long long)seq);
    assert_non_null(memmem(entry.p, entry.n, want, strlen(want)));
    return ERR_OK;
}

/* Page after page. */
static inline void made_ask(const struct made *m, struct search_question q, struct made_found *ret)
{
    struct fault f = {.text = ""};
    q.limit = q.limit ? q.limit : SEARCH_LIMIT;
    ret->n = 0;
    for (unsigned page = 0; page < 10000; page++) {
        if (search_ask(m->dir, &q, made_take, ret, &ret->answer, &f))
            fail_msg("the question fails: %s", f.text);
        if (!ret->answer.next)
            return;
        q.after = ret->answer.next;
    }
    fail_msg("the pages have no end");
}

/* list: "3,2,1" */
static inline void made_finds(const struct made *m, struct search_question q, const char *list)
{
    static struct made_found found;
    char have[MADE_FOUND * 8] = "";
    made_ask(m, q, &found);
    for (size_t i = 0; i < found.n; i++)
        snprintf(have + strlen(have), sizeof(have) - strlen(have), "%s%llu", i ? "," : "",
                 (unsigned long long)found.seq[i]);
    assert_string_equal(have, list);
}

#define FINDS(m, list, ...) made_finds((m), (struct search_question){__VA_ARGS__}, list)

static inline void made_index_path(const struct made *m, uint64_t first, char ret[256])
{
    snprintf(ret, 256, "%s/index/%020llu.db", m->dir, (unsigned long long)first);
}

#endif
