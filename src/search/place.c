/* From the index to the record: where an entry stands. */
#include <stdlib.h>

#include "search/part.h"

enum err part_entry(const struct part *p, struct audit_reader *r, const struct block blocks[CHUNK_BLOCKS], uint64_t seq,
                    struct str *ret, struct fault *f)
{
    const struct block *b = &blocks[(seq - p->first) % CHUNK_ENTRIES / BLOCK_ENTRIES];
    uint64_t at = 0;
    if (!b->segment)
        return fault_set(f, ERR_CONFLICT, "the index does not know where entry %llu stands", (unsigned long long)seq);
    TRY(audit_reader_at(r, b->segment, b->offset, f));
    while (at < seq) {
        enum err e = audit_reader_next(r, ret, &at, f);
        if (e == ERR_CORRUPT || e == ERR_NOT_FOUND)
            return fault_set(f, ERR_CONFLICT, "the record has no entry %llu where the index says",
                             (unsigned long long)seq);
        TRY(e);
        if (seq - at >= BLOCK_ENTRIES && at < seq)
            break;
    }
    return at == seq ? ERR_OK
                     : fault_set(f, ERR_CONFLICT, "the record has entry %llu where the index says %llu",
                                 (unsigned long long)at, (unsigned long long)seq);
}

enum err part_sound(struct part *p, struct audit_reader *r, uint64_t record_first, struct fault *f)
{
    unsigned char hash[SHA256_BYTES];
    struct str entry;
    if (!p->upto || p->upto < record_first)
        return ERR_OK;
    struct block *blocks = malloc(CHUNK_BLOCKS * sizeof(*blocks));
    enum err e = blocks ? part_blocks(p, (unsigned)((p->upto - p->first) / CHUNK_ENTRIES), blocks, f)
                        : fault_set(f, ERR_NOMEM, "no memory for an index");
    if (!e)
        e = part_entry(p, r, blocks, p->upto, &entry, f);
    free(blocks);
    if (e == ERR_NOT_FOUND)
        return fault_set(f, ERR_CONFLICT, "the record has no entry %llu", (unsigned long long)p->upto);
    TRY(e);
    enc_sha256(entry.p, entry.n, hash);
    return memcmp(hash, p->last, sizeof(hash)) == 0
               ? ERR_OK
               : fault_set(f, ERR_CONFLICT, "the index is of another record: its entry %llu is not the one on record",
                           (unsigned long long)p->upto);
}

static void place_readerp(struct audit_reader **r)
{
    audit_reader_close(*r);
}

/* By the index, when it knows. */
static enum err place_indexed(const char *dir, struct audit_reader *r, uint64_t seq, struct str *ret, struct fault *f)
{
    struct part *p CLEANUP(part_closep) = NULL;
    TRY(part_open(dir, part_first_of(seq), &p, f));
    if (seq < p->since || seq > p->upto)
        return fault_set(f, ERR_NOT_FOUND, "entry %llu is not indexed", (unsigned long long)seq);
    struct block *blocks = malloc(CHUNK_BLOCKS * sizeof(*blocks));
    enum err e = blocks ? part_blocks(p, (unsigned)((seq - p->first) / CHUNK_ENTRIES), blocks, f)
                        : fault_set(f, ERR_NOMEM, "no memory for an index");
    if (!e)
        e = part_entry(p, r, blocks, seq, ret, f);
    free(blocks);
    return e;
}

enum err search_entry(const char *audit_dir, uint64_t seq, struct buf *out, struct fault *f)
{
    struct audit_reader *r CLEANUP(place_readerp) = NULL;
    struct str entry;
    uint64_t at = seq;
    TRY(audit_reader_open(audit_dir, &r, f));
    enum err e = seq ? place_indexed(audit_dir, r, seq, &entry, f) : ERR_NOT_FOUND;
    if (e && seq && e != ERR_NOMEM) {
        e = audit_reader_seek(r, seq, f);
        if (!e)
            e = audit_reader_next(r, &entry, &at, f);
    }
    if (e == ERR_NOT_FOUND || (!e && at != seq))
        return fault_set(f, ERR_NOT_FOUND, "there is no entry %llu%s", (unsigned long long)seq,
                         !e && at > seq ? " any more" : "");
    TRY(e);
    buf_str(out, entry);
    return buf_failed(out) ? fault_set(f, buf_error(out), "no memory for an entry") : ERR_OK;
}
