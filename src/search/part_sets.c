/* What stands in the file: sets, blocks. Both in the machine's order of bytes, little-endian by version. */
#include "search/part.h"

#include <endian.h>
#include <stdlib.h>

enum { PREFIX_WORDS = 4096 };

static void part_key_bind(sqlite3_stmt *st, int at, struct str key)
{
    sqlite3_bind_blob(st, at, key.p, (int)key.n, SQLITE_STATIC);
}

/* ---- sets ---- */

static uint16_t set_at(const unsigned char *p, size_t i)
{
    return (uint16_t)(p[2 * i] | p[2 * i + 1] << 8);
}

/* ORs what is stored into a set. False: it has no such form. */
static bool set_or(uint64_t set[SET_WORDS], const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    if (n == SET_BYTES) {
        for (size_t i = 0; i < SET_WORDS; i++) {
            uint64_t word;
            memcpy(&word, p + 8 * i, 8);
            set[i] |= le64toh(word);
        }
        return true;
    }
    if (!p || n % 2 || n / 2 >= SET_LIST)
        return false;
    for (size_t i = 0; i < n / 2; i++) {
        uint16_t v = set_at(p, i);
        set[v / 64] |= UINT64_C(1) << v % 64;
    }
    return true;
}

static void set_and(uint64_t set[SET_WORDS], const uint64_t other[SET_WORDS])
{
    for (size_t i = 0; i < SET_WORDS; i++)
        set[i] &= other[i];
}

static enum err set_damaged(const struct part *p, struct fault *f)
{
    return fault_set(f, ERR_CORRUPT, "the index from entry %llu on holds a set that is none",
                     (unsigned long long)p->first);
}

/* ORs the sets of one key, or of all between two (range), into `set`. *words: how many there were. */
static enum err part_or(struct part *p, sqlite3_stmt *st, unsigned where, struct str from, struct str to,
                        uint64_t set[SET_WORDS], unsigned *words, struct fault *f)
{
    enum err e = ERR_OK;
    int code = SQLITE_DONE;
    sqlite3_bind_int(st, 1, (int)where);
    part_key_bind(st, 2, from);
    if (to.n)
        part_key_bind(st, 3, to);
    while (!e && (code = sqlite3_step(st)) == SQLITE_ROW)
        if (++*words > PREFIX_WORDS)
            e = ERR_LIMIT;
        else if (!set_or(set, sqlite3_column_blob(st, 0), (size_t)sqlite3_column_bytes(st, 0)))
            e = set_damaged(p, f);
    if (!e && code != SQLITE_DONE)
        e = part_fault(p, "read", f);
    sqlite3_reset(st);
    return e;
}

static enum err part_or_all(struct part *p, unsigned chunk, struct str from, struct str to, uint64_t set[SET_WORDS],
                            unsigned *words, struct fault *f)
{
    if (p->whole >> chunk & 1)
        return part_or(p, to.n ? p->range : p->get, chunk, from, to, set, words, f);
    for (unsigned i = 0; i < CHUNK_PIECES; i++)
        TRY(part_or(p, to.n ? p->piece_range : p->piece_get, chunk * CHUNK_PIECES + i, from, to, set, words, f));
    return ERR_OK;
}

enum err part_and(struct part *p, unsigned chunk, struct str key, uint64_t set[SET_WORDS], struct fault *f)
{
    uint64_t other[SET_WORDS] = {0};
    unsigned words = 0;
    TRY(part_or_all(p, chunk, key, STR_NONE, other, &words, f));
    if (!words)
        return ERR_NOT_FOUND;
    set_and(set, other);
    return ERR_OK;
}

enum err part_and_prefix(struct part *p, unsigned chunk, struct str key, uint64_t set[SET_WORDS], struct fault *f)
{
    uint64_t other[SET_WORDS] = {0};
    unsigned words = 0;
    char end[KEY_BYTES];
    memcpy(end, key.p, key.n);
    end[key.n - 1]++; /* no byte of UTF-8 is 0xff */
    TRY(part_or_all(p, chunk, key, (struct str){end, key.n}, other, &words, f));
    set_and(set, other);
    return ERR_OK;
}

/* A list becomes a bit for each entry when it would be longer than that. */
static size_t set_pack(const unsigned char *old, size_t old_n, const uint16_t *v, size_t n, unsigned char *to)
{
    uint64_t set[SET_WORDS] = {0};
    if (old_n != SET_BYTES && old_n / 2 + n < SET_LIST) {
        if (old_n)
            memcpy(to, old, old_n);
        for (size_t i = 0; i < n; i++) {
            to[old_n + 2 * i] = (unsigned char)v[i];
            to[old_n + 2 * i + 1] = (unsigned char)(v[i] >> 8);
        }
        return old_n + 2 * n;
    }
    if (old_n && !set_or(set, old, old_n))
        return 0;
    for (size_t i = 0; i < n; i++)
        set[v[i] / 64] |= UINT64_C(1) << v[i] % 64;
    for (size_t i = 0; i < SET_WORDS; i++)
        set[i] = htole64(set[i]);
    memcpy(to, set, SET_BYTES);
    return SET_BYTES;
}

static enum err part_write(struct part *p, sqlite3_stmt *st, unsigned where, struct str key, const void *ids, size_t n,
                           struct fault *f)
{
    sqlite3_bind_int(st, 1, (int)where);
    part_key_bind(st, 2, key);
    sqlite3_bind_blob(st, 3, ids, (int)n, SQLITE_STATIC);
    enum err e = sqlite3_step(st) == SQLITE_DONE ? ERR_OK : part_fault(p, "write", f);
    sqlite3_reset(st);
    sqlite3_bind_null(st, 3);
    return e;
}

enum err part_put(struct part *p, unsigned chunk, struct str key, const uint16_t *v, size_t n, struct fault *f)
{
    unsigned char to[SET_BYTES];
    return part_write(p, p->put, chunk, key, to, set_pack(NULL, 0, v, n, to), f);
}

static enum err piece_add(struct part *p, unsigned piece, struct str key, const uint16_t *v, size_t n, bool fresh,
                          struct fault *f)
{
    unsigned char to[SET_BYTES];
    int code = SQLITE_DONE;
    if (!fresh) {
        sqlite3_bind_int(p->piece_get, 1, (int)piece);
        part_key_bind(p->piece_get, 2, key);
        code = sqlite3_step(p->piece_get);
    }
    bool there = code == SQLITE_ROW;
    enum err e = there || code == SQLITE_DONE ? ERR_OK : part_fault(p, "read", f);
    size_t bytes = set_pack(there ? sqlite3_column_blob(p->piece_get, 0) : NULL,
                            there ? (size_t)sqlite3_column_bytes(p->piece_get, 0) : 0, v, n, to);
    sqlite3_reset(p->piece_get);
    TRY(e);
    return bytes ? part_write(p, p->piece_put, piece, key, to, bytes, f) : set_damaged(p, f);
}

enum err part_add(struct part *p, unsigned chunk, struct str key, const uint16_t *v, size_t n, unsigned fresh,
                  struct fault *f)
{
    for (size_t from = 0, to; from < n; from = to) {
        unsigned piece = v[from] / PIECE_ENTRIES;
        for (to = from + 1; to < n && v[to] / PIECE_ENTRIES == piece; to++)
            ;
        TRY(piece_add(p, chunk * CHUNK_PIECES + piece, key, v + from, to - from, piece * PIECE_ENTRIES >= fresh, f));
    }
    return ERR_OK;
}

/* ---- pieces become a chunk: all are read in the order of their keys, side by side ---- */

struct merge {
    sqlite3_stmt *st[CHUNK_PIECES]; /* NULL: it has ended */
    unsigned char ids[SET_BYTES];
};

static struct str merge_key(const struct merge *m, unsigned i)
{
    return (struct str){sqlite3_column_blob(m->st[i], 0), (size_t)sqlite3_column_bytes(m->st[i], 0)};
}

static enum err merge_step(struct part *p, struct merge *m, unsigned i, struct fault *f)
{
    int code = sqlite3_step(m->st[i]);
    if (code == SQLITE_ROW)
        return ERR_OK;
    sqlite3_finalize(m->st[i]);
    m->st[i] = NULL;
    return code == SQLITE_DONE ? ERR_OK : part_fault(p, "read", f);
}

static enum err merge_begin(struct part *p, struct merge *m, unsigned chunk, struct fault *f)
{
    for (unsigned i = 0; i < CHUNK_PIECES; i++) {
        if (sqlite3_prepare_v2(p->db, "SELECT key, ids FROM piece WHERE piece = ? ORDER BY key", -1, &m->st[i], NULL) !=
            SQLITE_OK)
            return part_fault(p, "read", f);
        sqlite3_bind_int(m->st[i], 1, (int)(chunk * CHUNK_PIECES + i));
        TRY(merge_step(p, m, i, f));
    }
    return ERR_OK;
}

static void merge_end(struct merge *m)
{
    for (unsigned i = 0; i < CHUNK_PIECES; i++)
        sqlite3_finalize(m->st[i]);
}

/* One set behind another, in the order of their numbers. 0: one of them is none. */
static size_t merge_sets(struct merge *m, size_t n, const unsigned char *more, size_t more_n)
{
    uint64_t set[SET_WORDS] = {0};
    if (n != SET_BYTES && more_n != SET_BYTES && (n + more_n) / 2 < SET_LIST) {
        memcpy(m->ids + n, more, more_n);
        return n + more_n;
    }
    if ((n && !set_or(set, m->ids, n)) || !set_or(set, more, more_n))
        return 0;
    for (size_t i = 0; i < SET_WORDS; i++)
        set[i] = htole64(set[i]);
    memcpy(m->ids, set, SET_BYTES);
    return SET_BYTES;
}

/* The smallest key of all pieces. False: all have ended. */
static bool merge_least(const struct merge *m, char key[KEY_BYTES], size_t *ret_n)
{
    struct str least = STR_NONE;
    for (unsigned i = 0; i < CHUNK_PIECES; i++)
        if (m->st[i] && (!least.p || str_cmp(merge_key(m, i), least) < 0))
            least = merge_key(m, i);
    if (!least.p || least.n > KEY_BYTES)
        return false;
    memcpy(key, least.p, least.n);
    *ret_n = least.n;
    return true;
}

static enum err merge_all(struct part *p, struct merge *m, unsigned chunk, struct fault *f)
{
    char bytes[KEY_BYTES];
    struct str key = {bytes, 0};
    while (merge_least(m, bytes, &key.n)) {
        size_t n = 0;
        for (unsigned i = 0; i < CHUNK_PIECES; i++) {
            if (!m->st[i] || !str_eq(merge_key(m, i), key))
                continue;
            n = merge_sets(m, n, sqlite3_column_blob(m->st[i], 1), (size_t)sqlite3_column_bytes(m->st[i], 1));
            if (!n)
                return set_damaged(p, f);
            TRY(merge_step(p, m, i, f));
        }
        TRY(part_write(p, p->put, chunk, key, m->ids, n, f));
    }
    return ERR_OK;
}

enum err part_merge(struct part *p, unsigned chunk, struct fault *f)
{
    struct merge *m = calloc(1, sizeof(*m));
    if (!m)
        return fault_set(f, ERR_NOMEM, "no memory for an index");
    enum err e = merge_begin(p, m, chunk, f);
    if (!e)
        e = merge_all(p, m, chunk, f);
    merge_end(m);
    free(m);
    TRY(e);
    /* Other pieces are of entries that have gone: there is one chunk that is not full. */
    return sqlite3_exec(p->db, "DELETE FROM piece", NULL, NULL, NULL) == SQLITE_OK ? ERR_OK : part_fault(p, "write", f);
}

/* ---- blocks ---- */

static enum err part_chunk(struct part *p, unsigned chunk, int64_t *ret_since, int64_t *ret_until,
                           struct block *ret /* or NULL */, struct fault *f)
{
    sqlite3_bind_int(p->chunk_get, 1, (int)chunk);
    int code = sqlite3_step(p->chunk_get);
    enum err e = ERR_OK;
    if (code == SQLITE_DONE)
        e = ERR_NOT_FOUND;
    else if (code != SQLITE_ROW)
        e = part_fault(p, "read", f);
    else {
        *ret_since = sqlite3_column_int64(p->chunk_get, 0);
        *ret_until = sqlite3_column_int64(p->chunk_get, 1);
    }
    if (!e && ret) {
        const unsigned char *at = sqlite3_column_blob(p->chunk_get, 2);
        if (sqlite3_column_bytes(p->chunk_get, 2) != CHUNK_BLOCKS * 32)
            e = fault_set(f, ERR_CORRUPT, "the index from entry %llu on does not say where entries stand",
                          (unsigned long long)p->first);
        for (size_t i = 0; !e && i < CHUNK_BLOCKS; i++, at += 32) {
            uint64_t v[4];
            memcpy(v, at, sizeof(v));
            ret[i] = (struct block){le64toh(v[0]), le64toh(v[1]), (int64_t)le64toh(v[2]), (int64_t)le64toh(v[3])};
        }
    }
    sqlite3_reset(p->chunk_get);
    return e;
}

enum err part_blocks(struct part *p, unsigned chunk, struct block ret[CHUNK_BLOCKS], struct fault *f)
{
    int64_t since, until;
    return part_chunk(p, chunk, &since, &until, ret, f);
}

enum err part_times(struct part *p, unsigned chunk, int64_t *ret_since, int64_t *ret_until, struct fault *f)
{
    return part_chunk(p, chunk, ret_since, ret_until, NULL, f);
}

enum err part_put_blocks(struct part *p, unsigned chunk, const struct block v[CHUNK_BLOCKS], bool whole,
                         struct fault *f)
{
    int64_t since = INT64_MAX, until = INT64_MIN;
    uint64_t *to = malloc(CHUNK_BLOCKS * 32);
    if (!to)
        return fault_set(f, ERR_NOMEM, "no memory for an index");
    for (size_t i = 0; i < CHUNK_BLOCKS; i++) {
        const struct block *b = &v[i];
        const uint64_t row[4] = {htole64(b->segment), htole64(b->offset), htole64((uint64_t)b->since),
                                 htole64((uint64_t)b->until)};
        memcpy(to + 4 * i, row, sizeof(row));
        if (b->segment && b->since < since)
            since = b->since;
        if (b->segment && b->until > until)
            until = b->until;
    }
    sqlite3_bind_int(p->chunk_put, 1, (int)chunk);
    sqlite3_bind_int64(p->chunk_put, 2, since);
    sqlite3_bind_int64(p->chunk_put, 3, until);
    sqlite3_bind_int(p->chunk_put, 4, whole);
    sqlite3_bind_blob(p->chunk_put, 5, to, CHUNK_BLOCKS * 32, SQLITE_STATIC);
    enum err e = sqlite3_step(p->chunk_put) == SQLITE_DONE ? ERR_OK : part_fault(p, "write", f);
    sqlite3_reset(p->chunk_put);
    sqlite3_bind_null(p->chunk_put, 5);
    free(to);
    if (!e && whole)
        p->whole |= 1u << chunk;
    return e;
}

/* ---- transactions ---- */

enum err part_begin(struct part *p, struct fault *f)
{
    return sqlite3_exec(p->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK ? ERR_OK : part_fault(p, "begin", f);
}

enum err part_commit(struct part *p, struct fault *f)
{
    sqlite3_bind_int64(p->about_put, 1, (int64_t)p->since);
    sqlite3_bind_int64(p->about_put, 2, (int64_t)p->upto);
    sqlite3_bind_blob(p->about_put, 3, p->last, SHA256_BYTES, SQLITE_STATIC);
    sqlite3_bind_text(p->about_put, 4, p->boot, -1, SQLITE_STATIC);
    int code = sqlite3_step(p->about_put);
    sqlite3_reset(p->about_put);
    if (code != SQLITE_DONE || sqlite3_exec(p->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        return part_fault(p, "commit", f);
    return ERR_OK;
}

void part_rollback(struct part *p)
{
    sqlite3_exec(p->db, "ROLLBACK", NULL, NULL, NULL);
}
