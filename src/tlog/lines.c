#include "tlog/lines.h"

enum { HASH_TEXT = 44 };

bool tlog_line(struct str *rest, struct str *ret)
{
    struct str all = *rest;
    if (str_cut(rest, '\n', ret))
        return true;
    *rest = all;
    return false;
}

bool tlog_line_number(struct str line, struct str word, uint64_t *ret)
{
    uint64_t v;
    struct str number = str_skip(line, word.n + 1);
    if (!str_starts(line, word) || line.n <= word.n + 1 || line.p[word.n] != ' ' || !str_u64(number, &v) || v >> 63 ||
        (number.p[0] == '0' && number.n > 1))
        return false;
    *ret = v;
    return true;
}

bool tlog_line_hash(struct str line, struct tlog_hash *ret)
{
    unsigned char bytes[SHA256_BYTES + 1];
    size_t n;
    if (line.n != HASH_TEXT || enc_unb64(line, bytes, sizeof(bytes), &n) || n != SHA256_BYTES)
        return false;
    memcpy(ret->b, bytes, SHA256_BYTES);
    return true;
}

enum err tlog_lines_proof(struct str *rest, unsigned first, unsigned max, struct tlog_proof *ret, struct fault *f)
{
    struct str line;
    ret->n = 0;
    for (unsigned at = first; tlog_line(rest, &line); at++) {
        if (!line.n)
            return ERR_OK;
        if (ret->n == max)
            return fault_set(f, ERR_SYNTAX, "line %u: no proof has more than %u hashes", at, max);
        if (!tlog_line_hash(line, &ret->v[ret->n]))
            return fault_set(f, ERR_SYNTAX, "line %u must be a SHA-256 hash in base64, or empty", at);
        ret->n++;
    }
    return fault_set(f, ERR_SYNTAX, "an empty line and a checkpoint must follow the proof");
}

void tlog_put_proof(const struct tlog_proof *p, struct buf *out)
{
    char text[HASH_TEXT + 1];
    for (unsigned i = 0; i < p->n; i++) {
        enc_b64(p->v[i].b, SHA256_BYTES, text);
        buf_z(out, text);
        buf_char(out, '\n');
    }
    buf_char(out, '\n');
}
