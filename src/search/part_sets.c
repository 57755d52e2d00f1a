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

enum err part_and(struct part *p, unsigned chunk, struct str key, uint64_t set[SET_WORDS], struct fault *f)
{
    uint64_t other[SET_WORDS] = {0};
    enum err e = ERR_OK;
    sqlite3_bind_int(p->get, 1, (int)chunk);
    part_key_bind(p->get, 2, key);
    int code = sqlite3_step(p->get);
    if (code == SQLITE_DONE)
        e = ERR_NOT_FOUND;
    else if (code != SQLITE_ROW)
        e = part_fault(p, "read", f);
    else if (!set_or(other, sqlite3_column_blob(p->get, 0), (size_t)sqlite3_column_bytes(p->get, 0)))
        e = set_damaged(p, f);
    else
        set_and(set, other);
    sqlite3_reset(p->get);
    return e;
}

enum err part_and_prefix(struct part *p, unsigned chunk, struct str key, uint64_t set[SET_WORDS], struct fault *f)
{
    uint64_t other[SET_WORDS] = {0};
    char end[KEY_BYTES];
    enum err e = ERR_OK;
    int code;
    memcpy(end, key.p, key.n);
    end[key.n - 1]++; /* no byte of UTF-8 is 0xff */
    sqlite3_bind_int(p->range, 1, (int)chunk);
    part_key_bind(p->range, 2, key);
    part_key_bind(p->range, 3, (struct str){end, key.n});
    for (unsigned words = 0; !e && (code = sqlite3_step(p->range)) != SQLITE_DONE; words++) {
        if (code != SQLITE_ROW)
            e = part_fault(p, "read", f);
        else if (words == PREFIX_WORDS)
            e = ERR_LIMIT;
        else if (!set_or(other, sqlite3_column_blob(p->range, 0), (size_t)sqlite3_column_bytes(p->range, 0)))
            e = set_damaged(p, f);
    }
    if (!e)
        set_and(set, other);
    sqlite3_reset(p->range);
    return e;
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

enum err part_put(struct part *p, unsigned chunk, struct str key, const uint16_t *v, size_t n, bool fresh,
                  struct fault *f)
{
    unsigned char to[SET_BYTES];
    const unsigned char *old = NULL;
    size_t old_n = 0;
    if (!fresh) {
        sqlite3_bind_int(p->get, 1, (int)chunk);
        part_key_bind(p->get, 2, key);
        int code = sqlite3_step(p->get);
        if (code == SQLITE_ROW) {
            old = sqlite3_column_blob(p->get, 0);
            old_n = (size_t)sqlite3_column_bytes(p->get, 0);
        } else if (code != SQLITE_DONE) {
            enum err e = part_fault(p, "read", f);
            sqlite3_reset(p->get);
            return e;
        }
    }
    size_t bytes = set_pack(old, old_n, v, n, to);
    if (!fresh)
        sqlite3_reset(p->get);
    if (!bytes)
        return set_damaged(p, f);
    sqlite3_bind_int(p->put, 1, (int)chunk);
    part_key_bind(p->put, 2, key);
    sqlite3_bind_blob(p->put, 3, to, (int)bytes, SQLITE_STATIC);
    enum err e = sqlite3_step(p->put) == SQLITE_DONE ? ERR_OK : part_fault(p, "write", f);
    sqlite3_reset(p->put);
    sqlite3_bind_null(p->put, 3);
    return e;
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

enum err part_put_blocks(struct part *p, unsigned chunk, const struct block v[CHUNK_BLOCKS], struct fault *f)
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
    sqlite3_bind_blob(p->chunk_put, 4, to, CHUNK_BLOCKS * 32, SQLITE_STATIC);
    enum err e = sqlite3_step(p->chunk_put) == SQLITE_DONE ? ERR_OK : part_fault(p, "write", f);
    sqlite3_reset(p->chunk_put);
    sqlite3_bind_null(p->chunk_put, 4);
    free(to);
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
