/*
 * bench_cedar: the C half of `./dev bench cedar`; bench/cedar.mjs writes what it reads and prints what it finds.
 *
 *   bench_cedar decide DIR     DIR/policies.cedar, entities.json and requests.json: a line of JSON with times in
 *                              nanoseconds and the decisions, "a" and "d", in the order of the requests
 *   bench_cedar entities N     the same for loading N entities from JSON
 */
#include "cedar/cedar.h"
#include "bench.h"

#include <unistd.h>

enum { ROUNDS = 40, REASONS = 64 };
#define MEMORY ((size_t)8 << 30)

static struct str slurp(const char *dir, const char *name, struct arena *a)
{
    struct str path = ARENA_JOIN(a, str_of(dir), STR("/"), str_of(name));
    FILE *f = fopen(path.p, "rb");
    struct buf b;
    buf_init(&b, MEMORY);
    for (size_t n = 1; f && n; b.n += n)
        n = buf_reserve(&b, 1 << 16) ? fread(b.p + b.n, 1, 1 << 16, f) : 0;
    if (!f || buf_failed(&b))
        bench_die(path.p, "cannot be read");
    fclose(f);
    struct str text = arena_buf(a, &b);
    buf_done(&b);
    return text;
}

/* Bytes that are resident. */
static double resident(void)
{
    long pages = 0, kept = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%ld %ld", &pages, &kept) != 2)
        bench_die("/proc/self/statm", "cannot be read");
    fclose(f);
    return (double)kept * (double)sysconf(_SC_PAGESIZE);
}

struct question {
    struct cedar_request request;
    uint32_t context; /* its node */
};
struct bench {
    struct arena arena;
    struct cedar_policies *policies;
    struct cedar_program *program;
    struct cedar_entities *entities;
    struct json j;
    struct question *question;
    uint32_t n;
    double parse_s, compile_s, bytes;
};

static struct cedar_uid uid_of(struct bench *b, uint32_t at)
{
    return cedar_uid(json_str(&b->j, json_get(&b->j, at, STR("type")), &b->arena),
                     json_str(&b->j, json_get(&b->j, at, STR("id")), &b->arena));
}

static void questions(struct bench *b, const char *dir)
{
    struct fault f;
    bench_must(json_parse(&b->j, slurp(dir, "requests.json", &b->arena), &b->arena, NULL, &f), &f);
    b->question = arena_alloc(&b->arena, b->j.node[JSON_ROOT].size * sizeof(*b->question));
    JSON_EACH(&b->j, JSON_ROOT, r)
    {
        struct cedar_value context;
        struct question *q = &b->question[b->n++];
        q->context = json_get(&b->j, r, STR("context"));
        bench_must(cedar_value_read(&b->j, q->context, "context", &b->arena, &context, &f), &f);
        q->request = (struct cedar_request){.principal = uid_of(b, json_get(&b->j, r, STR("principal"))),
                                            .action = uid_of(b, json_get(&b->j, r, STR("action"))),
                                            .resource = uid_of(b, json_get(&b->j, r, STR("resource"))),
                                            .context = context.record,
                                            .world = {.store = b->entities}};
    }
}

static void load(struct bench *b, const char *dir)
{
    struct fault f = {0};
    struct buf faults;
    buf_init(&faults, 1 << 20);
    arena_init(&b->arena, MEMORY);
    struct str text = slurp(dir, "policies.cedar", &b->arena), store = slurp(dir, "entities.json", &b->arena);
    double before = resident(), start = bench_seconds();
    b->policies = cedar_policies_new(MEMORY);
    if (cedar_parse(b->policies, STR("policies.cedar"), text, &faults))
        bench_die("policies.cedar", faults.p);
    b->parse_s = bench_seconds() - start;
    bench_must(cedar_compile(b->policies, &b->program, &f), &f);
    b->compile_s = bench_seconds() - start - b->parse_s;
    b->bytes = resident() - before;
    struct cedar_entities_new *new = cedar_entities_begin(MEMORY);
    bench_must(cedar_entities_read(new, store, NULL, &f), &f);
    bench_must(cedar_entities_done(new, &b->entities, &f), &f);
    questions(b, dir);
    buf_done(&faults);
}

/* One decision, with the context as it stands or read from JSON before. */
static enum cedar_decision ask(struct bench *b, const struct question *q, bool read, struct arena *scratch,
                               struct cedar_answer *answer)
{
    struct fault f = {0};
    struct cedar_request r = q->request;
    struct cedar_value context;
    arena_reset(scratch);
    if (read) {
        bench_must(cedar_value_read(&b->j, q->context, "context", scratch, &context, &f), &f);
        r.context = context.record;
    }
    bench_must(cedar_decide(b->program, &r, scratch, answer), &f);
    return answer->decision;
}

/* Each decision is timed on its own; what the clock itself takes is in it. */
static void decide(struct bench *b, bool read, double *ret_median, double *ret_p99, struct buf *decisions)
{
    const struct cedar_policy *reason[REASONS];
    struct cedar_error error[REASONS];
    struct cedar_answer answer = {.reason = reason, .error = error, .reasons_max = REASONS, .errors_max = REASONS};
    struct arena scratch;
    uint32_t at = 0, total = b->n * ROUNDS;
    double *took = malloc(total * sizeof(*took));
    if (!took)
        bench_die("times", "no memory");
    arena_init(&scratch, 1 << 20);
    for (int round = -1; round < ROUNDS; round++) { /* the first one warms up */
        for (uint32_t i = 0; i < b->n; i++) {
            int64_t start = clock_mono_ns();
            enum cedar_decision d = ask(b, &b->question[i], read, &scratch, &answer);
            int64_t end = clock_mono_ns();
            if (round >= 0)
                took[at++] = (double)(end - start);
            else if (decisions)
                buf_char(decisions, d == CEDAR_ALLOW ? 'a' : 'd');
        }
    }
    bench_sort(took, total);
    *ret_median = took[total / 2];
    *ret_p99 = took[(size_t)total * 99 / 100];
    free(took);
    arena_done(&scratch);
}

static double clock_ns(void)
{
    enum { TIMES = 100000 };
    int64_t start = clock_mono_ns(), end = start;
    for (int i = 0; i < TIMES; i++)
        end = clock_mono_ns();
    return (double)(end - start) / TIMES;
}

static void bench_decide(const char *dir)
{
    struct bench b = {0};
    struct buf decisions;
    double median, p99, read_median, read_p99;
    buf_init(&decisions, 1 << 20);
    load(&b, dir);
    decide(&b, false, &median, &p99, &decisions);
    decide(&b, true, &read_median, &read_p99, NULL);
    printf("{\"median\":%.0f,\"p99\":%.0f,\"read_median\":%.0f,\"read_p99\":%.0f,\"clock\":%.0f,\"parse\":%.0f,"
           "\"compile\":%.0f,\"bytes\":%.0f,\"decisions\":\"" STR_FMT "\"}\n",
           median, p99, read_median, read_p99, clock_ns(), b.parse_s * 1e9, b.compile_s * 1e9, b.bytes,
           STR_ARG(buf_view(&decisions)));
    cedar_program_free(b.program);
    cedar_policies_free(b.policies);
    cedar_entities_free(b.entities);
    arena_done(&b.arena);
    buf_done(&decisions);
}

/* Agents of many teams, and these in departments. */
static void entities_text(uint32_t n, struct buf *b)
{
    buf_char(b, '[');
    for (uint32_t i = 0; i < n; i++) {
        const char *comma = i ? ",\n" : "";
        if (i < n / 100)
            buf_fmt(b,
                    "%s{\"uid\":{\"type\":\"Team\",\"id\":\"team-%u\"},\"attrs\":{},\"parents\":[{\"type\":"
                    "\"Department\",\"id\":\"department-%u\"}]}",
                    comma, i, i % 50);
        else
            buf_fmt(
                b,
                "%s{\"uid\":{\"type\":\"Agent\",\"id\":\"agent-%u\"},\"attrs\":{\"owner\":\"person-%u@example.com\","
                "\"environment\":\"%s\",\"version\":%u,\"since\":{\"__extn\":{\"fn\":\"datetime\",\"arg\":"
                "\"2026-11-%02u\"}}},\"parents\":[{\"type\":\"Team\",\"id\":\"team-%u\"}]}",
                comma, i, i % 5000, i % 3 ? "production" : "staging", i % 40, i % 28 + 1, i % (n / 100 + 1));
    }
    buf_char(b, ']');
}

static void bench_entities(uint32_t n)
{
    struct fault f = {0};
    struct buf text;
    struct cedar_entities *s = NULL;
    buf_init(&text, MEMORY);
    entities_text(n, &text);
    if (buf_failed(&text))
        bench_die("entities", "no memory");
    double before = resident(), start = bench_seconds();
    struct cedar_entities_new *new = cedar_entities_begin(MEMORY);
    bench_must(cedar_entities_read(new, buf_view(&text), NULL, &f), &f);
    bench_must(cedar_entities_done(new, &s, &f), &f);
    printf("{\"load\":%.0f,\"bytes\":%.0f,\"text\":%zu,\"n\":%u}\n", (bench_seconds() - start) * 1e9,
           resident() - before, text.n, cedar_entities_count(s));
    cedar_entities_free(s);
    buf_done(&text);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "decide") == 0)
        bench_decide(argv[2]);
    else if (argc == 3 && strcmp(argv[1], "entities") == 0)
        bench_entities((uint32_t)atol(argv[2]));
    else
        bench_die("usage", "bench_cedar decide DIR | entities N");
    return 0;
}
