/* What a witness is asked, and what its answer is worth (C2SP tlog-witness, "add-checkpoint"). */
#include <inttypes.h>
#include <stdlib.h>

#include "sink/party.h"

enum { WITNESS_BODY = NOTE_BYTES + (16 << 10), WITNESS_TURNS = 3 };

static enum err witness_body(struct party *p, struct str note, uint64_t size, struct buf *body, struct fault *f)
{
    const struct tlog_tiles tiles = {tlog_folder_tile, p->audit_dir};
    struct tlog_proof proof = {.n = 0};
    if (p->known && p->known != size)
        TRY(tlog_prove_consistency(&tiles, p->known, size, &proof, f));
    buf_clear(body);
    witness_request_write(p->known, &proof, note, body);
    return buf_failed(body) ? fault_set(f, ERR_NOMEM, "no memory to ask a witness") : ERR_OK;
}

/* Of the lines of the answer those that the witness's key made of this text: others are not looked at ("The client MUST
 * ignore any cosignatures from unknown keys"). */
static enum err witness_lines(const struct note_verifier *key, struct str text, struct note *answer, struct buf *lines,
                              struct fault *f)
{
    struct note *one = calloc(1, sizeof(*one));
    if (!one)
        return fault_set(f, ERR_NOMEM, "no memory for a cosignature");
    enum err e = fault_set(f, ERR_NOT_FOUND, "it answered without a cosignature of %s+%08x", key->name, key->hash);
    one->text = text;
    one->count = 1;
    for (unsigned i = 0; i < answer->count && e; i++) {
        one->signature[0] = answer->signature[i];
        if (answer->signature[i].hash != key->hash || !str_is(answer->signature[i].name, key->name))
            continue;
        e = note_verify(one, key, NULL, f);
        if (!e)
            buf_str(lines, one->signature[0].line);
    }
    free(one);
    return e;
}

static enum err witness_check(struct party *p, struct str note, struct str body, struct buf *lines, struct fault *f)
{
    struct note_verifier key;
    struct note *n = malloc(sizeof(*n)); /* of the checkpoint, and then of its text with the answer's lines */
    struct buf b CLEANUP(buf_done);
    buf_init(&b, NOTE_BYTES);
    if (!n)
        return fault_set(f, ERR_NOMEM, "no memory for a cosignature");
    enum err e = note_verifier_parse(p->witness->key, &key, f);
    if (!e)
        e = note_parse(note, n, f);
    struct str text = e ? STR_NONE : n->text;
    buf_str(&b, text);
    buf_char(&b, '\n');
    buf_str(&b, body);
    if (!e && buf_failed(&b))
        e = fault_set(f, ERR_NOMEM, "no memory for a cosignature");
    if (!e && note_parse(buf_view(&b), n, f))
        e = fault_set(f, ERR_UPSTREAM_GARBAGE, "it answered with something that is no cosignature");
    if (!e)
        e = witness_lines(&key, text, n, lines, f);
    free(n);
    return e;
}

static enum err witness_signed(struct party *p, struct str note, struct str body, struct fault *f)
{
    struct buf lines CLEANUP(buf_done);
    buf_init(&lines, 64u << 10);
    TRY(witness_check(p, note, body, &lines, f));
    pthread_mutex_lock(&p->lock);
    enum err e =
        p->stop ? fault_set(f, ERR_STOPPING, "the gateway stops") : audit_cosign(p->audit, note, buf_view(&lines), f);
    pthread_mutex_unlock(&p->lock);
    return e;
}

/* 409: the tree that it has is another one than we thought; it says how large. *ret_again: the proof has to begin
 * there.
 */
static enum err witness_conflict(struct party *p, const struct sink_http_answer *a, uint64_t size, bool *ret_again,
                                 struct fault *f)
{
    uint64_t has;
    struct str text = a->body;
    if (text.n && text.p[text.n - 1] == '\n')
        text.n--;
    if (!str_u64(text, &has)) /* of a tree as large as ours it says nothing */
        return fault_set(f, ERR_CONFLICT,
                         "it has another tree of %" PRIu64 " entries: this record was changed, or "
                         "another gateway signs with its key",
                         p->known);
    if (has > size)
        return fault_set(f, ERR_CONFLICT,
                         "it has seen %" PRIu64 " entries, and here are %" PRIu64 ": entries that it saw are missing "
                         "here, or another gateway signs with this record's key",
                         has, size);
    *ret_again = has != p->known;
    if (has == p->known)
        return fault_set(f, ERR_CONFLICT,
                         "the tree of %" PRIu64 " entries that it has is no beginning of this one: this record was "
                         "changed, or another gateway signs with its key",
                         has);
    p->known = has;
    return ERR_OK;
}

static enum err witness_refused(const struct sink_http_answer *a, struct fault *f)
{
    switch (a->status) {
    case 404: return fault_set(f, ERR_UPSTREAM, "it does not know this record's origin: its operator has to enter it");
    case 403:
        return fault_set(f, ERR_UPSTREAM,
                         "it trusts none of the keys that signed the checkpoint: its operator has to "
                         "enter the new one");
    case 422:
        return fault_set(f, ERR_CONFLICT,
                         "the tree that it has is no beginning of this one: this record was changed, "
                         "or another gateway signs with its key");
    default: return fault_set(f, ERR_UPSTREAM, "it answered with status %d", a->status);
    }
}

static enum err witness_open(struct party *p, struct fault *f)
{
    const struct sink_http_to to = {.url = p->witness->url, .ca = p->witness->ca};
    return p->http ? ERR_OK : sink_http_new(&to, &p->http, f);
}

enum err witness_ask(struct party *p, struct str note, uint64_t size, struct fault *f)
{
    struct buf body CLEANUP(buf_done);
    struct sink_http_answer a;
    buf_init(&body, WITNESS_BODY);
    TRY(witness_open(p, f));
    for (unsigned turn = 0; turn < WITNESS_TURNS; turn++) {
        bool again = false;
        TRY(witness_body(p, note, size, &body, f));
        const struct sink_http_post post = {
            .path = "/add-checkpoint", .body = buf_view(&body), .timeout_ms = PARTY_TIMEOUT_MS, .stop = &p->stop};
        TRY(sink_http_post(p->http, &post, &a, f));
        p->asked_ms = a.retry_after_ms;
        if (a.status == 200) {
            TRY(witness_signed(p, note, a.body, f));
            p->known = size;
            return ERR_OK;
        }
        if (a.status != 409)
            return witness_refused(&a, f);
        TRY(witness_conflict(p, &a, size, &again, f));
        if (!again)
            break;
    }
    return fault_set(f, ERR_CONFLICT, "it names another size each time that it is asked");
}
