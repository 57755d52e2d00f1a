/*
 * bench_search [ENTRIES] [FOLDER]: writes a record of so many entries (default 1000000) as a busy gateway would have
 * made, indexes it, and asks. Printed: the rate of indexing, the size, and of each question, 50 results a page, the
 * median and the 99th percentile over many values, and how much of it was work. The last 3,000 entries are not indexed,
 * as with a gateway that runs. FOLDER: where to write, else the folder for temporary files; it takes 1.2 KiB for an
 * entry and is removed.
 */
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/segment.h"
#include "bench.h"
#include "search/follow.h"

enum { SEGMENT_ENTRIES = 65536, TAIL = 3000, AGENTS = 200, USERS = 20000, TOOLS = 300, VOCABULARY = 5000 };
enum { PAGE = 50, ROUNDS = 200, RARE_EVERY = 200000, TURN = 4096, TURNS = 64 * TURN };

static const int64_t epoch = 1767225600000; /* of the first entry; 5 ms between two */
static char folder[512];
static uint64_t entries = 1000000;

/* ---- what a busy gateway writes ---- */

static uint64_t noise_state = 88172645463325252u;
static uint64_t noise(void)
{
    noise_state ^= noise_state << 13;
    noise_state ^= noise_state >> 7;
    noise_state ^= noise_state << 17;
    return noise_state;
}

/* The first of n are asked for most. */
static unsigned often(unsigned n)
{
    double x = (double)(noise() >> 11) / 9007199254740992.0;
    return (unsigned)(x * x * x * n);
}

static void put_note(struct buf *b, uint64_t seq)
{
    buf_z(b, seq % 2 ? "the customer" : "they");
    for (unsigned i = 0; i < 6; i++)
        buf_fmt(b, " w%ux", often(VOCABULARY));
    if (seq % RARE_EVERY == 77)
        buf_z(b, " quetzal");
}

struct call {
    unsigned agent, user, tool, session;
    uint64_t trace, digest, order;
};

static void put_hex(struct buf *b, uint64_t x, unsigned words)
{
    for (unsigned i = 0; i < words; i++)
        buf_fmt(b, "%016llx", (unsigned long long)(x * (2 * i + 1) * 0x9e3779b97f4a7c15u));
}

static void put_entry(struct buf *b, const struct call *c, uint64_t seq, bool result)
{
    char when[CLOCK_RFC3339];
    bool denied = !result && (c->digest >> 8) % 20 == 0, failed = result && (c->digest >> 8) % 33 == 0;
    const char *event = denied ? "TOOL_DENIED" : result ? "TOOL_RESULT" : "TOOL_CALL";
    if (seq % 50000 == 49)
        event = "AGENT_ROTATED";
    clock_format(epoch + (int64_t)seq * 5, when);
    buf_fmt(b, "{\"actor\":null,\"actorType\":\"AI_AGENT\",\"agentId\":\"agent-%04u\",\"agentType\":\"support\"",
            c->agent);
    buf_fmt(b,
            ",\"agentVersion\":\"2.4.1\",\"chain\":[{\"id\":\"user-%05u@example.com\",\"role\":\"user\",\"type\":"
            "\"HUMAN\"}",
            c->user);
    buf_fmt(b, ",{\"id\":\"agent-%04u\",\"role\":\"agent\",\"type\":\"AI_AGENT\"}],\"claims\":null", c->agent);
    buf_fmt(b, ",\"code\":%s,\"context\":null,\"deploymentEnv\":\"production\",\"details\":null,\"digest\":\"",
            denied ? "\"policy_denied\"" : "null");
    put_hex(b, c->digest, 4);
    buf_fmt(b, "\",\"event\":\"%s\",\"intentSeq\":", event);
    if (result)
        buf_u64(b, seq - 1);
    else
        buf_z(b, "null");
    buf_fmt(b, ",\"large\":null,\"latencyMs\":%s,\"method\":\"tools/call\",\"parameters\":", result ? "12.5" : "null");
    if (!result) {
        buf_fmt(b, "{\"amount\":%u,\"note\":\"", (unsigned)(c->order % 500));
        put_note(b, seq);
        buf_fmt(b, "\",\"orderId\":\"ORD-%08X\"}", (unsigned)c->order);
    } else
        buf_z(b, "null");
    buf_fmt(b, ",\"parentSpanId\":\"%016llx\",\"policyDecision\":", (unsigned long long)c->trace * 7);
    if (!result)
        buf_fmt(b, "{\"allowed\":%s,\"policies\":[\"p1\"],\"reason\":%s,\"shadow\":null,\"stage\":%s}",
                denied ? "false" : "true", denied ? "\"policy desk-limits forbids it\"" : "null",
                denied ? "\"policy\"" : "null");
    else
        buf_z(b, "null");
    buf_fmt(b, ",\"policyVersion\":\"");
    put_hex(b, 42, 4);
    buf_fmt(b, "\",\"reasoning\":null,\"result\":%s,\"resultBytes\":null,\"resultDigest\":null,\"sealed\":null",
            denied    ? "\"denied\""
            : !result ? "null"
            : failed  ? "\"failure\""
                      : "\"success\"");
    buf_fmt(b, ",\"seq\":%llu,\"sessionId\":\"sess_01J%023u\",\"spanId\":\"%016llx\",\"timestamp\":\"%s\"",
            (unsigned long long)seq, c->session, (unsigned long long)c->trace * 3, when);
    buf_fmt(b, ",\"toolName\":\"desk-%02u/tool_%03u\",\"traceId\":\"", c->tool % 20, c->tool);
    put_hex(b, c->trace, 2);
    buf_fmt(b, "\",\"triggerSource\":\"user\",\"triggerUserId\":\"user-%05u@example.com\"}", c->user);
}

static void next_call(struct call *c)
{
    *c = (struct call){.agent = often(AGENTS),
                       .tool = often(TOOLS),
                       .session = (unsigned)(noise() % (entries / 40 + 1)),
                       .trace = noise() | 1,
                       .digest = noise() >> 1 | 1,
                       .order = noise() & 0xffffffff};
    c->user = c->session % USERS;
}

static void flush_segment(struct buf *b, uint64_t first)
{
    char path[4096];
    segment_path(folder, first, path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || buf_failed(b))
        bench_die(path, "cannot be written");
    for (size_t done = 0; done < b->n;) {
        ssize_t n = write(fd, b->p + done, b->n - done);
        if (n <= 0)
            bench_die(path, "cannot be written");
        done += (size_t)n;
    }
    close(fd);
    buf_clear(b);
}

static struct call samples[ROUNDS];
static size_t sample_count;

static void write_record(uint64_t from, uint64_t to)
{
    static struct call call;
    struct buf b;
    uint64_t first = from, every = (entries - TAIL) / ROUNDS + 1;
    buf_init(&b, 512u << 20);
    for (uint64_t seq = from; seq <= to; seq++) {
        if (seq == first)
            segment_put_head(&b, first);
        if (seq % 2)
            next_call(&call);
        size_t frame = segment_frame_begin(&b);
        put_entry(&b, &call, seq, seq % 2 == 0);
        segment_frame_end(&b, frame, seq, seq - 1);
        if (seq % every < 2 && seq % 2 && sample_count < ROUNDS)
            samples[sample_count++] = call;
        if (seq == to || seq - first + 1 == SEGMENT_ENTRIES) {
            flush_segment(&b, first);
            first = seq + 1;
        }
    }
    buf_done(&b);
}

/* ---- asking ---- */

static enum err take(void *ctx, uint64_t seq, struct str entry, struct fault *f)
{
    (void)seq;
    (void)entry;
    (void)f;
    ++*(unsigned *)ctx;
    return ERR_OK;
}

static char texts[3][256];

static void fill_agent(struct search_question *q, const struct call *c)
{
    snprintf(texts[0], sizeof(texts[0]), "agent-%04u", c->agent);
    q->agent = str_of(texts[0]);
}

static void fill_session(struct search_question *q, const struct call *c)
{
    snprintf(texts[0], sizeof(texts[0]), "sess_01J%023u", c->session);
    q->session = str_of(texts[0]);
}

static void fill_user(struct search_question *q, const struct call *c)
{
    snprintf(texts[1], sizeof(texts[1]), "user-%05u@example.com", c->user);
    q->user = str_of(texts[1]);
}

static void fill_tool(struct search_question *q, const struct call *c)
{
    snprintf(texts[1], sizeof(texts[1]), "desk-%02u/tool_%03u", c->tool % 20, c->tool);
    q->tool = str_of(texts[1]);
}

static void fill_hex(struct str *to, uint64_t x, unsigned words)
{
    struct buf b;
    buf_init(&b, 256);
    put_hex(&b, x, words);
    memcpy(texts[0], b.p, b.n);
    *to = (struct str){texts[0], b.n};
    buf_done(&b);
}

static void fill_trace(struct search_question *q, const struct call *c)
{
    fill_hex(&q->trace, c->trace, 2);
}

static void fill_digest(struct search_question *q, const struct call *c)
{
    fill_hex(&q->digest, c->digest, 4);
}

static void fill_often(struct search_question *q, const struct call *c)
{
    (void)c;
    q->event = STR("TOOL_DENIED");
}

static void fill_seldom(struct search_question *q, const struct call *c)
{
    (void)c;
    q->event = STR("AGENT_ROTATED");
}

static void fill_denied(struct search_question *q, const struct call *c)
{
    (void)c;
    q->decision = STR("denied");
}

static void fill_time(struct search_question *q, const struct call *c)
{
    q->since = epoch + (int64_t)(c->trace % entries) * 5;
    q->until = q->since + 60000;
}

static void fill_agent_event(struct search_question *q, const struct call *c)
{
    fill_agent(q, c);
    q->event = STR("TOOL_DENIED");
}

static void fill_agent_event_seldom(struct search_question *q, const struct call *c)
{
    fill_agent(q, c);
    q->event = STR("AGENT_ROTATED");
}

static void fill_user_tool(struct search_question *q, const struct call *c)
{
    fill_user(q, c);
    fill_tool(q, c);
}

static void fill_agent_tool_time(struct search_question *q, const struct call *c)
{
    fill_agent(q, c);
    fill_tool(q, c);
    q->since = epoch + (int64_t)(c->trace % entries) * 5;
    q->until = q->since + 3600000;
}

/* Both are half of all entries, and none is both. */
static void fill_contradiction(struct search_question *q, const struct call *c)
{
    (void)c;
    q->event = STR("TOOL_CALL");
    q->decision = STR("success");
}

static void fill_rare(struct search_question *q, const struct call *c)
{
    (void)c;
    q->text = STR("quetzal");
}

static void fill_common(struct search_question *q, const struct call *c)
{
    (void)c;
    q->text = STR("customer");
}

static void fill_order(struct search_question *q, const struct call *c)
{
    snprintf(texts[2], sizeof(texts[2]), "ORD-%08X", (unsigned)c->order);
    q->text = str_of(texts[2]);
}

static void fill_words(struct search_question *q, const struct call *c)
{
    snprintf(texts[2], sizeof(texts[2]), "customer w%ux w%ux", (unsigned)(c->trace % 40), (unsigned)(c->digest % 900));
    q->text = str_of(texts[2]);
}

static void fill_prefix(struct search_question *q, const struct call *c)
{
    snprintf(texts[2], sizeof(texts[2]), "%06X*", (unsigned)(c->order >> 8));
    q->text = str_of(texts[2]);
}

static void fill_phrase(struct search_question *q, const struct call *c)
{
    snprintf(texts[2], sizeof(texts[2]), "\"the customer w%ux\"", (unsigned)(c->trace % 40));
    q->text = str_of(texts[2]);
}

static void fill_agent_text(struct search_question *q, const struct call *c)
{
    fill_agent(q, c);
    snprintf(texts[2], sizeof(texts[2]), "w%ux", (unsigned)(c->trace % 900));
    q->text = str_of(texts[2]);
}

static void fill_page(struct search_question *q, const struct call *c)
{
    fill_agent(q, c);
    q->after = c->trace % entries + 1;
}

static void fill_nothing(struct search_question *q, const struct call *c)
{
    (void)c;
    q->agent = STR("nobody");
}

static const struct {
    const char *name;
    void (*fill)(struct search_question *q, const struct call *c);
} questions[] = {
    {"agent", fill_agent},
    {"session", fill_session},
    {"user", fill_user},
    {"tool", fill_tool},
    {"event, frequent", fill_often},
    {"event, seldom", fill_seldom},
    {"decision", fill_denied},
    {"trace id", fill_trace},
    {"digest", fill_digest},
    {"a minute of time", fill_time},
    {"agent + event", fill_agent_event},
    {"agent + event, seldom", fill_agent_event_seldom},
    {"user + tool", fill_user_tool},
    {"agent + tool + an hour", fill_agent_tool_time},
    {"event + decision, both of half, none", fill_contradiction},
    {"text: a rare word", fill_rare},
    {"text: a common word", fill_common},
    {"text: an order's number", fill_order},
    {"text: three words", fill_words},
    {"text: a phrase", fill_phrase},
    {"text: a prefix", fill_prefix},
    {"agent + text", fill_agent_text},
    {"agent, a page in the middle", fill_page},
    {"an agent that is not there", fill_nothing},
};

/* Without what others on the machine take. */
static double processor_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static void ask(size_t i)
{
    static double took[ROUNDS], worked[ROUNDS];
    unsigned found = 0;
    struct fault f;
    for (size_t k = 0; k < sample_count; k++) {
        struct search_question q = {.limit = PAGE};
        struct search_answer answer;
        questions[i].fill(&q, &samples[k]);
        double busy = processor_ms();
        int64_t from = clock_mono_ns();
        bench_must(search_ask(folder, &q, take, &found, &answer, &f), &f);
        took[k] = (double)(clock_mono_ns() - from) / 1e6;
        worked[k] = processor_ms() - busy;
    }
    bench_sort(took, sample_count);
    bench_sort(worked, sample_count);
    printf("%-38s p50 %7.2f ms   p99 %7.2f ms   of it processor %6.2f, %6.2f   %5.1f found\n", questions[i].name,
           took[sample_count / 2], took[sample_count * 99 / 100], worked[sample_count / 2],
           worked[sample_count * 99 / 100], (double)found / (double)sample_count);
    fflush(stdout);
}

/* ---- all of it ---- */

static uint64_t bytes_below;
static int add_size(const char *path, const struct stat *st, int type, struct FTW *w)
{
    (void)path;
    (void)w;
    bytes_below += type == FTW_F ? (uint64_t)st->st_blocks * 512 : 0;
    return 0;
}

static double megabytes(const char *below)
{
    char path[600];
    snprintf(path, sizeof(path), "%s%s", folder, below);
    bytes_below = 0;
    nftw(path, add_size, 16, FTW_PHYS);
    return (double)bytes_below / 1e6;
}

static int take_away(const char *path, const struct stat *st, int type, struct FTW *w)
{
    (void)st;
    (void)type;
    (void)w;
    return remove(path);
}

static void clear(void)
{
    nftw(folder, take_away, 16, FTW_DEPTH | FTW_PHYS);
}

/* As behind a gateway that runs: the last entries once more, so many at a time. */
static void follow_in_turns(uint64_t upto)
{
    struct follow *w;
    struct fault f;
    uint64_t first = part_first_of(upto), count = upto - first + 1 < TURNS ? upto - first + 1 : TURNS;
    part_remove(folder, first);
    bench_must(follow_open(folder, 8 << 20, false, &w, &f), &f);
    double from = bench_seconds();
    for (uint64_t at = first; at < first + count; at += TURN)
        bench_must(follow_run(w, at + TURN - 1 < upto ? at + TURN - 1 : upto, NULL, NULL, NULL, &f), &f);
    double seconds = bench_seconds() - from;
    printf("in turns of %d: %.0f entries/s\n", TURN, (double)count / seconds);
    bench_must(follow_run(w, upto, NULL, NULL, NULL, &f), &f);
    follow_close(w);
}

int main(int argc, char **argv)
{
    const char *where = argc > 2 ? argv[2] : getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
    struct fault f;
    if (argc > 1)
        entries = strtoull(argv[1], NULL, 10);
    if (entries < 10 * TAIL)
        bench_die("ENTRIES", "must be at least 30000");
    snprintf(folder, sizeof(folder), "%s/doorward-bench-XXXXXX", where);
    if (!mkdtemp(folder))
        bench_die(where, "no folder can be made there");
    atexit(clear);
    uint64_t indexed = (entries - TAIL) / 256 * 256;
    double from = bench_seconds();
    write_record(1, indexed);
    printf("%llu entries written in %.0f s, %.0f MB\n", (unsigned long long)indexed, bench_seconds() - from,
           megabytes(""));
    from = bench_seconds();
    bench_must(index_build(folder, NULL, NULL, &f), &f);
    double seconds = bench_seconds() - from;
    printf("indexed in %.0f s, %.0f entries/s; the index: %.0f MB, %.0f bytes an entry\n", seconds,
           (double)indexed / seconds, megabytes("/index"), megabytes("/index") * 1e6 / (double)indexed);
    follow_in_turns(indexed);
    write_record(indexed + 1, entries);
    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
        ask(i);
    return 0;
}
