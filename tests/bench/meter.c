/*
 * bench_meter: what counting costs on the hot path, in nanoseconds, and beside it an atomic addition to a number that
 * two threads share, which is what it is there to avoid. The median of the rounds.
 */
#include <pthread.h>
#include <time.h>

#include "access/access.h"
#include "bench.h"
#include "meter/meter.h"

enum { ROUNDS = 11, TIMES = 200000 };

static _Atomic int64_t shared;

static void count_own(void)
{
    meter_add(METER_ALLOWED, 1);
}

static void count_time(void)
{
    meter_observe(METER_CALL_SECONDS, 400000); /* a usual call */
}

static void count_shared(void)
{
    atomic_fetch_add(&shared, 1);
}

static struct access *log_of_access;

static void write_line(void)
{
    static const struct exchange x = {.head = {.method = {"POST", 4}, .path = {"/mcp", 4}},
                                      .status = 200,
                                      .sent = 389,
                                      .peer = {.ss_family = AF_INET},
                                      .note = {.face = "mcp",
                                               .effect = "allow",
                                               .agent = {"support-1", 9},
                                               .session = {"sess_01M8AEFG4W2S59GFVB1N5DS15E", 31},
                                               .method = {"tools/call", 10},
                                               .tool = {"desk/search_faq", 15},
                                               .trace = {"0af7651916cd43dd8448eb211c80319c", 32}}};
    access_note(log_of_access, &x, NULL);
}

static void look_at_clock(void)
{
    static _Thread_local volatile int64_t now;
    now = clock_mono_ns();
    (void)now;
}

/* Processor time: what others do meanwhile does not count. */
static double thread_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *turns(void *what)
{
    void (*step)(void) = *(void (**)(void))what;
    double *took = malloc(sizeof(*took));
    double from = thread_seconds();
    for (int i = 0; i < TIMES; i++)
        step();
    *took = (thread_seconds() - from) * 1e9 / TIMES;
    return took;
}

static double in_two_threads(void (*step)(void))
{
    double rounds[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        pthread_t t[2];
        void *a, *b;
        for (int k = 0; k < 2; k++)
            if (pthread_create(&t[k], NULL, turns, &step))
                bench_die("meter", "no thread");
        pthread_join(t[0], &a);
        pthread_join(t[1], &b);
        rounds[i] = (*(double *)a + *(double *)b) / 2;
        free(a);
        free(b);
    }
    return bench_median(rounds, ROUNDS);
}

int main(void)
{
    struct fault f;
    printf("two threads, ns of processor time for each:\n");
    printf("  a counter            %6.2f\n", in_two_threads(count_own));
    printf("  a time in histogram  %6.2f\n", in_two_threads(count_time));
    printf("  a look at the clock  %6.2f\n", in_two_threads(look_at_clock));
    printf("  a shared atomic      %6.2f\n", in_two_threads(count_shared));
    bench_must(access_open(STR("/dev/null"), &log_of_access, &f), &f);
    printf("  a line of the access log %.0f\n", in_two_threads(write_line));
    access_close(log_of_access);
    return 0;
}
