/* Passkeys of who is signed in: added and removed, and what they are asked to sign. */
#include "admin/console.h"

#include "base/clock.h"

enum { KEYS_DETAILS = 8192, KEYS_PATH = 4096 };

/* ---- shown, and on record ---- */

void admin_passkey_write(struct admin_request *r, struct json_out *o, const struct store_passkey *k, bool rp)
{
    json_open(o, '{');
    json_kv_str(o, "id", admin_passkey_id(r, k));
    json_kv_str(o, "name", k->name);
    if (rp)
        json_kv_str(o, "rpId", k->rp);
    clock_kv(o, "createdAt", k->created);
    clock_kv(o, "lastUsedAt", k->used);
    json_close(o, '}');
}

void admin_passkey_note(struct admin_request *r, enum audit_event event, const struct store_passkey *k)
{
    struct buf details CLEANUP(buf_done);
    buf_init(&details, KEYS_DETAILS);
    struct json_out o = json_out(&details); /* in the order of RFC 8785 */
    json_open(&o, '{');
    if (event == AUDIT_PASSKEY_ADDED)
        json_kv_z(&o, "how", r->passkey.n ? "passkey" : "link");
    if (k->name.n)
        json_kv_str(&o, "name", k->name);
    json_kv_str(&o, "passkey", admin_passkey_id(r, k));
    json_kv_str(&o, "person", k->person);
    if (r->passkey.n)
        json_kv_str(&o, "provedBy", r->passkey);
    if (k->rp.n)
        json_kv_str(&o, "rpId", k->rp);
    if (r->console.id[0])
        json_kv_z(&o, "session", r->console.id);
    json_close(&o, '}');
    admin_note(r->admin, event, r->operator, STR_NONE, buf_view(&details));
}

enum err admin_console_whole(struct admin_request *r, struct fault *f)
{
    if (!arena_failed(r->arena))
        return ERR_OK;
    buf_clear(&r->out);
    return fault_set(f, ERR_NOMEM, "the answer does not fit into memory");
}

/* ---- what a browser is asked ---- */

static void keys_challenge(struct json_out *o, const unsigned char challenge[SHA256_BYTES])
{
    char text[SHA256_BYTES * 2];
    json_kv_str(o, "challenge", (struct str){text, enc_b64url(challenge, SHA256_BYTES, text)});
}

static void keys_credential(void *ctx, const struct store_passkey *k)
{
    struct admin_me *me = ctx;
    me->n++;
    json_open(me->o, '{');
    json_kv_z(me->o, "type", "public-key");
    json_kv_str(me->o, "id", admin_passkey_id(me->r, k));
    json_close(me->o, '}');
}

static unsigned keys_credentials(struct admin_request *r, const char *as, struct str rp, struct json_out *o)
{
    struct admin_me me = {.r = r, .o = o};
    json_key(o, str_of(as));
    json_open(o, '[');
    passkeys_each(r->admin->passkeys, r->console.name, rp, keys_credential, &me);
    json_close(o, ']');
    return me.n;
}

static void keys_user(struct admin_request *r, struct json_out *o)
{
    unsigned char user[PASSKEYS_USER];
    char text[PASSKEYS_USER * 2];
    passkeys_user(r->console.name, user);
    json_key(o, STR("user"));
    json_open(o, '{');
    json_kv_str(o, "id", (struct str){text, enc_b64url(user, sizeof(user), text)});
    json_kv_str(o, "name", r->console.name);
    json_kv_str(o, "displayName", r->console.name);
    json_close(o, '}');
}

/* PublicKeyCredentialCreationOptionsJSON (Web Authentication Level 3, 5.1.10). */
enum err admin_console_passkey_options(struct admin_request *r, struct fault *f)
{
    static const char *const keys[] = {NULL};
    unsigned char challenge[SHA256_BYTES];
    struct passkey_party party;
    TRY(admin_only(r, keys, f));
    TRY(admin_party(r, &party, f));
    if (console_enrol_challenge(r->admin->console, &r->console, challenge))
        return fault_set(f, ERR_SIGNED_OUT, "nobody is signed in here any more");
    struct json_out o = json_out(&r->out);
    json_open(&o, '{');
    keys_challenge(&o, challenge);
    json_key(&o, STR("rp"));
    json_open(&o, '{');
    json_kv_str(&o, "id", party.id);
    json_kv_z(&o, "name", "Doorward");
    json_close(&o, '}');
    keys_user(r, &o);
    json_kv_raw(&o, "pubKeyCredParams",
                STR("[{\"type\":\"public-key\",\"alg\":-8},{\"type\":\"public-key\",\"alg\":-7}]"));
    keys_credentials(r, "excludeCredentials", party.id, &o);
    json_kv_raw(&o, "authenticatorSelection",
                STR("{\"residentKey\":\"required\",\"requireResidentKey\":true,\"userVerification\":\"required\"}"));
    json_kv_z(&o, "attestation", "none");
    json_kv_i64(&o, "timeout", CONSOLE_CHALLENGE_MS);
    json_close(&o, '}');
    return admin_console_whole(r, f);
}

/* ---- a proof ---- */

static enum err proof_read(struct admin_request *r, struct console_request *q, struct fault *f)
{
    static const char *const keys[] = {"method", "path", "sha256", NULL};
    struct str hash;
    TRY(admin_only(r, keys, f));
    TRY(admin_str(r, "method", &q->method, f));
    TRY(admin_str(r, "path", &q->target, f));
    TRY(admin_str(r, "sha256", &hash, f));
    if (!str_is(q->method, "POST") && !str_is(q->method, "DELETE"))
        return fault_set(f, ERR_PARAMS, "method must be POST or DELETE");
    if (!str_starts(q->target, STR("/")) || q->target.n > KEYS_PATH)
        return fault_set(f, ERR_PARAMS, "path must be the path of the request, such as /admin/v1/approvals/apr_…");
    if (hash.n != 2 * sizeof(q->body) || !enc_unhex(hash, q->body, sizeof(q->body)))
        return fault_set(f, ERR_PARAMS, "sha256 must be that of the request's body, in hex");
    return ERR_OK;
}

enum err admin_console_proof_post(struct admin_request *r, struct fault *f)
{
    unsigned char challenge[SHA256_BYTES];
    struct console_request q;
    struct passkey_party party;
    TRY(proof_read(r, &q, f));
    TRY(admin_party(r, &party, f));
    if (console_proof_challenge(r->admin->console, &r->console, &q, challenge))
        return fault_set(f, ERR_SIGNED_OUT, "nobody is signed in here any more");
    struct json_out o = json_out(&r->out);
    json_open(&o, '{');
    keys_challenge(&o, challenge);
    json_kv_str(&o, "rpId", party.id);
    unsigned n = keys_credentials(r, "allowCredentials", party.id, &o);
    json_kv_i64(&o, "timeoutMs", CONSOLE_CHALLENGE_MS);
    json_close(&o, '}');
    if (n)
        return admin_console_whole(r, f);
    buf_clear(&r->out);
    return fault_set(f, ERR_PROOF,
                     "you have no passkey for " STR_FMT ": add one under Account; that takes a sign-in link when you "
                     "have none",
                     STR_ARG(party.id));
}

/* ---- added, removed ---- */

static enum err key_bytes(struct admin_request *r, const char *key, size_t max, struct str *ret, struct fault *f)
{
    struct str text;
    size_t n = 0;
    TRY(admin_str(r, key, &text, f));
    unsigned char *bytes = arena_raw(r->arena, max, 1);
    if (!bytes)
        return fault_set(f, ERR_NOMEM, "no memory for a passkey");
    if (!text.n || enc_unb64url(text, bytes, max, &n))
        return fault_set(f, ERR_PARAMS, "%s must be base64url without padding, of at most %zu bytes", key, max);
    *ret = (struct str){(const char *)bytes, n};
    return ERR_OK;
}

static enum err key_enrol(struct admin_request *r, struct store_passkey *ret, struct fault *f)
{
    struct passkey_party party;
    struct str name, id, client_data, object;
    TRY(admin_str(r, "name", &name, f));
    TRY(key_bytes(r, "id", PASSKEY_ID_MAX, &id, f));
    TRY(key_bytes(r, "clientDataJSON", PASSKEY_CLIENT_DATA_MAX, &client_data, f));
    TRY(key_bytes(r, "attestationObject", PASSKEY_OBJECT_MAX, &object, f));
    TRY(admin_party(r, &party, f));
    enum err e = console_enrol(r->admin->console, &r->console, &party, name, id, client_data, object, r->arena, ret, f);
    if (e == ERR_PASSKEY)
        admin_note_failure(r, "passkey");
    return e;
}

enum err admin_console_passkey_post(struct admin_request *r, struct fault *f)
{
    static const char *const keys[] = {"name", "id", "clientDataJSON", "attestationObject", NULL};
    struct store_passkey made;
    TRY(admin_only(r, keys, f));
    TRY(key_enrol(r, &made, f));
    admin_passkey_note(r, AUDIT_PASSKEY_ADDED, &made);
    struct json_out o = json_out(&r->out);
    json_open(&o, '{');
    json_key(&o, STR("passkey"));
    admin_passkey_write(r, &o, &made, false);
    json_close(&o, '}');
    r->status = 201;
    return admin_console_whole(r, f);
}

enum err admin_console_passkey_drop(struct admin_request *r, struct fault *f)
{
    return admin_passkey_drop(r, r->console.name, r->id, f);
}
