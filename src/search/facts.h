/*
 * What can be asked of an entry, read from its JSON. The index is made of the same facts that entries are compared by.
 */
#ifndef SEARCH_FACTS_H
#define SEARCH_FACTS_H

#include "base/json.h"
#include "search/search.h"
#include "search/words.h"

enum fact {
    FACT_AGENT = 'a',
    FACT_SESSION = 's',
    FACT_USER = 'u',
    FACT_TOOL = 't',
    FACT_EVENT = 'e',
    FACT_TRACE = 'r',
    FACT_DIGEST = 'd',
    FACT_DECISION = 'c',
};
enum { FACTS = 16, FACT_TEXTS = 8, FACT_LARGE_BYTES = 1 << 20 };

struct facts {
    int64_t wall_ms; /* INT64_MIN: it does not say */
    struct {
        enum fact fact;
        struct str value;
    } v[FACTS];
    unsigned n;
    struct str text[FACT_TEXTS]; /* raw JSON, for words_of */
    unsigned texts;
};
/* Strings point into the entry and into the arena. An entry that is no JSON has no facts. ERR_NOMEM: it may have more.
 * large: members that are in files of their own; dir: the record's folder, NULL: they are not wanted. */
enum err facts_read(struct str entry, const char *dir, struct arena *a, struct buf *large, struct facts *ret,
                    struct fault *f) MUST_USE;

#endif
