/*
 * Extension types: decimal, ipaddr, datetime, duration. One table (ext.def) names each function and method with its
 * argument and result kinds; parser, evaluator, type checker and JSON forms go by it.
 */
#ifndef CEDAR_EXT_H
#define CEDAR_EXT_H

#include "cedar/value.h"

/* ext.def: EXT(NAME, "name", style, result, n, kinds of two arguments) */
enum cedar_ext {
    CEDAR_EXT_NONE,
#define EXT(name, text, style, result, n, ...) CEDAR_EXT_##name,
#include "cedar/ext.def"
#undef EXT
    CEDAR_EXT_COUNT
};

enum cedar_ext_style { CEDAR_FUNCTION, CEDAR_METHOD };

struct cedar_ext_info {
    const char *name;
    enum cedar_ext_style style;
    enum cedar_kind result;
    unsigned n; /* arguments, the receiver of a method included */
    enum cedar_kind arg[2];
};
const struct cedar_ext_info *cedar_ext_info(enum cedar_ext fn);
enum cedar_ext cedar_ext_find(struct str name, enum cedar_ext_style style); /* CEDAR_EXT_NONE: unknown */

/* ERR_SYNTAX: the text is not one (the fault says what would be right); ERR_NOMEM. */
enum err cedar_decimal_parse(struct str text, struct cedar_value *ret, struct fault *f) MUST_USE;
enum err cedar_ip_parse(struct str text, struct arena *a, struct cedar_value *ret, struct fault *f) MUST_USE;
enum err cedar_datetime_parse(struct str text, struct cedar_value *ret, struct fault *f) MUST_USE;
enum err cedar_duration_parse(struct str text, struct cedar_value *ret, struct fault *f) MUST_USE;
/* Calls fn on n arguments (cedar_ext_info.n) of any kinds. ERR_TYPE-like faults are ERR_SYNTAX with words; f may be
 * NULL where nobody reads them. */
enum err cedar_ext_call(enum cedar_ext fn, const struct cedar_value *arg, struct arena *a, struct cedar_value *ret,
                        struct fault *f) MUST_USE;
/* The text that a constructor takes to give this value: "10.0.0.0/8", "1.5", "2024-10-15T11:35:00.000Z", "1d2h". A
 * datetime outside of the years 0 to 9999 has none (it is an offset from 1970-01-01): nothing is written then. */
void cedar_ext_text(struct cedar_value v, struct buf *out);
#define CEDAR_EXT_TEXT 64
struct str cedar_ext_write(struct cedar_value v, char room[static CEDAR_EXT_TEXT]); /* likewise; a view of room */
enum cedar_ext cedar_ext_constructor(enum cedar_kind k); /* CEDAR_EXT_NONE: k is no extension type */

#endif
