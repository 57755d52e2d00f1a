/* A question while it is being answered: what ask.c (the index), scan.c (the record) and fits.c (one entry) share. */
#ifndef SEARCH_ASK_H
#define SEARCH_ASK_H

#include "search/part.h"

enum {
    ASK_KEYS = 8,
    ASK_LOOKS = 20000,  /* candidates that one question compares */
    ASK_SCANS = 400000, /* entries that are not indexed and that one question looks through */
    ASK_FEW = 4         /* so few candidates are compared at once */
};

struct ask {
    const struct search_question *q;
    const char *dir;
    struct ask_key {
        enum fact fact;
        struct str value;
    } key[ASK_KEYS]; /* the rare ones first */
    unsigned keys;
    struct wanted wanted; /* n 0: no text is asked for */
    struct str needle;    /* stands in every entry that fits, byte for byte; or empty */
    struct audit_reader *reader;
    struct arena arena; /* of one entry */
    struct buf large;
    uint64_t lo, hi;       /* entries to be asked, both included; hi UINT64_MAX: up to the newest */
    uint64_t looks, scans; /* that are left */
    enum err (*each)(void *ctx, uint64_t seq, struct str entry, struct fault *f);
    void *ctx;
    unsigned given;
    uint64_t last; /* that was given */
    bool over;     /* the page is full, or it was looked at enough; ret.next says where it goes on */
    struct search_answer ret;
    struct block *blocks; /* of a chunk */
};

/* Where the first entry behind what is indexed stands, or one before it. segment 0: not known. */
struct ask_hint {
    uint64_t seq, segment, offset;
};

/* fits.c: ERR_PARAMS: the question is none. */
enum err ask_read(struct ask *a, const struct search_question *q, struct fault *f) MUST_USE;
enum err ask_fits(struct ask *a, struct str entry, bool *ret, struct fault *f) MUST_USE;
/* It fits: to whoever asks, unless the page is full already. */
enum err ask_give(struct ask *a, uint64_t seq, struct str entry, struct fault *f) MUST_USE;
/* Enough: the next page begins with this entry. */
void ask_break(struct ask *a, uint64_t seq);

/* scan.c: entries lo … hi, in the order that is asked for. */
enum err ask_scan(struct ask *a, uint64_t lo, uint64_t hi, const struct ask_hint *hint, struct fault *f) MUST_USE;

#endif
