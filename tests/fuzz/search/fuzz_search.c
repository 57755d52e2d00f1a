/*
 * The text of a question, from anybody: never an error of the database, always the same answer with an index and
 * without one. A word of the text is found in the text itself.
 */
#include <fcntl.h>
#include <ftw.h>
#include <unistd.h>

#include "../fuzz.h"
#include "audit/segment.h"
#include "search/search.h"
#include "search/words.h"

enum { ENTRIES = 40, FOUND = 64 };

static char with[] = "/tmp/doorward-fuzz-XXXXXX", without[] = "/tmp/doorward-fuzz-XXXXXX";

static int take_away(const char *path, const struct stat *st, int type, struct FTW *w)
{
    (void)st;
    (void)type;
    (void)w;
    return remove(path);
}

static void clear(void)
{
    nftw(with, take_away, 8, FTW_DEPTH | FTW_PHYS);
    nftw(without, take_away, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *const notes[] = {"the second parcel", "a AND b OR c NOT d NEAR e", "ORD-77 key:val^2 100% (x)",
                                    "Grüße, ПРИВЕТ, 東京都", "a\\\"b\\\\c\\nd"};

static void make(const char *dir)
{
    char path[4096];
    struct buf b;
    buf_init(&b, 1u << 20);
    segment_put_head(&b, 1);
    for (uint64_t seq = 1; seq <= ENTRIES; seq++) {
        size_t frame = segment_frame_begin(&b);
        buf_fmt(&b, "{\"agentId\":\"a%llu\",\"event\":\"TOOL_CALL\",\"parameters\":{\"note\":\"%s\"},\"seq\":%llu}",
                (unsigned long long)seq % 3, notes[seq % 5], (unsigned long long)seq);
        segment_frame_end(&b, frame, seq, seq - 1);
    }
    segment_path(dir, 1, path);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    CHECK(fd >= 0 && write(fd, b.p, b.n) == (ssize_t)b.n);
    close(fd);
    buf_done(&b);
}

static void begin(void)
{
    static bool begun;
    struct fault f;
    if (begun)
        return;
    begun = true;
    CHECK(mkdtemp(with) && mkdtemp(without));
    atexit(clear);
    make(with);
    make(without);
    CHECK(index_build(with, NULL, NULL, &f) == ERR_OK);
}

struct found {
    uint64_t seq[FOUND];
    size_t n;
};

static enum err take(void *ctx, uint64_t seq, struct str entry, struct fault *f)
{
    struct found *r = ctx;
    (void)entry;
    (void)f;
    CHECK(r->n < FOUND);
    r->seq[r->n++] = seq;
    return ERR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct str text = {(const char *)p, n};
    struct found a = {.n = 0}, b = {.n = 0};
    struct search_answer answer;
    struct fault f = {0};
    static struct wanted w;
    begin();
    struct search_question q = {.text = text, .limit = ENTRIES};
    enum err e = search_ask(with, &q, take, &a, &answer, &f);
    CHECK(e == ERR_OK || e == ERR_PARAMS);
    words_checked(e, &f);
    CHECK(search_ask(without, &q, take, &b, &answer, &f) == e);
    CHECK(a.n == b.n && memcmp(a.seq, b.seq, a.n * sizeof(a.seq[0])) == 0);
    if (wanted_read(text, &w) && !memchr(p, '"', n) && !memchr(p, '*', n)) {
        struct wanted_seen seen = {.w = &w};
        wanted_look(&seen, text, false);
        CHECK(wanted_found(&seen));
    }
    return 0;
}
