/*
 * No key twice in an object, whatever its spelling. While the parser reads an object's keys it takes a print of each:
 * equal keys have equal prints, different keys mostly different ones. Prints only make it quick; what decides is the
 * bytes. For json_parse.c only.
 */
#ifndef BASE_JSON_KEYS_H
#define BASE_JSON_KEYS_H

#include "base/json.h"

struct json_key_print {
    uint32_t print, node;
};
#define JSON_PRINTS 512 /* of all objects that are open at a time */

static inline uint64_t json_load(const char *p, size_t n)
{
    uint64_t v = 0;
    memcpy(&v, p, n);
    return v;
}

/* Of the bytes between the quotes of a key without escapes: length, first and last bytes. */
static inline uint32_t json_key_print(const char *p, size_t n)
{
    uint64_t a = 0, b = 0;
    if (n >= 8) {
        a = json_load(p, 8);
        b = json_load(p + n - 8, 8);
    } else if (n >= 4) {
        a = json_load(p, 4);
        b = json_load(p + n - 4, 4);
    } else if (n) {
        a = (unsigned char)p[0] | (uint64_t)(unsigned char)p[n / 2] << 8 | (uint64_t)(unsigned char)p[n - 1] << 16;
    }
    return (uint32_t)(((a + n) * UINT64_C(0x9e3779b97f4a7c15) ^ b * UINT64_C(0xc2b2ae3d27d4eb4f)) >> 32);
}

/* The keys of a closed object. prints: one for each key in order, or NULL when they were not taken (escaped keys, too
 * many). ERR_SYNTAX: *ret_twice is the first key that stands there again. ERR_NOMEM. */
enum err json_keys_check(const struct json *j, uint32_t object, const struct json_key_print *prints, struct arena *a,
                         uint32_t *ret_twice) MUST_USE;

#endif
