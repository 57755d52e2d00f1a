/*
 * Entries of one chunk on their way into a file: what each of them can be asked for is gathered in memory and written
 * in one go, in the order of the keys.
 */
#ifndef SEARCH_BATCH_H
#define SEARCH_BATCH_H

#include "search/part.h"

struct batch {
    struct part *part;
    unsigned chunk;
    uint64_t since, upto; /* the entries in it; upto 0: none */
    struct block blocks[CHUNK_BLOCKS];
    struct buf last; /* the newest entry, for its hash */
    struct buf keys;
    struct batch_term {
        uint32_t key, next; /* where its key stands in keys; the next one in its slot, + 1 */
        uint32_t count;
        uint16_t newest; /* the number that was added last */
        uint8_t key_n;
    } * term;
    size_t terms, term_cap;
    uint32_t *slot; /* by hash: a term, + 1 */
    size_t slots;
    struct batch_hit {
        uint32_t term;
        uint16_t number;
    } * hit;
    size_t hits, hit_cap;
};
void batch_init(struct batch *b);
void batch_done(struct batch *b);
size_t batch_bytes(const struct batch *b);             /* in memory */
bool batch_takes(const struct batch *b, uint64_t seq); /* it is in the same chunk; true for the first one */
/* The entry behind the one that was added last. ERR_NOMEM: b must be cleared. */
enum err batch_add(struct batch *b, struct part *p, uint64_t seq, struct str entry, const struct facts *facts,
                   uint64_t segment, uint64_t offset, struct fault *f) MUST_USE;
/* All of it into the file, in one transaction; then it is empty. When it fails it is empty, too. */
enum err batch_write(struct batch *b, struct fault *f) MUST_USE;
void batch_clear(struct batch *b);

#endif
