/*
 * One file of the index: 2^20 entries, in chunks of 2^16. For each chunk and each thing that can be asked for (a key)
 * it holds which entries have it, as a set of numbers within the chunk:
 *
 *   chunk    of each one: the times between which its entries were written, and for every 64 entries where the first of
 *            them stands in the record and their times
 *   posting  (chunk, key) -> a set: up to 4095 numbers of 16 bits in order, or a bit for each of 65536
 *   piece    (piece, key) -> the same of 2^12 entries, while their chunk is not full: few pages change when entries
 * come. With its last entry the chunk becomes one (chunk.whole)
 *
 * A key is a letter and a word, or a letter and eight bytes of a keyed hash of the value (SipHash, with a key of the
 * file, so that nobody makes values collide). A set may hold an entry too many, never one too few: whoever asks
 * compares each entry with the question anyway.
 *
 * While it is written it is not flushed, and says in which run of the machine that is: from another run it is made
 * again.
 *
 * So any number of conditions together costs a few look-ups and some ANDs for each chunk, whether they are rare or not.
 */
#ifndef SEARCH_PART_H
#define SEARCH_PART_H

#include <sqlite3.h>

#include "base/buf.h"
#include "base/enc.h"
#include "search/facts.h"

enum {
    PART_ENTRIES = 1 << 20,
    CHUNK_ENTRIES = 1 << 16,
    PIECE_ENTRIES = 1 << 12,
    CHUNK_PIECES = CHUNK_ENTRIES / PIECE_ENTRIES,
    BLOCK_ENTRIES = 64,
    CHUNK_BLOCKS = CHUNK_ENTRIES / BLOCK_ENTRIES,
    SET_WORDS = CHUNK_ENTRIES / 64,
    SET_LIST = 4096, /* as many numbers are a bit each */
    SET_BYTES = CHUNK_ENTRIES / 8,
    KEY_BYTES = 1 + WORD_BYTES + 8,
    PART_SALT = 16,
    PART_BOOT = 40
};

/* Where 64 entries begin in the record. */
struct block {
    uint64_t segment; /* its first entry; 0: no entry of the block is indexed */
    uint64_t offset;
    int64_t since, until; /* the first and the last time */
};

struct part {
    sqlite3 *db;
    uint64_t first;       /* the entry that is number 0 of the first chunk */
    uint64_t since, upto; /* entries from … to … are indexed; upto 0: none yet */
    unsigned char salt[PART_SALT];
    unsigned char last[SHA256_BYTES]; /* SHA-256 of entry `upto` */
    char boot[PART_BOOT];             /* this run of the machine */
    uint32_t whole;                   /* bit i: chunk i */
    bool writes;
    sqlite3_stmt *get, *range, *put, *piece_get, *piece_range, *piece_put, *chunk_get, *chunk_put, *about_put;
};

static inline uint64_t part_first_of(uint64_t seq)
{
    return (seq - 1) / PART_ENTRIES * PART_ENTRIES + 1;
}
/* <audit_dir>/index/<first>.db */
void part_path(const char *audit_dir, uint64_t first, char ret[4096]);
struct part_list {
    uint64_t *first; /* sorted */
    size_t count;
};
/* Of a folder that is not there, or cannot be read: an empty one. */
enum err part_list(const char *audit_dir, struct part_list *ret, struct fault *f) MUST_USE;
void part_list_done(struct part_list *l);
void part_remove(const char *audit_dir, uint64_t first);
void part_put_aside(const char *audit_dir, uint64_t first); /* as <first>.db.damaged */

/* To read, as it is at this moment, or to write. ERR_NOT_FOUND. ERR_CORRUPT: it is no index, or a damaged one.
 * ERR_STORE. */
enum err part_open(const char *audit_dir, uint64_t first, struct part **ret, struct fault *f) MUST_USE;
enum err part_open_to_write(const char *audit_dir, uint64_t first, struct part **ret, struct fault *f) MUST_USE;
void part_close(struct part *p);
void part_closep(struct part **p);
enum err part_fault(struct part *p, const char *doing, struct fault *f) MUST_USE; /* of SQLite's last error */

size_t part_key(const struct part *p, enum fact fact, struct str value, char ret[KEY_BYTES]);
size_t part_word_key(struct str word, char ret[KEY_BYTES]);

/* ANDs the set of a key into `set`. ERR_NOT_FOUND: the chunk has no such key (set is untouched). */
enum err part_and(struct part *p, unsigned chunk, struct str key, uint64_t set[SET_WORDS], struct fault *f) MUST_USE;
/* The same for all words that begin so. ERR_LIMIT: there are too many (set is untouched). */
enum err part_and_prefix(struct part *p, unsigned chunk, struct str key, uint64_t set[SET_WORDS],
                         struct fault *f) MUST_USE;
/* The chunk's blocks, CHUNK_BLOCKS of them, and its times. ERR_NOT_FOUND: nothing of it is indexed. */
enum err part_blocks(struct part *p, unsigned chunk, struct block ret[CHUNK_BLOCKS], struct fault *f) MUST_USE;
enum err part_times(struct part *p, unsigned chunk, int64_t *ret_since, int64_t *ret_until, struct fault *f) MUST_USE;

/* ---- its entries in the record ---- */

/* Reads entry `seq`. blocks: of its chunk. *ret lives until the reader's next call. ERR_NOT_FOUND: it is not on record
 * any more. ERR_CONFLICT: another entry stands there: the index is of another record. */
enum err part_entry(const struct part *p, struct audit_reader *r, const struct block blocks[CHUNK_BLOCKS], uint64_t seq,
                    struct str *ret, struct fault *f) MUST_USE;
/* Is the last entry that was indexed the one on record? record_first: the first entry that is still there. */
enum err part_sound(struct part *p, struct audit_reader *r, uint64_t record_first, struct fault *f) MUST_USE;

/* ---- writing ---- */

enum err part_begin(struct part *p, struct fault *f) MUST_USE;
enum err part_commit(struct part *p, struct fault *f) MUST_USE; /* since, upto and last with it */
void part_rollback(struct part *p);
/* Puts down the numbers of a key, of a chunk of which nothing is there yet. */
enum err part_put(struct part *p, unsigned chunk, struct str key, const uint16_t *v, size_t n,
                  struct fault *f) MUST_USE;
/* Adds numbers, in order and all above those that are there already, to the chunk's pieces; from number `fresh` on,
 * where a piece begins, nothing is there yet. */
enum err part_add(struct part *p, unsigned chunk, struct str key, const uint16_t *v, size_t n, unsigned fresh,
                  struct fault *f) MUST_USE;
enum err part_merge(struct part *p, unsigned chunk, struct fault *f) MUST_USE; /* of pieces: a whole chunk */
enum err part_put_blocks(struct part *p, unsigned chunk, const struct block v[CHUNK_BLOCKS], bool whole,
                         struct fault *f) MUST_USE;
/* Nothing more comes: one file, without a log beside it, that anybody reads who may read it. */
void part_finish(struct part *p);
enum err part_check(struct part *p, struct fault *f) MUST_USE; /* every page */

#endif
