/* The command: one loop over the client's lines, the gateway's answers and signals. */
#include "cli/bridge.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

enum { BRIDGE_DRAIN_MS = 1000, BRIDGE_GOODBYE_MS = 500, BRIDGE_ERRANDS_MS = 1000, BRIDGE_READ = 65536 };
enum { BRIDGE_PIECE = 4096 }; /* that much can be written without waiting when poll says that something can */

int64_t bridge_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void bridge_tell(struct bridge *b, const struct fault *f)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, 4096);
    if (strcmp(b->told, f->text) == 0 || b->ending)
        return;
    memcpy(b->told, f->text, sizeof(b->told));
    cli_visible(&text, str_of(f->text), false);
    fprintf(stderr, "doorward: bridge: " STR_FMT "\n", STR_ARG(buf_view(&text)));
    if (f->err != ERR_UNREACHABLE)
        fprintf(stderr, "  %s\n", err_help(f->err));
}

void bridge_well(struct bridge *b)
{
    if (b->told[0] && !b->ending)
        fprintf(stderr, "doorward: bridge: " STR_FMT " answers again\n", STR_ARG(b->url));
    b->told[0] = 0;
}

/* ---- standard input and output ---- */

static void bridge_take(struct bridge *b)
{
    char bytes[BRIDGE_READ];
    ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));
    if (n > 0)
        bridge_read(b, (struct str){bytes, (size_t)n});
    else if (n == 0 || (errno != EINTR && errno != EAGAIN))
        b->eof = true;
}

static void bridge_write(struct bridge *b)
{
    struct pollfd out = {STDOUT_FILENO, POLLOUT, 0};
    while (b->out_at < b->out.n && poll(&out, 1, 0) == 1) {
        size_t left = b->out.n - b->out_at;
        ssize_t n = write(STDOUT_FILENO, b->out.p + b->out_at, left < BRIDGE_PIECE ? left : BRIDGE_PIECE);
        if (n > 0)
            b->out_at += (size_t)n;
        else if (errno != EINTR && errno != EAGAIN)
            b->torn = true;
        if (b->torn)
            break;
    }
    if (b->out_at == b->out.n || b->out_at > BRIDGE_OUT) {
        buf_drop(&b->out, b->out_at);
        b->out_at = 0;
    }
    bridge_calls_resume(b);
}

/* ---- the loop ---- */

static void bridge_over(struct bridge *b)
{
    int left;
    for (CURLMsg *m; (m = curl_multi_info_read(b->multi, &left));) {
        struct bridge_call *call = NULL;
        CURLcode code = m->data.result;
        if (m->msg == CURLMSG_DONE && curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &call) == CURLE_OK)
            bridge_call_over(call, code);
    }
}

static void bridge_errands(struct bridge *b)
{
    for (struct bridge_errand *e; (e = bridge_errands_done(b));) {
        if (e->login)
            bridge_logged_in(b, e);
        bridge_errand_free(e);
    }
}

/* One turn, of at most `ms`. True: a signal wants an end. */
static bool bridge_turn(struct bridge *b, int signals, int64_t ms)
{
    int running;
    struct curl_waitfd fd[3] = {{.fd = signals, .events = CURL_WAIT_POLLIN}};
    unsigned count = 1, in = 0;
    if (!b->eof && b->out.n - b->out_at <= BRIDGE_OUT) { /* one that does not read is not read from */
        in = count;
        fd[count++] = (struct curl_waitfd){.fd = STDIN_FILENO, .events = CURL_WAIT_POLLIN};
    }
    if (b->out.n)
        fd[count++] = (struct curl_waitfd){.fd = STDOUT_FILENO, .events = CURL_WAIT_POLLOUT};
    int64_t patience = bridge_patience(b);
    curl_multi_poll(b->multi, fd, count, (int)(patience < ms ? patience : ms), NULL);
    if (in && fd[in].revents)
        bridge_take(b);
    bridge_sessions_tick(b);
    curl_multi_perform(b->multi, &running);
    bridge_over(b);
    bridge_errands(b);
    bridge_sessions_tick(b);
    bridge_write(b);
    return fd[0].revents != 0;
}

static bool bridge_owes(const struct bridge *b)
{
    for (const struct bridge_call *c = b->calls; c; c = c->next)
        if (!c->listen && c->kind != BRIDGE_STREAM && !c->own)
            return true;
    return b->out.n > 0;
}

/* What the client asked for before it left is still answered, if that does not take long. */
static void bridge_drain(struct bridge *b, int signals)
{
    int64_t until = bridge_now() + BRIDGE_DRAIN_MS;
    for (int64_t left; bridge_owes(b) && (left = until - bridge_now()) > 0 && !b->torn;)
        if (bridge_turn(b, signals, left))
            return;
}

static void bridge_goodbye(struct bridge *b)
{
    struct bridge_session *s = b->current;
    int running = 1;
    int64_t until = bridge_now() + BRIDGE_GOODBYE_MS;
    struct bridge_call *call = s && s->id[0] && !b->deaf ? bridge_call_new(b, BRIDGE_GOODBYE, STR_NONE) : NULL;
    if (call)
        bridge_call_start(call, s);
    for (int64_t left; call && running && (left = until - bridge_now()) > 0;) {
        curl_multi_perform(b->multi, &running);
        if (running)
            curl_multi_poll(b->multi, NULL, 0, (int)left, NULL);
    }
}

static void bridge_end(struct bridge *b)
{
    b->ending = true;
    while (b->calls)
        bridge_call_free(b->calls);
    bridge_goodbye(b);
    bridge_sessions_free(b);
    bool all = bridge_errands_finish(b, BRIDGE_ERRANDS_MS);
    for (struct bridge_errand *e; (e = bridge_errands_done(b));)
        bridge_errand_free(e);
    if (!all) {
        fprintf(stderr, "doorward: bridge: its session stays open until it expires: the gateway does not answer\n");
        _exit(0); /* the errand's thread must not see what an orderly end takes away */
    }
    curl_multi_cleanup(b->multi);
    lines_done(&b->lines);
    buf_done(&b->out);
    buf_done(&b->initialize);
    buf_done(&b->initialized);
    arena_done(&b->scratch);
    arena_done(&b->tools_arena);
}

/* ---- the command ---- */

static enum err bridge_signals(int *ret, struct fault *f)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    signal(SIGPIPE, SIG_IGN);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    *ret = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return *ret >= 0 ? ERR_OK : fault_set(f, ERR_IO, "signals: %s", strerror(errno));
}

static enum err bridge_begin(struct bridge *b, struct fault *f)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
    b->multi = curl_multi_init();
    if (!b->multi)
        return fault_set(f, ERR_NOMEM, "no memory for the bridge");
    curl_multi_setopt(b->multi, CURLMOPT_MAXCONNECTS, 8L);
    lines_init(&b->lines, BRIDGE_LINE);
    buf_init(&b->out, 4u * BRIDGE_MESSAGE);
    buf_init(&b->initialize, BRIDGE_LINE);
    buf_init(&b->initialized, BRIDGE_LINE);
    arena_init(&b->scratch, BRIDGE_ARENA);
    arena_init(&b->tools_arena, BRIDGE_ARENA);
    return bridge_errands_start(b, f);
}

enum err cli_run_bridge(struct cli *c, struct fault *f)
{
    static struct bridge b; /* the errands' thread looks at it until the process is gone */
    const char *agent;
    int signals;
    b.cli = c;
    TRY(cli_need(c, "agent", &agent, f));
    TRY(cli_key_check(c, f));
    TRY(cli_mcp_url(c, &b.url, f));
    TRY(bridge_signals(&signals, f));
    TRY(bridge_begin(&b, f));
    bool told = false;
    while (!b.eof && !b.torn && !told)
        told = bridge_turn(&b, signals, 60000);
    if (!told)
        bridge_drain(&b, signals);
    bridge_end(&b);
    close(signals);
    return ERR_OK;
}
