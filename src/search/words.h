/*
 * Words of a text, for the index and for whoever compares an entry with a question: both take them from here, so that
 * they never differ. A word is a run of letters and digits, in lower case; of scripts that put no spaces between words
 * each character is one. Combining accents are passed over.
 */
#ifndef SEARCH_WORDS_H
#define SEARCH_WORDS_H

#include "base/str.h"

enum { WORD_BYTES = 64 }; /* of longer ones the beginning counts */

struct words {
    const char *p, *end;
    bool json;  /* the text is raw JSON: escapes part words, and strings are apart from each other */
    bool first; /* the one to come is the first of all */
    bool fresh; /* the one that came last is the first of its string */
    bool cut;   /* it is longer than WORD_BYTES */
    char word[WORD_BYTES + 8];
};
void words_of(struct words *w, struct str text, bool json);
/* False: there are no more. *ret lives until the next call. */
bool words_next(struct words *w, struct str *ret);

/* ---- what a question wants of a text ---- */

enum { WANTED_BYTES = 4096, WANTED_WORDS = 32 };

/* Words in a row are a group: a phrase, or one word. A group is found where its words stand side by side in one string.
 */
struct wanted {
    struct wanted_word {
        struct str word;
        bool prefix; /* of a word */
        bool last;   /* of its group */
    } v[WANTED_WORDS];
    unsigned n, groups;
    char bytes[WANTED_BYTES * 2];
};
/* Any text can be asked for: quotes and stars that mean nothing part words. False: there is no word in it, or it is
 * longer than WANTED_BYTES or has more than WANTED_WORDS words. */
bool wanted_read(struct str text, struct wanted *ret);

struct wanted_seen {
    const struct wanted *w;
    uint32_t open;  /* bit i: word i was found last, with all of its group before it */
    uint32_t found; /* bit i: the group that ends with word i was found */
};
void wanted_look(struct wanted_seen *s, struct str text, bool json);
bool wanted_found(const struct wanted_seen *s);

#endif
