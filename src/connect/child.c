#include "connect/child.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "box/box.h"

enum {
    CHILD_STEP_MS = 1000,
    CHILD_KILL_MS = 250,
    CHILD_LAST_MS = 200,
    CHILD_QUEUE_BYTES = 16 << 20,
    CHILD_STDERR_LINE = 8192,
    CHILD_READ = 65536
};

#define CHILD_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* ---- the end ---- */

static void child_clear(uv_work_t *w)
{
    const struct child *c = w->data;
    box_tmp_remove(c->tmp);
}

static void child_cleared(uv_work_t *w, int status)
{
    struct child *c = w->data;
    (void)status;
    atomic_fetch_sub(&c->upstream->children, 1);
    upstream_unref(c->upstream);
    free(c);
}

static void child_freed(uv_handle_t *h)
{
    struct child *c = h->data;
    if (--c->handles)
        return;
    c->ended(c, c->how);
    lines_done(&c->out_lines);
    lines_done(&c->err_lines);
    c->clearing.data = c;
    if (!c->tmp[0] || uv_queue_work(&c->upstream->connect->workers[0].loop, &c->clearing, child_clear, child_cleared))
        child_cleared(&c->clearing, 0);
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
    if (c->pid) {
        child_close_handle(c, (uv_handle_t *)&c->end);
        close(c->handle);
        c->handle = -1;
    }
    child_close_handle(c, (uv_handle_t *)&c->in);
    child_close_handle(c, (uv_handle_t *)&c->out);
    child_close_handle(c, (uv_handle_t *)&c->err);
    child_close_handle(c, (uv_handle_t *)&c->timer);
}

static void child_late(uv_timer_t *t)
{
    child_close(t->data);
}

static void child_exit(uv_poll_t *p, int status, int events)
{
    struct child *c = p->data;
    int how = 0;
    (void)status, (void)events;
    if (waitpid(c->pid, &how, WNOHANG) != c->pid)
        return;
    uv_poll_stop(p);
    c->exited = true;
    c->state = CHILD_CLOSING;
    kill(-c->pid, SIGKILL);             /* what it left behind in its group */
    if (!c->how[0] && WIFSIGNALED(how)) /* otherwise we ended it, and said why */
        snprintf(c->how, sizeof(c->how), "its process was ended by signal %d", WTERMSIG(how));
    else if (!c->how[0])
        snprintf(c->how, sizeof(c->how), "its process ended with status %d", WEXITSTATUS(how));
    bool talks = uv_is_active((uv_handle_t *)&c->out); /* its last words may still be in the pipe */
    uv_timer_start(&c->timer, child_late, talks ? CHILD_LAST_MS : 0, 0);
}

/* Between the steps. Who is killed is to be silent soon. */
static unsigned child_step_ms(const struct child *c)
{
    return c->killed ? CHILD_KILL_MS : CHILD_STEP_MS;
}

static void child_next_step(uv_timer_t *t)
{
    struct child *c = t->data;
    if (c->exited)
        return;
    kill(-c->pid, c->step++ == 0 ? SIGTERM : SIGKILL);
    uv_timer_start(t, child_next_step, child_step_ms(c), 0);
}

static void child_wind_down(struct child *c)
{
    if (c->state == CHILD_CLOSING)
        return;
    c->state = CHILD_CLOSING;
    child_close_handle(c, (uv_handle_t *)&c->in);
    uv_timer_start(&c->timer, child_next_step, child_step_ms(c), 0);
}

void child_kill(struct child *c)
{
    bool slowly = c->state == CHILD_CLOSING && !c->exited && !c->killed;
    c->killed = true;
    if (slowly && !uv_is_closing((uv_handle_t *)&c->timer))
        uv_timer_start(&c->timer, child_next_step, child_step_ms(c), 0);
    child_stop(c);
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
        kill(-c->pid, SIGKILL);
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
    if (!message.n) /* it could not be written */
        return false;
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

/* A variable that the program has unless the configuration gives it another one. */
struct child_variable {
    const char *name, *value;
    bool given;
};

static char *child_put(char *at, struct str name, struct str value)
{
    memcpy(at, name.p, name.n);
    at[name.n] = '=';
    memcpy(at + name.n + 1, value.p, value.n);
    at[name.n + 1 + value.n] = 0;
    return at + name.n + value.n + 2;
}

/* NAME=value for each, in secret memory; NULL-ended. */
static struct secret *child_environment(const struct conf_pairs *env, struct child_variable *own, size_t own_count,
                                        const char ***ret)
{
    size_t bytes = 0, n = env->n + own_count + 1;
    unsigned char *at;
    for (size_t i = 0; i < own_count; i++)
        bytes += strlen(own[i].name) + strlen(own[i].value) + 2;
    for (size_t i = 0; i < env->n; i++)
        bytes += env->v[i].name.n + secret_len(env->v[i].value) + 2;
    size_t whole = (n * sizeof(char *) + bytes + 15) / 16 * 16; /* secret memory is aligned from its end */
    struct secret *s = secret_alloc(whole, &at);
    if (!s)
        return NULL;
    const char **list = (const char **)(void *)at;
    char *text = (char *)at + n * sizeof(char *);
    size_t k = 0;
    for (size_t i = 0; i < env->n; i++) {
        struct str value = {(const char *)secret_bytes(env->v[i].value), secret_len(env->v[i].value)};
        for (size_t o = 0; o < own_count; o++)
            own[o].given |= str_is(env->v[i].name, own[o].name);
        list[k++] = text;
        text = child_put(text, env->v[i].name, value);
    }
    for (size_t o = 0; o < own_count; o++) {
        if (own[o].given)
            continue;
        list[k++] = text;
        text = child_put(text, str_of(own[o].name), str_of(own[o].value));
    }
    list[k] = NULL;
    *ret = list;
    return s;
}

static enum err child_run(struct child *c, const char *const *args, const char *const *env, struct box_process *ret,
                          struct fault *f)
{
    const struct conf_server *s = c->upstream->server;
    const struct conf *conf = c->upstream->conf;
    const struct box_plan plan = {
        .args = args,
        .env = env,
        .cwd = s->cwd.n ? s->cwd.p : NULL,
        .limits = {s->limits.memory, s->limits.open_files, s->limits.processes, (s->limits.cpu + 999) / 1000},
        .boxed = s->sandbox != CONF_SANDBOX_OFF,
        .network = s->network,
        .read = s->read.v,
        .write = s->write.v,
        .read_count = s->read.n,
        .write_count = s->write.n,
        .tmp = c->tmp,
        .keep = {conf->root.data_dir.p, conf->file.p},
    };
    return box_start(&plan, ret, f);
}

static enum err child_spawn(struct child *c, struct box_process *ret, struct fault *f)
{
    const struct conf_server *s = c->upstream->server;
    bool boxed = s->sandbox != CONF_SANDBOX_OFF;
    const char **env = NULL, **args = calloc(s->command.n + 1, sizeof(char *));
    struct secret *secret = NULL;
    enum err e = args ? ERR_OK : fault_set(f, ERR_NOMEM, "no memory for a process");
    if (!e && boxed)
        e = box_tmp_make(c->upstream->conf->root.data_dir.p, s->name, c->tmp, sizeof(c->tmp), f);
    struct child_variable own[] = {{"PATH", CHILD_PATH, false}, {"TMPDIR", c->tmp, false}, {"HOME", c->tmp, false}};
    if (!e && !(secret = child_environment(&s->env, own, boxed ? 3 : 1, &env)))
        e = fault_set(f, ERR_NOMEM, "no memory for a process");
    for (size_t i = 0; !e && i < s->command.n; i++)
        args[i] = s->command.v[i].p;
    e = e ? e : child_run(c, args, env, ret, f);
    secret_free(secret);
    free(args);
    return e;
}

static int child_pipe(uv_pipe_t *pipe, int fd)
{
    int e = uv_pipe_open(pipe, fd);
    if (e)
        close(fd);
    return e;
}

/* Its pipes and its end are watched from now on. */
static enum err child_adopt(struct child *c, const struct box_process *p, struct fault *f)
{
    int in = child_pipe(&c->in, p->in), out = child_pipe(&c->out, p->out), err = child_pipe(&c->err, p->err);
    int e = uv_poll_init(&c->upstream->connect->workers[0].loop, &c->end, p->handle);
    if (!e) {
        c->pid = p->pid;
        c->handle = p->handle;
        c->handles++;
        e = uv_poll_start(&c->end, UV_READABLE, child_exit);
    }
    e = in ? in : out ? out : err ? err : e;
    if (!e)
        return ERR_OK;
    kill(-p->pid, SIGKILL);
    waitpid(p->pid, NULL, 0);
    if (!c->pid)
        close(p->handle);
    return fault_set(f, ERR_UPSTREAM, "its process cannot be watched: %s", uv_strerror(e));
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
    c->end.data = c->in.data = c->out.data = c->err.data = c->timer.data = c;
    c->handles = 4; /* and its end, once it runs */
    atomic_fetch_add(&u->children, 1);
    struct box_process p;
    enum err e = child_spawn(c, &p, f);
    e = e ? e : child_adopt(c, &p, f);
    if (e) {
        c->state = CHILD_CLOSING;
        child_close(c);
        return e;
    }
    uv_read_start((uv_stream_t *)&c->out, child_alloc, child_out);
    uv_read_start((uv_stream_t *)&c->err, child_alloc, child_err);
    *ret = c;
    return ERR_OK;
}
