/*
 * CBOR (RFC 8949), the part that authenticators write: the canonical form of CTAP2 (section 8 of its specification), in
 * which every value has one spelling. Lengths are definite and written in the fewest bytes; there are no tags, no
 * floating-point numbers, at most CBOR_DEPTH containers within one another; a map has no key twice. Only the order of
 * keys is left free, since browsers are not of one mind about it.
 *
 * A cursor over the caller's bytes; nothing is allocated or copied. A length is believed only when the bytes are there.
 * Only for passkey/.
 */
#ifndef PASSKEY_CBOR_H
#define PASSKEY_CBOR_H

#include "base/err.h"
#include "base/str.h"

enum { CBOR_DEPTH = 4, CBOR_MEMBERS = 64 /* of one array or map */ };
enum cbor_type { CBOR_UNSIGNED, CBOR_NEGATIVE, CBOR_BYTES, CBOR_TEXT, CBOR_ARRAY, CBOR_MAP, CBOR_TAG, CBOR_SIMPLE };

struct cbor {
    struct str text; /* the whole, for places in messages */
    size_t at;
};

struct cbor_item {
    enum cbor_type type;
    uint64_t number;  /* as it stands: of a negative -1 - number; of a container its members (a map: pairs) */
    struct str bytes; /* of bytes and text */
};

/* One item; of a container only its head. ERR_SYNTAX says where and what is wrong. */
enum err cbor_next(struct cbor *c, struct cbor_item *ret, struct fault *f) MUST_USE;
/* One whole item with all that is in it, checked as said above; *ret is its bytes. */
enum err cbor_whole(struct cbor *c, struct str *ret, struct fault *f) MUST_USE;
/* An integer as int64_t; false for anything else. */
bool cbor_integer(const struct cbor_item *i, int64_t *ret);

#endif
