#include "connect/child.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/log.h"

enum { CHILD_STEP_MS = 1000, CHILD_QUEUE_BYTES = 16 << 20, CHILD_STDERR_LINE = 8192, CHILD_READ = 65536 };

#define CHILD_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* ---- the end ---- */

static void child_freed(uv_handle_t *h)
{
    struct child *c = h->data;
    if (--c->handles)
        return;
    atomic_fetch_sub(&c->upstream->children, 1);
    c->ended(c, c->how);
    lines_done(&c->out_lines);
    lines_done(&c->err_lines);
    upstream_unref(c->upstream);
    free(c);
}

static void child_close_handle(struct child *c, uv_handle_t *h)
{
    (void)c;
    if (!uv_is_closing(h))
        uv_close(h, child_freed);
}

/* The process is gone, and all it wrote was read. */
static void child_close(struct child *c)
{
    if (c->spawned)
        child_close_handle(c, (uv_handle_t *)&c->process);
    child_close_handle(c, (uv_handle_t *)&c->in);
    child_close_handle(c, (uv_handle_t *)&c->out);
    child_close_handle(c, (uv_handle_t *)&c->err);
    child_close_handle(c, (uv_handle_t *)&c->timer);
}

static void child_late(uv_timer_t *t)
{
    child_close(t->data);
}

static void child_exit(uv_process_t *p, int64_t status, int term_signal)
{
    struct child *c = p->data;
    c->exited = true;
    c->state = CHILD_CLOSING;
    kill(-p->pid, SIGKILL);        /* what it left behind in its group */
    if (!c->how[0] && term_signal) /* otherwise we ended it, and said why */
        snprintf(c->how, sizeof(c->how), "its process was ended by signal %d", term_signal);
    else if (!c->how[0])
        snprintf(c->how, sizeof(c->how), "its process ended with status %lld", (long long)status);
    uv_timer_start(&c->timer, child_late, 200, 0); /* its last words may still be in the pipe */
}

static void child_next_step(uv_timer_t *t)
{
    struct child *c = t->data;
    if (c->exited)
        return;
    kill(-c->process.pid, c->step++ == 0 ? SIGTERM : SIGKILL);
    uv_timer_start(t, child_next_step, CHILD_STEP_MS, 0);
}

static void child_wind_down(struct child *c)
{
    if (c->state == CHILD_CLOSING)
        return;
    c->state = CHILD_CLOSING;
    child_close_handle(c, (uv_handle_t *)&c->in);
    uv_timer_start(&c->timer, child_next_step, CHILD_STEP_MS, 0);
}

void child_stop(struct child *c)
{
    c->asked = true;
    child_wind_down(c);
}

/* ---- reading ---- */

static void child_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *b)
{
    static _Thread_local char bytes[CHILD_READ]; /* one for all: worked through before the next read */
    (void)h, (void)suggested;
    *b = uv_buf_init(bytes, sizeof(bytes));
}

static bool child_line(void *ctx, struct str line)
{
    struct child *c = ctx;
    c->line(c, line);
    return true;
}

static void child_out(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
    struct child *c = s->data;
    struct fault f;
    if (n > 0 && lines_feed(&c->out_lines, (struct str){b->base, (size_t)n}, child_line, c, &f)) {
        log_warn("server_garbage", LOG_S("server", c->upstream->server->name), LOG_Z("reason", f.text));
        snprintf(c->how, sizeof(c->how), "its process was ended: %s", f.text);
        uv_read_stop(s);
        kill(-c->process.pid, SIGKILL);
    } else if (n < 0) {
        uv_read_stop(s);
        if (c->exited)
            child_close(c);
        else
            child_wind_down(c); /* it closed its stdout: it says nothing any more */
    }
}

static bool child_err_line(void *ctx, struct str line)
{
    struct child *c = ctx;
    log_info("server_stderr", LOG_S("server", c->upstream->server->name), LOG_S("line", line));
    return true;
}

static void child_err(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
    struct child *c = s->data;
    struct fault f;
    if (n > 0 && lines_feed(&c->err_lines, (struct str){b->base, (size_t)n}, child_err_line, c, &f)) {
        lines_done(&c->err_lines); /* a line over the bound is dropped */
        lines_init(&c->err_lines, CHILD_STDERR_LINE);
    } else if (n < 0) {
        uv_read_stop(s);
    }
}

/* ---- writing ---- */

struct child_write {
    uv_write_t req;
    struct child *child;
    size_t n;
    char bytes[];
};

static void child_written(uv_write_t *req, int status)
{
    struct child_write *w = (struct child_write *)req;
    (void)status; /* a pipe that broke shows as the process's end */
    w->child->queued -= w->n;
    free(w);
}

bool child_write(struct child *c, struct str message)
{
    if (c->state == CHILD_CLOSING || uv_is_closing((uv_handle_t *)&c->in) || c->queued + message.n > CHILD_QUEUE_BYTES)
        return false;
    struct child_write *w = malloc(sizeof(*w) + message.n + 1);
    if (!w)
        return false;
    w->child = c;
    w->n = message.n + 1;
    memcpy(w->bytes, message.p, message.n);
    w->bytes[message.n] = '\n';
    uv_buf_t b = uv_buf_init(w->bytes, (unsigned)w->n);
    if (uv_write(&w->req, (uv_stream_t *)&c->in, &b, 1, child_written)) {
        free(w);
        return false;
    }
    c->queued += w->n;
    return true;
}

/* ---- the start ---- */

/* NAME=value for each, in secret memory; NULL-ended. */
static struct secret *child_environment(const struct conf_pairs *env, char ***ret)
{
    size_t bytes = sizeof(CHILD_PATH), n = env->n + 2;
    unsigned char *at;
    for (size_t i = 0; i < env->n; i++)
        bytes += env->v[i].name.n + secret_len(env->v[i].value) + 2;
    size_t whole = (n * sizeof(char *) + bytes + 15) / 16 * 16; /* secret memory is aligned from its end */
    struct secret *s = secret_alloc(whole, &at);
    if (!s)
        return NULL;
    char **list = (char **)(void *)at, *text = (char *)at + n * sizeof(char *);
    size_t k = 0;
    bool path = false;
    for (size_t i = 0; i < env->n; i++) {
        size_t name = env->v[i].name.n, value = secret_len(env->v[i].value);
        path |= str_is(env->v[i].name, "PATH");
        list[k++] = text;
        memcpy(text, env->v[i].name.p, name);
        text[name] = '=';
        memcpy(text + name + 1, secret_bytes(env->v[i].value), value);
        text[name + 1 + value] = 0;
        text += name + value + 2;
    }
    if (!path) {
        list[k++] = text;
        memcpy(text, CHILD_PATH, sizeof(CHILD_PATH));
    }
    list[k] = NULL;
    *ret = list;
    return s;
}

static void child_limit(pid_t pid, int what, int64_t value)
{
    struct rlimit l = {(rlim_t)value, (rlim_t)value};
    if (value > 0 && prlimit(pid, (enum __rlimit_resource)what, &l, NULL) < 0)
        log_warn("server_limit_not_set", LOG_I("resource", what), LOG_I("value", value));
}

static int child_spawn(struct child *c)
{
    const struct conf_server *s = c->upstream->server;
    char **env = NULL, **args = calloc(s->command.n + 1, sizeof(char *));
    struct secret *secret = child_environment(&s->env, &env);
    int e = UV_ENOMEM;
    if (args && secret) {
        for (size_t i = 0; i < s->command.n; i++)
            args[i] = (char *)(uintptr_t)s->command.v[i].p;
        uv_stdio_container_t stdio[3] = {
            {.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&c->in},
            {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&c->out},
            {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&c->err},
        };
        uv_process_options_t o = {.exit_cb = child_exit,
                                  .file = args[0],
                                  .args = args,
                                  .env = env,
                                  .cwd = s->cwd.n ? s->cwd.p : NULL,
                                  .flags = UV_PROCESS_DETACHED,
                                  .stdio_count = 3,
                                  .stdio = stdio};
        c->spawned = true; /* as a handle, whatever becomes of it */
        c->handles++;
        e = uv_spawn(&c->upstream->connect->workers[0].loop, &c->process, &o);
    }
    secret_free(secret);
    free(args);
    if (e)
        return e;
    child_limit(c->process.pid, RLIMIT_AS, s->limits.memory);
    child_limit(c->process.pid, RLIMIT_NOFILE, s->limits.open_files);
    child_limit(c->process.pid, RLIMIT_NPROC, s->limits.processes);
    child_limit(c->process.pid, RLIMIT_CPU, (s->limits.cpu + 999) / 1000);
    return 0;
}

static void child_failed(struct child *c, const char *how)
{
    (void)c, (void)how; /* the caller of child_start was told */
}

static void child_nothing(struct child *c, struct str line)
{
    (void)c, (void)line;
}

enum err child_start(struct upstream *u, struct str key, struct child **ret, struct fault *f)
{
    uv_loop_t *loop = &u->connect->workers[0].loop;
    struct child *c = calloc(1, sizeof(*c));
    if (!c)
        return fault_set(f, ERR_NOMEM, "no memory for a process");
    c->upstream = upstream_ref(u);
    c->line = child_nothing;
    c->ended = child_failed;
    c->born = uv_now(loop);
    memcpy(c->key, key.p, key.n);
    lines_init(&c->out_lines, (size_t)u->connect->conf->root.limits.result_bytes + 65536);
    lines_init(&c->err_lines, CHILD_STDERR_LINE);
    uv_pipe_init(loop, &c->in, 0);
    uv_pipe_init(loop, &c->out, 0);
    uv_pipe_init(loop, &c->err, 0);
    uv_timer_init(loop, &c->timer);
    c->process.data = c->in.data = c->out.data = c->err.data = c->timer.data = c;
    c->handles = 4; /* and the process, once it is one */
    atomic_fetch_add(&u->children, 1);
    int e = child_spawn(c);
    if (e) {
        fault_set(f, ERR_UPSTREAM, "its program %s cannot be started: %s", u->server->command.v[0].p, uv_strerror(e));
        c->state = CHILD_CLOSING;
        child_close(c);
        return ERR_UPSTREAM;
    }
    uv_read_start((uv_stream_t *)&c->out, child_alloc, child_out);
    uv_read_start((uv_stream_t *)&c->err, child_alloc, child_err);
    *ret = c;
    return ERR_OK;
}
