#include "passkey/cbor.h"

static enum err cbor_fault(const struct cbor *c, struct fault *f, const char *what)
{
    return fault_set(f, ERR_SYNTAX, "CBOR, byte %zu: %s", c->at, what);
}

static size_t cbor_left(const struct cbor *c)
{
    return c->text.n - c->at;
}

/* The number that the head carries: in it, or in the 1, 2, 4 or 8 bytes behind it. */
static enum err cbor_number(struct cbor *c, unsigned info, uint64_t *ret, struct fault *f)
{
    static const uint64_t least[] = {24, 1u << 8, 1u << 16, 1ull << 32};
    if (info < 24) {
        *ret = info;
        return ERR_OK;
    }
    if (info > 27)
        return cbor_fault(c, f, info == 31 ? "an indefinite length is not taken" : "there is no such head");
    size_t n = (size_t)1 << (info - 24);
    uint64_t v = 0;
    if (cbor_left(c) < n)
        return cbor_fault(c, f, "the bytes end within a number");
    for (size_t i = 0; i < n; i++)
        v = v << 8 | (unsigned char)c->text.p[c->at + i];
    if (v < least[info - 24])
        return cbor_fault(c, f, "a number is written in more bytes than it needs");
    c->at += n;
    *ret = v;
    return ERR_OK;
}

static enum err cbor_string(struct cbor *c, struct cbor_item *i, struct fault *f)
{
    if (i->number > cbor_left(c))
        return cbor_fault(c, f, "a string is longer than what is left");
    i->bytes = (struct str){c->text.p + c->at, (size_t)i->number};
    if (i->type == CBOR_TEXT && !str_utf8_valid(i->bytes))
        return cbor_fault(c, f, "a text is not UTF-8");
    c->at += i->bytes.n;
    return ERR_OK;
}

/* Each member takes a byte at least. */
static enum err cbor_container(const struct cbor *c, const struct cbor_item *i, struct fault *f)
{
    uint64_t each = i->type == CBOR_MAP ? 2 : 1;
    if (i->number > CBOR_MEMBERS || i->number * each > cbor_left(c))
        return cbor_fault(c, f, "a container has more members than are taken, or than there are");
    return ERR_OK;
}

enum err cbor_next(struct cbor *c, struct cbor_item *ret, struct fault *f)
{
    struct cbor at = *c;
    if (!cbor_left(&at))
        return cbor_fault(&at, f, "the bytes end where a value should be");
    unsigned head = (unsigned char)at.text.p[at.at++];
    struct cbor_item i = {.type = (enum cbor_type)(head >> 5)};
    if (i.type == CBOR_TAG)
        return cbor_fault(c, f, "a tag is not taken");
    if (i.type == CBOR_SIMPLE && ((head & 31) < 20 || (head & 31) > 22))
        return cbor_fault(c, f, "only false, true and null are taken here");
    TRY(cbor_number(&at, head & 31, &i.number, f));
    if (i.type == CBOR_BYTES || i.type == CBOR_TEXT)
        TRY(cbor_string(&at, &i, f));
    if (i.type == CBOR_ARRAY || i.type == CBOR_MAP)
        TRY(cbor_container(&at, &i, f));
    *c = at;
    *ret = i;
    return ERR_OK;
}

static enum err cbor_walk(struct cbor *c, int depth, struct str *ret, struct fault *f);

/* One spelling for each value: keys are the same when their bytes are. */
static enum err cbor_key(struct cbor *c, int depth, struct str *seen, size_t n, struct fault *f)
{
    struct cbor before = *c;
    struct str key;
    TRY(cbor_walk(c, depth, &key, f));
    if ((unsigned char)key.p[0] >> 5 > CBOR_TEXT)
        return cbor_fault(&before, f, "a key must be a number or a string");
    for (size_t i = 0; i < n; i++)
        if (str_eq(seen[i], key))
            return cbor_fault(&before, f, "a key is there twice");
    seen[n] = key;
    return ERR_OK;
}

static enum err cbor_walk(struct cbor *c, int depth, struct str *ret, struct fault *f)
{
    size_t from = c->at;
    struct cbor_item i;
    struct str seen[CBOR_MEMBERS], member;
    TRY(cbor_next(c, &i, f));
    if (i.type == CBOR_ARRAY || i.type == CBOR_MAP) {
        if (depth == CBOR_DEPTH)
            return cbor_fault(c, f, "containers are within one another too deep");
        for (size_t k = 0; k < i.number; k++) {
            if (i.type == CBOR_MAP)
                TRY(cbor_key(c, depth + 1, seen, k, f));
            TRY(cbor_walk(c, depth + 1, &member, f));
        }
    }
    *ret = (struct str){c->text.p + from, c->at - from};
    return ERR_OK;
}

enum err cbor_whole(struct cbor *c, struct str *ret, struct fault *f)
{
    struct cbor at = *c;
    TRY(cbor_walk(&at, 0, ret, f));
    *c = at;
    return ERR_OK;
}

bool cbor_integer(const struct cbor_item *i, int64_t *ret)
{
    if (i->type > CBOR_NEGATIVE || i->number > INT64_MAX)
        return false;
    *ret = i->type == CBOR_NEGATIVE ? -1 - (int64_t)i->number : (int64_t)i->number;
    return true;
}
