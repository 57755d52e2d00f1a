#include "audit/segment.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"

enum { SEGMENT_CHUNK = 256 << 10, TIP_SLOT = 512, TIP_BYTES = 52 };

static const char segment_magic[8] = {'D', 'W', 'A', 'U', 'D', 'I', 'T', '1'};

/* ---- CRC-32C (Castagnoli, RFC 3720 appendix B.4), reflected ---- */

static uint32_t crc_table(uint32_t crc, const unsigned char *p, size_t n)
{
    while (n--) {
        crc ^= *p++;
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (0x82f63b78u & -(crc & 1));
    }
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc_sse(uint32_t crc, const unsigned char *p, size_t n)
{
    uint64_t c = crc, word;
    for (; n >= 8; p += 8, n -= 8) {
        memcpy(&word, p, 8);
        c = __builtin_ia32_crc32di(c, word);
    }
    crc = (uint32_t)c;
    while (n--)
        crc = __builtin_ia32_crc32qi(crc, *p++);
    return crc;
}
#endif

static uint32_t crc_add(uint32_t crc, const void *p, size_t n)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2"))
        return ~crc_sse(~crc, p, n);
#endif
    return ~crc_table(~crc, p, n);
}

/* ---- little-endian ---- */

static void put_u32(struct buf *b, uint32_t v)
{
    v = htole32(v);
    buf_put(b, &v, 4);
}

static void put_u64(struct buf *b, uint64_t v)
{
    v = htole64(v);
    buf_put(b, &v, 8);
}

static uint32_t get_u32(const void *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return le32toh(v);
}

static uint64_t get_u64(const void *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return le64toh(v);
}

/* ---- names ---- */

void segment_path(const char *dir, uint64_t first, char ret[4096])
{
    snprintf(ret, 4096, "%s/%020llu.seg", dir, (unsigned long long)first);
}

static int segment_filter(const struct dirent *d)
{
    struct str name = str_of(d->d_name);
    uint64_t n;
    return name.n == 24 && str_ends(name, STR(".seg")) && str_u64((struct str){name.p, 20}, &n);
}

enum err segment_list(const char *dir, struct segment_list *ret, struct fault *f)
{
    struct dirent **names;
    int n = scandir(dir, &names, segment_filter, alphasort);
    if (n < 0)
        return fault_set(f, ERR_IO, "%s: %s", dir, strerror(errno));
    struct segment_list l = {calloc((size_t)n + 1, sizeof(uint64_t)), (size_t)n};
    for (int i = 0; i < n; i++) {
        if (l.first)
            str_u64((struct str){names[i]->d_name, 20}, &l.first[i]);
        free(names[i]);
    }
    free(names);
    if (!l.first)
        return fault_set(f, ERR_NOMEM, "no memory for the list of segments");
    *ret = l;
    return ERR_OK;
}

void segment_list_done(struct segment_list *l)
{
    free(l->first);
    *l = (struct segment_list){0};
}

/* ---- writing ---- */

void segment_put_head(struct buf *b, const struct segment_head *h)
{
    static const char zeros[SEGMENT_HEAD] = {0};
    size_t from = b->n;
    buf_put(b, segment_magic, sizeof(segment_magic));
    put_u64(b, h->first);
    buf_put(b, h->previous, SHA256_BYTES);
    if (!buf_failed(b))
        put_u32(b, crc_add(0, b->p + from, b->n - from));
    if (!buf_failed(b))
        buf_put(b, zeros, SEGMENT_HEAD - (b->n - from));
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
    const uint64_t numbers[2] = {htole64(seq), htole64(flushed)};
    memcpy(head + 8, numbers, sizeof(numbers));
    const uint32_t sums[2] = {htole32((uint32_t)payload), htole32(crc_add(0, head + 8, SEGMENT_FRAME - 8 + payload))};
    memcpy(head, sums, sizeof(sums));
}

/* ---- reading ---- */

/* Makes [at, at + n) of the file available; *ret is NULL when the file ends before. */
static enum err cursor_get(struct segment_cursor *c, off_t at, size_t n, const char **ret, struct fault *f)
{
    if (at < c->chunk_at || at + (off_t)n > c->chunk_at + (off_t)c->chunk.n) {
        size_t want = n > SEGMENT_CHUNK ? n : SEGMENT_CHUNK;
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

static enum err segment_read_head(struct segment_cursor *c, struct segment_head *ret, struct fault *f)
{
    const char *p;
    TRY(cursor_get(c, 0, SEGMENT_HEAD, &p, f));
    if (!p || memcmp(p, segment_magic, sizeof(segment_magic)) != 0 || get_u32(p + 48) != crc_add(0, p, 48) ||
        get_u64(p + 8) != c->first)
        return fault_set(f, ERR_CORRUPT, "segment %020llu: its head is damaged", (unsigned long long)c->first);
    ret->first = c->first;
    memcpy(ret->previous, p + 16, SHA256_BYTES);
    return ERR_OK;
}

enum err segment_open(const char *dir, uint64_t first, struct segment_cursor *ret, struct segment_head *ret_head,
                      struct fault *f)
{
    char path[4096];
    segment_path(dir, first, path);
    struct segment_cursor c = {.fd = open(path, O_RDONLY | O_CLOEXEC), .first = first, .at = SEGMENT_HEAD};
    if (c.fd < 0)
        return fault_set(f, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path, strerror(errno));
    buf_init(&c.chunk, SEGMENT_ENTRY_MAX + SEGMENT_CHUNK);
    enum err e = segment_read_head(&c, ret_head, f);
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

enum err segment_next(struct segment_cursor *c, uint64_t *ret_seq, struct str *ret_payload, struct fault *f)
{
    const char *p;
    TRY(cursor_get(c, c->at, SEGMENT_FRAME, &p, f));
    if (!p || get_u32(p) == 0) {
        c->chunk.n = 0; /* there may be more when we are asked again */
        return fault_set(f, ERR_NOT_FOUND, "the record ends here");
    }
    size_t n = get_u32(p);
    uint32_t crc = get_u32(p + 4);
    uint64_t seq = get_u64(p + 8);
    if (n > SEGMENT_ENTRY_MAX)
        return segment_broken(c, "no entry is that long", f);
    TRY(cursor_get(c, c->at, segment_frame_bytes(n), &p, f));
    if (!p || crc != crc_add(0, p + 8, SEGMENT_FRAME - 8 + n)) {
        c->chunk.n = 0;
        return segment_broken(c, p ? "the check sum does not fit" : "the entry is cut off", f);
    }
    c->at += (off_t)segment_frame_bytes(n);
    *ret_seq = seq;
    *ret_payload = (struct str){p + SEGMENT_FRAME, n};
    return ERR_OK;
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
    if (!p || get_u32(p) > SEGMENT_ENTRY_MAX || memcmp(p + SEGMENT_FRAME, opening, sizeof(opening) - 1) != 0)
        return ERR_OK;
    size_t n = get_u32(p);
    TRY(cursor_get(c, at, segment_frame_bytes(n), &p, f));
    if (p && get_u32(p + 4) == crc_add(0, p + 8, SEGMENT_FRAME - 8 + n)) {
        *ret_seq = get_u64(p + 8);
        *ret_flushed = get_u64(p + 16);
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

/* ---- the chain ---- */

enum err segment_chain(struct str payload, uint64_t seq, unsigned char hash[SHA256_BYTES], struct arena *a,
                       struct fault *f)
{
    struct json j;
    char previous[2 * SHA256_BYTES + 1];
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
    enc_hex(hash, SHA256_BYTES, previous);
    if (!json_str_is(&j, json_get(&j, JSON_ROOT, STR("previousHash")), str_of(previous)))
        return fault_set(f, ERR_CORRUPT, "entry %llu: does not follow the entry before it", (unsigned long long)seq);
    enc_sha256(payload.p, payload.n, hash);
    return ERR_OK;
}

/* ---- the tip ---- */

enum err segment_tip_read(const char *dir, struct segment_tip *ret, unsigned *ret_slot, struct fault *f)
{
    char path[4096];
    unsigned char bytes[2 * TIP_SLOT] = {0};
    snprintf(path, sizeof(path), "%s/tip", dir);
    *ret = (struct segment_tip){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return ERR_OK;
    ssize_t n = fd < 0 ? -1 : pread(fd, bytes, sizeof(bytes), 0);
    if (fd >= 0)
        close(fd);
    if (n < 0)
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    for (unsigned i = 0; i < 2; i++) {
        const unsigned char *p = bytes + i * TIP_SLOT;
        if (memcmp(p, segment_magic, 8) != 0 || get_u32(p + 48) != crc_add(0, p, 48) || get_u64(p + 8) < ret->seq)
            continue;
        ret->seq = get_u64(p + 8);
        memcpy(ret->hash, p + 16, SHA256_BYTES);
        if (ret_slot)
            *ret_slot = i;
    }
    return n > 0 && ret->seq == 0 ? fault_set(f, ERR_CORRUPT, "%s: is damaged", path) : ERR_OK;
}

enum err segment_tip_write(int fd, const struct segment_tip *tip, unsigned slot, struct fault *f)
{
    unsigned char bytes[TIP_BYTES];
    uint64_t seq = htole64(tip->seq);
    memcpy(bytes, segment_magic, 8);
    memcpy(bytes + 8, &seq, 8);
    memcpy(bytes + 16, tip->hash, SHA256_BYTES);
    uint32_t crc = htole32(crc_add(0, bytes, 48));
    memcpy(bytes + 48, &crc, 4);
    if (pwrite(fd, bytes, TIP_BYTES, (off_t)(slot & 1) * TIP_SLOT) != TIP_BYTES || fdatasync(fd) < 0)
        return fault_set(f, ERR_AUDIT, "the record's tip cannot be written: %s", strerror(errno));
    return ERR_OK;
}
