#include "tlog/note.h"

#include <endian.h>
#include <sodium.h>
#include <stdio.h>

static const struct str note_dash = {"\xe2\x80\x94 ", 4}; /* an em dash and a space */
enum { NOTE_ED25519_BYTES = 64, NOTE_COSIGNATURE_BYTES = 8 + 64 };
enum { NOTE_LINE = 8192 }; /* signatures of post-quantum algorithms are long, too */

/* What a cosignature signs (tlog-cosignature, "Format"). */
static void note_cosigned(uint64_t time, struct str text, struct buf *out)
{
    buf_fmt(out, "cosignature/v1\ntime %llu\n", (unsigned long long)time);
    buf_str(out, text);
}

static enum err note_line(struct str line, struct note_signature *ret)
{
    unsigned char bytes[4 + NOTE_LINE];
    struct str name, rest = str_skip(line, note_dash.n);
    size_t n = 0;
    if (!str_starts(line, note_dash) || line.n > NOTE_LINE || !str_cut(&rest, ' ', &name) || !name.n ||
        memchr(name.p, '+', name.n) || enc_unb64(rest, bytes, sizeof(bytes), &n) || n < 5)
        return ERR_SYNTAX;
    ret->name = name;
    ret->hash = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
    ret->n = n - 4;
    memcpy(ret->bytes, bytes + 4, ret->n < sizeof(ret->bytes) ? ret->n : sizeof(ret->bytes));
    return ERR_OK;
}

/* Control characters have no place in a note (signed-note, "Format"). */
static bool note_plain(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' && s.p[i] != '\n')
            return false;
    return true;
}

enum err note_parse(struct str bytes, struct note *ret, struct fault *f)
{
    if (bytes.n > NOTE_BYTES)
        return fault_set(f, ERR_SYNTAX, "a signed note must be at most %d bytes", NOTE_BYTES);
    if (!bytes.n || bytes.p[bytes.n - 1] != '\n' || !str_utf8_valid(bytes) || !note_plain(bytes))
        return fault_set(f, ERR_SYNTAX, "a signed note must be lines of UTF-8 text");
    /* The last empty line stands before the signatures. */
    size_t at = bytes.n - 1;
    while (at > 0 && !(bytes.p[at] == '\n' && bytes.p[at - 1] == '\n'))
        at--;
    if (!at)
        return fault_set(f, ERR_SYNTAX, "a signed note must have an empty line before its signatures");
    ret->text = (struct str){bytes.p, at};
    ret->count = 0;
    for (struct str rest = str_skip(bytes, at + 1), line; rest.n;) {
        const char *from = rest.p;
        str_cut(&rest, '\n', &line);
        if (ret->count == NOTE_SIGNATURES)
            return fault_set(f, ERR_SYNTAX, "a signed note must have at most %d signatures", NOTE_SIGNATURES);
        struct note_signature *s = &ret->signature[ret->count];
        if (note_line(line, s))
            return fault_set(f, ERR_SYNTAX, "signature %u of a note is not written as one", ret->count + 1);
        s->line = (struct str){from, line.n + 1};
        ret->count++;
    }
    return ret->count ? ERR_OK : fault_set(f, ERR_SYNTAX, "a signed note must have a signature");
}

static bool note_good(struct str text, const struct note_signature *s, const struct note_verifier *v,
                      uint64_t *ret_time)
{
    if (v->alg == NOTE_ED25519) {
        *ret_time = 0;
        return s->n == NOTE_ED25519_BYTES &&
               crypto_sign_verify_detached(s->bytes, (const unsigned char *)text.p, text.n, v->key) == 0;
    }
    uint64_t time;
    struct buf b CLEANUP(buf_done) = {0};
    if (s->n != NOTE_COSIGNATURE_BYTES)
        return false;
    memcpy(&time, s->bytes, 8);
    *ret_time = be64toh(time);
    buf_init(&b, NOTE_BYTES + 128);
    note_cosigned(*ret_time, text, &b);
    return !buf_failed(&b) && crypto_sign_verify_detached(s->bytes + 8, (const unsigned char *)b.p, b.n, v->key) == 0;
}

enum err note_verify(const struct note *n, const struct note_verifier *v, uint64_t *ret_time, struct fault *f)
{
    bool found = false;
    uint64_t time;
    for (unsigned i = 0; i < n->count; i++) {
        const struct note_signature *s = &n->signature[i];
        if (s->hash != v->hash || !str_is(s->name, v->name))
            continue;
        found = true;
        if (!note_good(n->text, s, v, &time))
            return fault_set(f, ERR_CORRUPT, "the signature of %s+%08x is not of this text", v->name, v->hash);
        if (ret_time)
            *ret_time = time;
    }
    return found ? ERR_OK : fault_set(f, ERR_NOT_FOUND, "it is not signed by %s+%08x", v->name, v->hash);
}

enum err note_sign(struct str text, const struct note_signer *s, uint64_t time, struct buf *out, struct fault *f)
{
    unsigned char bytes[4 + NOTE_COSIGNATURE_BYTES];
    char b64[(sizeof(bytes) + 2) / 3 * 4 + 1];
    const uint32_t hash = htobe32(s->public.hash);
    const uint64_t when = htobe64(time);
    bool timed = s->public.alg == NOTE_COSIGNATURE;
    size_t at = 4;
    struct buf b CLEANUP(buf_done);
    buf_init(&b, NOTE_BYTES + 128);
    memcpy(bytes, &hash, 4);
    if (timed) {
        memcpy(bytes + at, &when, 8);
        at += 8;
        note_cosigned(time, text, &b);
        if (buf_failed(&b))
            return fault_set(f, ERR_NOMEM, "no memory to sign");
        text = buf_view(&b);
    }
    crypto_sign_detached(bytes + at, NULL, (const unsigned char *)text.p, text.n, secret_bytes(s->secret));
    enc_b64(bytes, at + crypto_sign_BYTES, b64);
    buf_str(out, note_dash);
    buf_fmt(out, "%s %s\n", s->public.name, b64);
    return buf_failed(out) ? fault_set(f, ERR_NOMEM, "no memory for a signature") : ERR_OK;
}
