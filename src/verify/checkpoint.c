#include <stdlib.h>

#include "base/clock.h"
#include "verify/verify.h"

void verify_checkpoint_freep(struct verify_checkpoint **c)
{
    if (*c)
        buf_done(&(*c)->text);
    free(*c);
}

static enum err checkpoint_signed(const struct verify *v, struct verify_checkpoint *c, struct fault *f)
{
    bool named = false, found = false;
    for (unsigned i = 0; i < v->keys.n; i++) {
        if (!str_is(c->is.origin, v->keys.v[i].name))
            continue;
        named = true;
        enum err e = note_verify(&c->note, &v->keys.v[i], NULL, f);
        if (e && e != ERR_NOT_FOUND)
            return e;
        if (!e && !found)
            c->signer = i;
        found = found || !e;
    }
    if (found)
        return ERR_OK;
    return named ? fault_set(f, ERR_CORRUPT, "is signed by none of the keys that were given")
                 : fault_set(f, ERR_CORRUPT, "is of the log \"" STR_FMT "\", and no key of that name was given",
                             STR_ARG(c->is.origin));
}

static enum err checkpoint_witnessed(const struct verify *v, struct verify_checkpoint *c, struct fault *f)
{
    for (unsigned i = 0; i < v->witnesses.n; i++)
        if (note_verify(&c->note, &v->witnesses.v[i], &c->time[i], f))
            return f->err = ERR_CORRUPT;
    return ERR_OK;
}

/* c->text is there. */
static enum err checkpoint_check(const struct verify *v, struct verify_checkpoint *c, struct fault *f)
{
    TRY(note_parse(buf_view(&c->text), &c->note, f));
    TRY(checkpoint_parse(c->note.text, &c->is, f));
    TRY(checkpoint_signed(v, c, f));
    return checkpoint_witnessed(v, c, f);
}

enum err verify_checkpoint_of(struct verify *v, const char *path, struct str text, struct verify_checkpoint **ret,
                              struct fault *f)
{
    if (!v->keys.n)
        return fault_set(f, ERR_USAGE, "--key must be given: a checkpoint is worth what its signature is");
    struct verify_checkpoint *c = calloc(1, sizeof(*c));
    if (!c)
        return fault_set(f, ERR_NOMEM, "no memory for a checkpoint");
    enum err e = ERR_OK;
    buf_init(&c->text, NOTE_BYTES);
    buf_str(&c->text, text);
    if (buf_failed(&c->text)) {
        e = fault_set(f, ERR_NOMEM, "%s: no memory for a checkpoint", path);
    } else if (checkpoint_check(v, c, f)) {
        fault_wrap(f, "%s: the checkpoint", path);
        e = f->err = ERR_CORRUPT;
    }
    if (e)
        verify_checkpoint_freep(&c);
    else
        *ret = c;
    return e;
}

enum err verify_checkpoint_file(struct verify *v, const char *path, struct verify_checkpoint **ret, struct fault *f)
{
    struct buf b CLEANUP(buf_done) = {0};
    TRY(file_read(path, NOTE_BYTES, &b, f));
    return verify_checkpoint_of(v, path, buf_view(&b), ret, f);
}

static void say_key(struct json_out *o, const struct note_verifier *k)
{
    char text[NOTE_NAME + 16];
    snprintf(text, sizeof(text), "%s+%08x", k->name, k->hash);
    json_kv_z(o, "key", text);
}

static void say_json(struct verify *v, const struct verify_checkpoint *c, const char *root, struct json_out *o)
{
    char when[CLOCK_RFC3339];
    json_kv_str(o, "origin", c->is.origin);
    json_kv_i64(o, "size", (int64_t)c->is.size);
    json_kv_z(o, "root", root);
    say_key(o, &v->keys.v[c->signer]);
    json_key(o, STR("witnesses"));
    json_open(o, '[');
    for (unsigned i = 0; i < v->witnesses.n; i++) {
        json_open(o, '{');
        say_key(o, &v->witnesses.v[i]);
        if (c->time[i]) {
            clock_format((int64_t)c->time[i] * 1000, when);
            json_kv_z(o, "time", when);
        }
        json_close(o, '}');
    }
    json_close(o, ']');
}

void verify_checkpoint_say(struct verify *v, const struct verify_checkpoint *c, struct json_out *o)
{
    char root[48], when[CLOCK_RFC3339];
    const struct note_verifier *k = &v->keys.v[c->signer];
    enc_b64(c->is.root.b, SHA256_BYTES, root);
    if (v->json) {
        say_json(v, c, root, o);
        return;
    }
    buf_fmt(&v->out, "checkpoint   %llu entries, root %s\nsigned by    %s+%08x\n", (unsigned long long)c->is.size, root,
            k->name, k->hash);
    for (unsigned i = 0; i < v->witnesses.n; i++) {
        buf_fmt(&v->out, "witnessed by %s+%08x", v->witnesses.v[i].name, v->witnesses.v[i].hash);
        clock_format((int64_t)c->time[i] * 1000, when);
        if (c->time[i])
            buf_fmt(&v->out, " at %s", when);
        buf_char(&v->out, '\n');
    }
}
