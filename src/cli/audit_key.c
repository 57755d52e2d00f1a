/* The keys that sign the record's checkpoints: made, and shown as verifiers take them. */
#include "audit/key.h"

#include "cli/cli.h"

static void key_json(struct json_out *o, const struct note_verifier *v)
{
    struct buf text CLEANUP(buf_done);
    char hash[16];
    buf_init(&text, NOTE_KEY);
    note_verifier_write(v, &text);
    snprintf(hash, sizeof(hash), "%08x", v->hash);
    json_open(o, '{');
    json_kv_z(o, "hash", hash);
    json_kv_str(o, "key", buf_view(&text));
    json_kv_z(o, "name", v->name);
    json_close(o, '}');
}

static void key_line(const struct note_verifier *v)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, NOTE_KEY);
    note_verifier_write(v, &text);
    printf(STR_FMT "\n", STR_ARG(buf_view(&text)));
}

enum err cli_run_audit_rotate(struct cli *c, struct fault *f)
{
    struct note_verifier made;
    TRY(cli_config(c, f));
    TRY(audit_keys_new(c->conf->root.audit.keys.p, c->conf->root.audit.origin, &made, f));
    if (c->json) {
        struct buf b CLEANUP(buf_done);
        buf_init(&b, 4096);
        struct json_out o = json_out(&b);
        key_json(&o, &made);
        cli_print_json(buf_view(&b));
        return ERR_OK;
    }
    key_line(&made);
    fprintf(stderr, "It signs from the gateway's next reload (doorward reload) or start on. Give this line to whoever "
                    "verifies the record.\n");
    return ERR_OK;
}

enum err cli_run_audit_keys(struct cli *c, struct fault *f)
{
    struct note_verifiers v;
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 1u << 20);
    TRY(cli_config(c, f));
    TRY(note_verifiers_read(c->conf->root.audit.keys.p, &v, f));
    struct json_out o = json_out(&b);
    json_open(&o, '{');
    json_key(&o, STR("keys"));
    json_open(&o, '[');
    for (size_t i = 0; i < v.n; i++) {
        if (c->json)
            key_json(&o, &v.v[i]);
        else
            key_line(&v.v[i]);
    }
    json_close(&o, ']');
    json_close(&o, '}');
    if (c->json)
        cli_print_json(buf_view(&b));
    note_verifiers_done(&v);
    return ERR_OK;
}
