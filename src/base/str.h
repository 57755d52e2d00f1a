/*
 * A string that does not own its bytes: pointer and length, no terminating zero promised. UTF-8 unless said otherwise.
 * Whoever hands one out says how long its bytes live.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *p;
    size_t n;
};

#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
#define STR_NONE     ((struct str){NULL, 0})
#define STR_FMT      "%.*s"
#define STR_ARG(s)   (int)(s).n, (s).p ? (s).p : ""

static inline struct str str_of(const char *z)
{
    return (struct str){z, z ? strlen(z) : 0};
}
static inline bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
static inline bool str_is(struct str a, const char *z)
{
    return str_eq(a, str_of(z));
}
static inline bool str_starts(struct str a, struct str b)
{
    return a.n >= b.n && (b.n == 0 || memcmp(a.p, b.p, b.n) == 0);
}
static inline struct str str_skip(struct str a, size_t n)
{
    n = n < a.n ? n : a.n;
    return n ? (struct str){a.p + n, a.n - n} : a; /* C adds not even zero to NULL */
}
bool str_ends(struct str a, struct str b);
/* ASCII only, as HTTP field names and hosts want it. Inline, since nearly every comparison ends with the length. */
bool str_ieq_bytes(const char *a, const char *b, size_t n);
static inline bool str_ieq(struct str a, struct str b)
{
    return a.n == b.n && str_ieq_bytes(a.p, b.p, a.n);
}
int str_cmp(struct str a, struct str b);
struct str str_trim(struct str a); /* spaces and tabs at both ends */
/* Cuts at the first c: the part before it goes to *ret_head and the rest stays in *s. False when there is no c (then
 * the whole string is the head and *s is empty). */
bool str_cut(struct str *s, char c, struct str *ret_head);
/* Whole string, decimal, no sign, no leading +; false when not a number or too large. */
bool str_u64(struct str a, uint64_t *ret);
/* '*' stands for any run of characters but never crosses '/'; everything else is literal. */
bool str_glob(struct str pattern, struct str name);
/* '*' stands for any run of characters, slashes too. */
bool str_match(struct str pattern, struct str s);
bool str_utf8_valid(struct str a);

#endif
