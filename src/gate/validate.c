/*
 * The arguments, once: against the tool's own schema, then into canonical form. What is judged from here on, what a
 * person would approve, what is sent and what is recorded are these bytes; their SHA-256 is the call's digest.
 */
#include "base/enc.h"
#include "gate/gate.h"
#include "gate/stage.h"

static enum verdict validate_canonical(struct call *c, const struct json *doc, uint32_t node)
{
    struct buf b;
    buf_init(&b, doc->text.n * 5 + 64); /* 1e20 is written with all its digits */
    enum err e = json_canonical(doc, node, &b, c->arena);
    struct str copy = e ? STR_NONE : arena_str(c->arena, buf_view(&b));
    buf_done(&b);
    if (e || !copy.p)
        return gate_deny(c, e ? e : ERR_NOMEM, "the arguments cannot be brought into canonical form within the bounds");
    unsigned char hash[SHA256_BYTES];
    enc_sha256(copy.p, copy.n, hash);
    enc_hex(hash, sizeof(hash), c->digest);
    c->arguments = copy;
    return VERDICT_NEXT;
}

enum verdict stage_validate(struct call *c)
{
    static struct json_node none_nodes[] = {{.type = JSON_NONE}, {.off = 0, .len = 2, .next = 2, .type = JSON_OBJECT}};
    static const struct json none = {.text = {"{}", 2}, .node = none_nodes, .count = 2};
    const struct json *doc = c->arguments_node ? c->doc : &none; /* no arguments are no members */
    uint32_t arguments = c->arguments_node ? c->arguments_node : JSON_ROOT;
    if (c->kind != CALL_TOOL) /* no schema is declared for what else servers offer; they judge it themselves */
        return validate_canonical(c, doc, arguments);
    if (!c->tool->input)
        return gate_deny(c, ERR_SCHEMA_UNUSABLE, "%s", c->tool->fault.text);
    struct fault f;
    enum err e = schema_validate(c->tool->input, doc, arguments, c->arena, &f);
    if (e) {
        c->fault = f;
        c->fault.err = e;
        return VERDICT_DENY;
    }
    return validate_canonical(c, doc, arguments);
}
