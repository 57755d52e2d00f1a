#include "audit/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crc.h"
#include "base/file.h"
#include "base/le.h"

enum { SEGMENT_CHUNK = 256 << 10, SEGMENT_JUMP = 16 << 10, SEGMENT_HEAD_SUM = 16 };

static const char segment_magic[8] = {'D', 'W', 'A', 'U', 'D', 'I', 'T', '2'};

/* ---- names ---- */

void segment_path(const char *dir, uint64_t first, char ret[4096])
{
    snprintf(ret, 4096, "%s/%020llu.seg", dir, (unsigned long long)first);
}

enum err segment_list(const char *dir, struct segment_list *ret, struct fault *f)
{
    return file_numbers(dir, ".seg", &ret->first, &ret->count)
               ? ERR_OK
               : fault_set(f, errno == ENOMEM ? ERR_NOMEM : ERR_IO, "%s: %s", dir, strerror(errno));
}

void segment_list_done(struct segment_list *l)
{
    free(l->first);
    *l = (struct segment_list){0};
}

/* ---- writing ---- */

void segment_put_head(struct buf *b, uint64_t first)
{
    char head[SEGMENT_HEAD] = {0};
    memcpy(head, segment_magic, sizeof(segment_magic));
    le64_put(head + 8, first);
    le32_put(head + SEGMENT_HEAD_SUM, crc32c(0, head, SEGMENT_HEAD_SUM));
    buf_put(b, head, sizeof(head));
}

static size_t segment_frame_bytes(size_t payload)
{
    return (SEGMENT_FRAME + payload + 7) / 8 * 8;
}

size_t segment_frame_begin(struct buf *b)
{
    static const char zeros[SEGMENT_FRAME] = {0};
    buf_put(b, zeros, SEGMENT_FRAME);
    return b->n - SEGMENT_FRAME;
}

void segment_frame_end(struct buf *b, size_t frame, uint64_t seq, uint64_t flushed)
{
    if (buf_failed(b))
        return;
    size_t payload = b->n - frame - SEGMENT_FRAME;
    buf_put(b, "\0\0\0\0\0\0\0", segment_frame_bytes(payload) - SEGMENT_FRAME - payload);
    if (buf_failed(b))
        return;
    char *head = b->p + frame;
    le32_put(head, (uint32_t)payload);
    le64_put(head + 8, seq);
    le64_put(head + 16, flushed);
    le32_put(head + 4, crc32c(0, head + 8, SEGMENT_FRAME - 8 + payload));
}

/* ---- reading ---- */

/* Makes [at, at + n) of the file available; *ret is NULL when the file ends before. */
static enum err cursor_get(struct segment_cursor *c, off_t at, size_t n, const char **ret, struct fault *f)
{
    if (at < c->chunk_at || at + (off_t)n > c->chunk_at + (off_t)c->chunk.n) {
        /* Who goes on reads ahead; who comes for one entry does not want the next thousand. */
        bool onward = c->chunk.n && at > c->chunk_at && at <= c->chunk_at + (off_t)c->chunk.n;
        size_t ahead = onward ? SEGMENT_CHUNK : SEGMENT_JUMP, want = n > ahead ? n : ahead;
        buf_clear(&c->chunk);
        if (!buf_reserve(&c->chunk, want))
            return fault_set(f, ERR_NOMEM, "no memory to read the record");
        c->chunk_at = at;
        while (c->chunk.n < want) {
            ssize_t k = pread(c->fd, c->chunk.p + c->chunk.n, want - c->chunk.n, at + (off_t)c->chunk.n);
            if (k < 0 && errno != EINTR)
                return fault_set(f, ERR_IO, "cannot read the record: %s", strerror(errno));
            if (k == 0)
                break;
            c->chunk.n += k > 0 ? (size_t)k : 0;
        }
    }
    *ret = at + (off_t)n <= c->chunk_at + (off_t)c->chunk.n ? c->chunk.p + (at - c->chunk_at) : NULL;
    return ERR_OK;
}

static enum err segment_read_head(struct segment_cursor *c, struct fault *f)
{
    static const char zeros[SEGMENT_HEAD] = {0};
    const char *p;
    TRY(cursor_get(c, 0, SEGMENT_HEAD, &p, f));
    if (p && memcmp(p, "DWAUDIT1", sizeof(segment_magic)) == 0)
        return fault_set(f, ERR_CORRUPT,
                         "segment %020llu: was written by a Doorward before 0.1, whose record had no "
                         "tree: keep it elsewhere and begin a new one",
                         (unsigned long long)c->first);
    if (!p || memcmp(p, segment_magic, sizeof(segment_magic)) != 0 ||
        le32_get(p + SEGMENT_HEAD_SUM) != crc32c(0, p, SEGMENT_HEAD_SUM) || le64_get(p + 8) != c->first ||
        memcmp(p + SEGMENT_HEAD_SUM + 4, zeros, SEGMENT_HEAD - SEGMENT_HEAD_SUM - 4) != 0)
        return fault_set(f, ERR_CORRUPT, "segment %020llu: its head is damaged", (unsigned long long)c->first);
    return ERR_OK;
}

enum err segment_open(const char *dir, uint64_t first, struct segment_cursor *ret, struct fault *f)
{
    char path[4096];
    segment_path(dir, first, path);
    struct segment_cursor c = {.fd = open(path, O_RDONLY | O_CLOEXEC), .first = first, .at = SEGMENT_HEAD};
    if (c.fd < 0)
        return fault_set(f, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path, strerror(errno));
    buf_init(&c.chunk, SEGMENT_ENTRY_MAX + SEGMENT_CHUNK);
    enum err e = segment_read_head(&c, f);
    if (e) {
        segment_close(&c);
        return e;
    }
    *ret = c;
    return ERR_OK;
}

void segment_close(struct segment_cursor *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    buf_done(&c->chunk);
}

static enum err segment_broken(const struct segment_cursor *c, const char *what, struct fault *f)
{
    return fault_set(f, ERR_CORRUPT, "segment %020llu, offset %lld: %s", (unsigned long long)c->first, (long long)c->at,
                     what);
}

/* The frame at c->at, of what was read. */
static enum err segment_frame(struct segment_cursor *c, uint64_t *ret_seq, struct str *ret_payload, struct fault *f)
{
    static const char zeros[8] = {0};
    const char *p;
    TRY(cursor_get(c, c->at, SEGMENT_FRAME, &p, f));
    if (!p || le32_get(p) == 0)
        return fault_set(f, ERR_NOT_FOUND, "the record ends here");
    size_t n = le32_get(p);
    if (n > SEGMENT_ENTRY_MAX)
        return segment_broken(c, "no entry is that long", f);
    TRY(cursor_get(c, c->at, segment_frame_bytes(n), &p, f));
    if (!p)
        return segment_broken(c, "the entry is cut off", f);
    if (le32_get(p) != n || le32_get(p + 4) != crc32c(0, p + 8, SEGMENT_FRAME - 8 + n) ||
        memcmp(p + SEGMENT_FRAME + n, zeros, segment_frame_bytes(n) - SEGMENT_FRAME - n) != 0)
        return segment_broken(c, "the check sum does not fit", f);
    c->at += (off_t)segment_frame_bytes(n);
    *ret_seq = le64_get(p + 8);
    *ret_payload = (struct str){p + SEGMENT_FRAME, n};
    return ERR_OK;
}

enum err segment_next(struct segment_cursor *c, uint64_t *ret_seq, struct str *ret_payload, struct fault *f)
{
    bool ahead = c->chunk.n; /* what was read before may be older than what is there now */
    enum err e = segment_frame(c, ret_seq, ret_payload, f);
    if (e && ahead) {
        c->chunk.n = 0;
        e = segment_frame(c, ret_seq, ret_payload, f);
    }
    if (e)
        c->chunk.n = 0;
    return e;
}

enum err segment_rest(struct segment_cursor *c, uint64_t *ret, struct fault *f)
{
    struct stat st;
    if (fstat(c->fd, &st) < 0)
        return fault_set(f, ERR_IO, "cannot read the record: %s", strerror(errno));
    uint64_t last = 0;
    for (off_t at = c->at; at < st.st_size;) {
        const char *p;
        size_t n = st.st_size - at < SEGMENT_CHUNK ? (size_t)(st.st_size - at) : SEGMENT_CHUNK;
        TRY(cursor_get(c, at, n, &p, f));
        if (!p)
            break;
        for (size_t i = n; i > 0; i--)
            if (p[i - 1]) {
                last = (uint64_t)(at - c->at) + i;
                break;
            }
        at += (off_t)n;
    }
    *ret = last;
    return ERR_OK;
}

/* Frames begin at multiples of eight, and what they hold begins like an entry: little is tried in vain. */
static enum err segment_look(struct segment_cursor *c, off_t at, uint64_t *ret_seq, uint64_t *ret_flushed,
                             struct fault *f)
{
    static const char opening[] = "{\"actor\":";
    const char *p;
    *ret_seq = 0;
    TRY(cursor_get(c, at, SEGMENT_FRAME + sizeof(opening) - 1, &p, f));
    if (!p || le32_get(p) > SEGMENT_ENTRY_MAX || memcmp(p + SEGMENT_FRAME, opening, sizeof(opening) - 1) != 0)
        return ERR_OK;
    size_t n = le32_get(p);
    TRY(cursor_get(c, at, segment_frame_bytes(n), &p, f));
    if (p && le32_get(p + 4) == crc32c(0, p + 8, SEGMENT_FRAME - 8 + n)) {
        *ret_seq = le64_get(p + 8);
        *ret_flushed = le64_get(p + 16);
    }
    return ERR_OK;
}

enum err segment_promised(struct segment_cursor *c, uint64_t seq, uint64_t *ret_seq, struct fault *f)
{
    uint64_t rest, found, flushed;
    TRY(segment_rest(c, &rest, f));
    *ret_seq = 0;
    for (off_t at = c->at + 8; at < c->at + (off_t)rest; at += 8) {
        TRY(segment_look(c, at, &found, &flushed, f));
        if (found && flushed >= seq) {
            *ret_seq = found;
            break;
        }
    }
    c->chunk.n = 0;
    return ERR_OK;
}

/* ---- entries ---- */

enum err segment_leaf(struct str payload, uint64_t seq, struct arena *a, struct tlog_hash *ret, struct fault *f)
{
    struct json j;
    int64_t number = -1;
    /* An entry is a request's arguments and a little more: whatever could be a request must be readable here. */
    static const struct json_limits limits = {.depth = 2 * JSON_DEPTH, .nodes = 2 * JSON_NODES};
    enum err e = json_parse(&j, payload, a, &limits, NULL);
    if (e == ERR_NOMEM)
        return fault_set(f, e, "no memory to read entry %llu", (unsigned long long)seq);
    if (e)
        return fault_set(f, ERR_CORRUPT, "entry %llu: is not JSON", (unsigned long long)seq);
    if (!json_i64(&j, json_get(&j, JSON_ROOT, STR("seq")), &number) || (uint64_t)number != seq)
        return fault_set(f, ERR_CORRUPT, "entry %llu: carries another number", (unsigned long long)seq);
    tlog_leaf(payload, ret);
    return ERR_OK;
}

uint64_t segment_of(const struct segment_list *l, uint64_t seq)
{
    uint64_t found = l->count ? l->first[0] : 0;
    for (size_t i = 0; i < l->count && l->first[i] <= seq; i++)
        found = l->first[i];
    return found;
}

enum err segment_time(const char *dir, uint64_t first, int64_t *ret, struct fault *f)
{
    static const struct json_limits deep = {.depth = 1024};
    struct segment_cursor c;
    struct str payload;
    struct arena a;
    struct json j;
    uint64_t seq;
    TRY(segment_open(dir, first, &c, f));
    enum err e = segment_next(&c, &seq, &payload, f);
    arena_init(&a, 512u << 20);
    if (!e && (json_parse(&j, payload, &a, &deep, f) ||
               clock_parse(json_str(&j, json_get(&j, JSON_ROOT, STR("timestamp")), &a), ret)))
        e = fault_set(f, ERR_NOT_FOUND, "entry %llu does not say when it was written", (unsigned long long)seq);
    arena_done(&a);
    segment_close(&c);
    return e;
}
