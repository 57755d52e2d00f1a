/*
 * Finding entries: SQLite indexes beside the record, made from it and made again when they are lost. A thread follows
 * the record and enters what was committed; whoever asks reads the files, with or without a daemon. What is not indexed
 * yet (the newest) is looked through one by one, so that an answer is always complete up to what is committed.
 *
 * <dir>/index/<first seq, 20 digits>.db: one for each 2^20 entries, so that inserts stay quick and pruned entries go
 * with a whole file.
 */
#ifndef SEARCH_SEARCH_H
#define SEARCH_SEARCH_H

#include "audit/audit.h"

/*
 * Each file holds, for each thing that can be asked for, which entries have it (part.h). The record decides: every
 * entry that the index names is read and compared, so that a file that is damaged or of another record misleads nobody.
 */

/* All that are set must hold. Strings are compared whole. user: on whose behalf it was done, who said yes, or the
 * operator who did it. */
struct search_question {
    struct str agent, session, user, tool, event, trace, digest;
    struct str decision; /* allowed or denied; or a result: success, failure, timeout, unknown */
    struct str
        text; /* words in the parameters, the reasoning and the reason: all of them; "…" a phrase; … * a prefix */
    int64_t since, until; /* wall clock, ms; 0: not bounded */
    uint64_t after; /* a page's cursor: only entries older (or, oldest_first, newer) than this seq; 0: from the end */
    unsigned limit; /* 1 … SEARCH_LIMIT */
    bool oldest_first;
};
enum { SEARCH_LIMIT = 1000 };

struct search_answer {
    uint64_t next; /* the cursor of the next page; 0: that was all. A page may hold fewer than `limit` and still have a
                    * next one: one question looks only so long */
    uint64_t indexed; /* entries up to here are in the index … */
    uint64_t scanned; /* … and so many were looked through one by one since they are not */
    uint64_t damaged; /* the file from this entry on is damaged, and was not used; 0: none */
};
/* Calls `each` with the entries' JSON, in order. Blocks. ERR_PARAMS: the question is none. */
enum err search_ask(const char *audit_dir, const struct search_question *q,
                    enum err (*each)(void *ctx, uint64_t seq, struct str entry, struct fault *f), void *ctx,
                    struct search_answer *ret, struct fault *f) MUST_USE;

/* One entry, appended to out. ERR_NOT_FOUND. */
enum err search_entry(const char *audit_dir, uint64_t seq, struct buf *out, struct fault *f) MUST_USE;

struct indexer;
/* Starts the thread. A damaged index is put aside and made again. ERR_IO, ERR_CONFLICT: the folder cannot be written,
 * or somebody else does. */
enum err indexer_start(struct audit *a, const char *audit_dir, struct indexer **ret, struct fault *f) MUST_USE;
void indexer_stop(struct indexer *i);   /* before audit_close */
uint64_t indexer_at(struct indexer *i); /* 0 for NULL, too: without an index everything is looked through */
void indexer_damaged(struct indexer *i, uint64_t first); /* what search_answer said: makes it again, soon */
/* The same on the caller's thread, without a daemon, up to the end of the record, and with a look at every page:
 * `doorward audit index`. */
enum err index_build(const char *audit_dir, void (*progress)(void *ctx, uint64_t seq, uint64_t of), void *ctx,
                     struct fault *f) MUST_USE;

#endif
