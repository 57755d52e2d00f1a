/* A proof in a file, which needs nothing else but the log's key: C2SP tlog-proof. */
#include "tlog/lines.h"
#include "tlog/note.h"

static const struct str proof_head = {"c2sp.org/tlog-proof@v1", 22}, proof_extra = {"extra ", 6};

static enum err proof_extra_read(struct str text, struct arena *a, struct str *ret, struct fault *f)
{
    size_t n, max = text.n / 4 * 3;
    if (!text.n || max > PROOF_EXTRA + 2)
        return fault_set(f, ERR_SYNTAX, "line 2: extra data must be 1 to %d bytes", PROOF_EXTRA);
    unsigned char *bytes = arena_raw(a, max + 1, 1);
    if (!bytes)
        return fault_set(f, ERR_NOMEM, "no memory for a proof");
    if (enc_unb64(text, bytes, max + 1, &n) || n > PROOF_EXTRA)
        return fault_set(f, ERR_SYNTAX, "line 2: extra data must be base64");
    *ret = (struct str){(char *)bytes, n};
    return ERR_OK;
}

enum err proof_file_parse(struct str bytes, struct arena *a, struct proof_file *ret, struct fault *f)
{
    struct proof_file p = {.extra = STR_NONE};
    struct str rest = bytes, line;
    unsigned at = 2;
    if (bytes.n > PROOF_BYTES)
        return fault_set(f, ERR_SYNTAX, "a proof's file must be at most %d bytes", PROOF_BYTES);
    if (!tlog_line(&rest, &line) || !str_eq(line, proof_head))
        return fault_set(f, ERR_SYNTAX, "a proof's first line must be " STR_FMT, STR_ARG(proof_head));
    bool more = tlog_line(&rest, &line);
    if (more && str_starts(line, proof_extra)) {
        TRY(proof_extra_read(str_skip(line, proof_extra.n), a, &p.extra, f));
        more = tlog_line(&rest, &line);
        at++;
    }
    if (!more || !tlog_line_number(line, STR("index"), &p.index))
        return fault_set(f, ERR_SYNTAX, "line %u must be \"index\" and the entry's number in the log, from 0 on", at);
    TRY(tlog_lines_proof(&rest, at + 1, TLOG_PROOF, &p.proof, f));
    if (!rest.n || rest.n > NOTE_BYTES)
        return fault_set(f, ERR_SYNTAX, "a checkpoint must follow the proof");
    p.checkpoint = rest;
    *ret = p;
    return ERR_OK;
}

void proof_file_write(const struct proof_file *p, struct buf *out)
{
    buf_str(out, proof_head);
    buf_char(out, '\n');
    if (p->extra.n) {
        buf_str(out, proof_extra);
        size_t n = (p->extra.n + 2) / 3 * 4;
        if (buf_room(out, n + 1)) {
            enc_b64(p->extra.p, p->extra.n, out->p + out->n);
            out->n += n;
        }
        buf_char(out, '\n');
    }
    buf_fmt(out, "index %llu\n", (unsigned long long)p->index);
    tlog_put_proof(&p->proof, out);
    buf_str(out, p->checkpoint);
}
