/*
 * What a server over stdio is, is found out with a disposable process; where one process serves everybody, in that one.
 */
#include <stdlib.h>

#include "connect/stdio_child.h"

enum { STDIO_DISCOVER_MS = 10000, STDIO_STEP_MS = 30000 };

struct stdio_probe {
    struct probe probe; /* first */
    struct child *child;
    uv_timer_t timer;
    bool over;
    bool shared; /* the child serves calls, too: it stays */
};

static void stdio_probe_closed(uv_handle_t *h)
{
    struct stdio_probe *p = h->data;
    free(p);
}

static void stdio_probe_end(struct probe *probe)
{
    struct stdio_probe *p = (struct stdio_probe *)probe;
    p->over = true;
    if (p->child) {
        p->child->probe = NULL;
        if (!p->shared)
            child_stop(p->child);
    }
    uv_close((uv_handle_t *)&p->timer, stdio_probe_closed);
}

/* A process that is busy, or has just ended, says nothing against what was known of the server. */
static void stdio_probe_pass(struct stdio_probe *p)
{
    struct upstream *u = p->probe.upstream;
    enum wire_era era = p->probe.era;
    char version[16];
    memcpy(version, p->probe.version_text, sizeof(version));
    tool_set_unref(p->probe.set);
    p->probe.set = NULL;
    stdio_probe_end(&p->probe);
    upstream_up(u, era, str_of(version), tool_set_ref(u->tools));
}

static void stdio_probe_late(uv_timer_t *t)
{
    struct stdio_probe *p = t->data;
    struct fault f;
    if (p->shared && p->probe.upstream->tools) {
        stdio_probe_pass(p);
        return;
    }
    fault_set(&f, ERR_UPSTREAM_TIMEOUT, "its process does not answer");
    probe_answer(&p->probe, ERR_UPSTREAM_TIMEOUT, &f, true, NULL, NULL);
}

static enum err stdio_probe_child(struct stdio_probe *p, struct fault *f) MUST_USE;

/* The process that was asked in the wrong era is not asked again. */
static enum err stdio_probe_afresh(struct stdio_probe *p, struct fault *f)
{
    p->probe.afresh = false;
    if (p->child) {
        p->child->probe = NULL;
        child_stop(p->child);
        p->child = NULL;
    }
    return stdio_probe_child(p, f);
}

static void stdio_probe_request(struct probe *probe, const struct wire_request *r)
{
    struct stdio_probe *p = (struct stdio_probe *)probe;
    struct buf b;
    struct fault f;
    if (probe->afresh && stdio_probe_afresh(p, &f)) {
        probe_answer(probe, f.err, &f, false, NULL, NULL);
        return;
    }
    buf_init(&b, 65536);
    wire_write(&b, r);
    child_write(p->child, buf_view(&b)); /* when it cannot, its end or the timer tells */
    buf_done(&b);
    uv_timer_start(&p->timer, stdio_probe_late, probe->step == PROBE_DISCOVER ? STDIO_DISCOVER_MS : STDIO_STEP_MS, 0);
}

static void stdio_probe_notify(struct probe *probe, struct str message)
{
    child_write(((struct stdio_probe *)probe)->child, message);
}

static void stdio_probe_line(struct child *c, struct str line)
{
    struct probe *p = c->probe;
    struct arena a;
    struct json doc;
    struct wire_message m;
    arena_init(&a, STDIO_ARENA);
    if (p && stdio_read(c, line, &a, &doc, &m)) {
        if (m.kind == WIRE_ANSWER && str_is(m.id, p->id))
            probe_answer(p, ERR_OK, NULL, true, &doc, &m);
        else if (m.kind == WIRE_ASKS)
            stdio_message(c, &doc, &m, &a);
        else if (m.kind == WIRE_CHANGED)
            probe_changed(p);
    }
    arena_done(&a);
}

/* Servers of some SDKs end when anything comes before `initialize`: the next process is asked that first. */
static bool stdio_probe_again(struct stdio_probe *p, const char *how)
{
    struct upstream *u = p->probe.upstream;
    struct fault f;
    if (!how[0] || u->stopping)
        return false;
    if (p->probe.step == PROBE_INITIALIZE)
        return p->probe.cached; /* which begins anew by itself */
    return p->probe.step == PROBE_DISCOVER && u->server->protocol != CONF_2026_07_28 &&
           stdio_probe_child(p, &f) == ERR_OK;
}

void stdio_probe_lost(struct child *c, const char *how)
{
    struct probe *p = c->probe;
    struct fault f;
    c->probe = NULL;
    ((struct stdio_probe *)p)->child = NULL;
    if (((struct stdio_probe *)p)->shared && p->upstream->tools) {
        stdio_probe_pass((struct stdio_probe *)p);
        return;
    }
    fault_set(&f, ERR_UPSTREAM, "%s while it was asked what it is", how[0] ? how : "its process was stopped");
    probe_answer(p, ERR_UPSTREAM, &f, stdio_probe_again((struct stdio_probe *)p, how), NULL, NULL);
}

static void stdio_probe_ended(struct child *c, const char *how)
{
    stdio_child_unlink(c);
    if (c->probe)
        stdio_probe_lost(c, how);
}

/* Where one process serves everybody, what it lists is what the server has: it is asked itself, not a new process that
 * knows nothing of what became of it. False: there is none. */
static bool stdio_probe_living(struct upstream *u, struct stdio_probe *p)
{
    struct child *c = u->server->isolation == CONF_PER_GATEWAY && u->tools ? stdio_child_any(u, STR("gateway")) : NULL;
    if (!c || c->state != CHILD_READY || c->probe)
        return false;
    p->child = c;
    p->shared = true;
    c->probe = &p->probe;
    p->probe.ids = ++stdio_inner(u)->probes * 1000;
    probe_relist(&p->probe, atomic_load(&u->era), str_of(u->protocol), u->tools->can);
    return true;
}

static void stdio_probe_init(struct stdio_probe *p, struct upstream *u)
{
    p->probe = (struct probe){
        .upstream = u, .request = stdio_probe_request, .notify = stdio_probe_notify, .end = stdio_probe_end};
    uv_timer_init(&u->connect->workers[0].loop, &p->timer);
    p->timer.data = p;
}

/* A process for the probe alone. */
static enum err stdio_probe_child(struct stdio_probe *p, struct fault *f)
{
    struct upstream *u = p->probe.upstream;
    struct child *c = NULL;
    TRY(child_start(u, STR("probe"), &c, f));
    p->child = c;
    c->probe = &p->probe;
    c->line = stdio_probe_line;
    c->ended = stdio_probe_ended;
    c->next = stdio_inner(u)->children;
    stdio_inner(u)->children = c;
    return ERR_OK;
}

void stdio_probe(struct upstream *u)
{
    struct stdio_probe *p = calloc(1, sizeof(*p));
    struct fault f;
    if (p) {
        stdio_probe_init(p, u);
        if (stdio_probe_living(u, p))
            return;
    }
    enum err e = p ? stdio_probe_child(p, &f) : fault_set(&f, ERR_NOMEM, "no memory for a probe");
    if (e) {
        if (p)
            uv_close((uv_handle_t *)&p->timer, stdio_probe_closed);
        upstream_down(u, &f);
        return;
    }
    probe_start(&p->probe);
}
