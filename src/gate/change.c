/*
 * Arguments that policies change (@set). The changed ones are judged by the tool's schema again; they are what is sent
 * and recorded, and the digest is of them.
 */
#include "gate/gate.h"
#include "gate/rewrite.h"
#include "gate/stage.h"

static enum err change_one(struct call *c, const struct duty_set *set, struct fault *f)
{
    TRY(rewrite_doc(c->doc, c->arguments_node, set->path, set->value, c->arena, &c->doc, f));
    c->arguments_node = JSON_ROOT;
    return ERR_OK;
}

static struct str change_paths(struct call *c, const struct duty *d)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 16384);
    struct json_out o = json_out(&b);
    json_open(&o, '[');
    for (unsigned i = 0; i < d->sets; i++)
        json_put_str(&o, d->set[i].path);
    json_close(&o, ']');
    return arena_buf(c->arena, &b);
}

enum verdict duty_change(struct call *c, const struct duty *d)
{
    struct fault f;
    if (!d->sets)
        return VERDICT_NEXT;
    c->judged = c->arguments;
    record_seals(c); /* before they change what is marked */
    memcpy(c->judged_digest, c->digest, sizeof(c->judged_digest));
    for (unsigned i = 0; i < d->sets; i++) {
        enum err e = change_one(c, &d->set[i], &f);
        if (e)
            return gate_deny(c, e == ERR_NOMEM ? e : ERR_POLICY,
                             "the arguments cannot be changed as the policies want it: %s", f.text);
    }
    c->changed = change_paths(c, d);
    if (stage_validate(c) == VERDICT_NEXT)
        return VERDICT_NEXT;
    f = c->fault;
    return gate_deny(c, ERR_POLICY, "the arguments as the policies change them are refused: %s", f.text);
}
