/* bench_echo PORT: the HTTP server of the house with nothing behind it: one worker, one fixed answer. For
 * tests/bench/echo.py. */
#include "bench.h"
#include "net/server.h"

static void serve(struct exchange *x)
{
    exchange_answer(x, 200, STR("application/json"), NULL, 0, STR("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}"));
}

int main(int argc, char **argv)
{
    static const struct server_ops ops = {.request = serve};
    struct worker w;
    struct server *s;
    struct fault f;
    char address[64];
    if (argc != 2) {
        fprintf(stderr, "usage: bench_echo PORT\n");
        return 2;
    }
    snprintf(address, sizeof(address), "127.0.0.1:%s", argv[1]);
    if (worker_init(&w, 0, &f) || server_listen(&w, str_of(address), NULL, &ops, NULL, &s, &f))
        bench_die(address, f.text);
    worker_run(&w);
    return 0;
}
