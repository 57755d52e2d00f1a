/*
 * Names of members, as mask.c and seal.c look for them: compared in lower case and by their letters and digits alone,
 * so that "X-Api-Key", "api_key" and "apiKey" are one. Characters beyond ASCII are compared as they are. Not for
 * others.
 */
#ifndef AUDIT_NAMES_H
#define AUDIT_NAMES_H

#include "base/json.h"
#include "conf/conf.h"

enum { NAME_MAX_FOLDED = 256 };

static inline bool name_alnum(char c)
{
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

/* Inline, since every argument of every call is looked through. False: longer than any name that is known. */
static inline bool name_fold(struct str name, bool pattern, char out[NAME_MAX_FOLDED], struct str *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool kept = name_alnum(c) || (unsigned char)c >= 0x80 || (pattern && c == '*');
        if (!kept)
            continue;
        if (n == NAME_MAX_FOLDED)
            return false;
        out[n++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    *ret = (struct str){out, n};
    return true;
}

/* Is a folded name one of the configuration's? '*' in those stands for any run of characters. */
bool name_listed(const struct conf_strings *patterns, struct str folded);

/* Does the object say by a member that its `value` is one of those: {"name": "Authorization", "value": …}? Headers,
 * variables and fields of forms are often written so. */
typedef bool name_wanted(const struct conf_strings *patterns, struct str name);
bool name_labelled(const struct json *j, uint32_t object, name_wanted *wanted, const struct conf_strings *patterns,
                   struct arena *a);
/* Is the key one that may say so? */
bool name_is_label(const struct json *j, uint32_t key);

#endif
