/* Signing in to the console and out, and who is signed in. */
#include "admin/console.h"

#include <stdio.h>

#include "base/clock.h"

enum { SIGN_DETAILS = 8192 };

/* ---- on record ---- */

static void sign_note(struct admin_request *r, enum audit_event event, const struct console_who *who, const char *how,
                      const struct store_passkey *key)
{
    struct buf details CLEANUP(buf_done);
    char address[INET6_ADDRSTRLEN];
    buf_init(&details, SIGN_DETAILS);
    admin_address(r->x, address);
    struct json_out o = json_out(&details); /* in the order of RFC 8785 */
    json_open(&o, '{');
    if (address[0])
        json_kv_z(&o, "address", address);
    json_kv_z(&o, "how", how);
    if (key)
        json_kv_str(&o, "passkey", admin_passkey_id(r, key));
    json_kv_z(&o, "session", who->id);
    json_close(&o, '}');
    admin_note(r->admin, event, who->name, STR_NONE, buf_view(&details));
}

static void sign_over(void *ctx, const struct console_over *over)
{
    struct buf details CLEANUP(buf_done);
    buf_init(&details, SIGN_DETAILS);
    struct json_out o = json_out(&details);
    json_open(&o, '{');
    json_kv_str(&o, "session", over->id);
    json_kv_z(&o, "why", over->why);
    json_close(&o, '}');
    admin_note(ctx, AUDIT_PERSON_SIGNED_OUT, over->name, STR_NONE, buf_view(&details));
}

void admin_sweep(struct admin *a)
{
    if (console_sweep(a->console, false, sign_over, a))
        admin_streams_reloaded(a);
}

void admin_people_changed(struct admin *a)
{
    console_sweep(a->console, true, sign_over, a);
    admin_streams_reloaded(a);
}

/* ---- who is signed in ---- */

static void me_passkey(void *ctx, const struct store_passkey *k)
{
    struct admin_me *me = ctx;
    if (me->n++ < PASSKEYS_OF_PERSON * 4)
        admin_passkey_write(me->r, me->o, k, false);
}

/* Those for the name under which the page was opened; of an address, which has none, all. */
static void me_passkeys(struct admin_request *r, struct str name, struct json_out *o)
{
    struct passkey_party party = {.id = STR_NONE};
    struct fault f;
    struct admin_me me = {.r = r, .o = o};
    if (admin_party(r, &party, &f))
        party.id = STR_NONE;
    json_key(o, STR("passkeys"));
    json_open(o, '[');
    passkeys_each(r->admin->passkeys, name, party.id, me_passkey, &me);
    json_close(o, ']');
}

/* The token goes to the page that signed in and to nobody else: a cookie alone must not lead to it. */
static void me_csrf(struct admin_request *r, const struct console_who *who, struct json_out *o)
{
    char csrf[CONSOLE_CSRF_MAX];
    console_csrf(r->admin->console, who, csrf);
    json_kv_z(o, "csrf", csrf);
    secret_wipe(csrf, sizeof(csrf));
}

static enum err me_write(struct admin_request *r, const struct console_who *who, struct fault *f)
{
    struct conf *conf = conf_slot_get(r->admin->conf);
    struct json_out o = json_out(&r->out);
    json_open(&o, '{');
    json_kv_str(&o, "name", who->name);
    json_kv_z(&o, "role", people_roles[who->role]);
    json_kv_raw(&o, "groups", who->groups.n ? who->groups : STR("[]"));
    if (!r->console.id[0])
        me_csrf(r, who, &o);
    json_kv_z(&o, "by", console_ways[who->by]);
    json_kv_bool(&o, "mayEnrol", who->may_enrol);
    me_passkeys(r, who->name, &o);
    clock_kv(&o, "expiresAt", who->expires);
    json_kv_i64(&o, "idleSeconds", conf->root.console.idle / 1000);
    clock_kv(&o, "now", clock_wall_ms());
    json_kv_z(&o, "version", DOORWARD_VERSION);
    json_close(&o, '}');
    conf_unref(conf);
    return admin_console_whole(r, f);
}

enum err admin_console_me(struct admin_request *r, struct fault *f)
{
    return me_write(r, &r->console, f);
}

/* ---- in ---- */

/* For this browser alone, and this origin alone: __Host- wants Secure and Path=/. */
static void sign_cookie(struct admin_request *r, const struct secret *cookie)
{
    int n = cookie ? (int)secret_len(cookie) : 0;
    const char *value = cookie ? (const char *)secret_bytes(cookie) : "";
    snprintf(r->cookie, sizeof(r->cookie), CONSOLE_COOKIE "=%.*s; Path=/; Secure; HttpOnly; SameSite=Strict%s", n,
             value, cookie ? "" : "; Max-Age=0");
    r->header[r->headers++] = (struct http_header){STR("Set-Cookie"), str_of(r->cookie)};
}

static enum err sign_attempt(struct admin_request *r, struct fault *f)
{
    char address[INET6_ADDRSTRLEN];
    int64_t wait = 0;
    if (!console_enabled(r->admin->console))
        return fault_set(f, ERR_NOT_FOUND, "there is no console here: console.enabled is false");
    admin_address(r->x, address);
    enum err e = console_attempt(r->admin->console, str_of(address), &wait, f);
    if (e)
        r->retry = arena_fmt(r->arena, "%lld", (long long)(wait + 999) / 1000);
    return e;
}

/* Whoever signs in anew has no use for the session of before: the browser forgets its cookie. */
static void sign_over_before(struct admin_request *r)
{
    struct console_who before;
    struct str cookie = console_cookie(http_header(&r->x->head, "cookie"));
    if (!cookie.p || console_who(r->admin->console, cookie, r->arena, &before, &(struct fault){0}))
        return;
    r->people_changed = console_out(r->admin->console, str_of(before.id));
}

static enum err sign_in(struct admin_request *r, const struct console_who *who, const struct secret *cookie,
                        const struct store_passkey *key, struct fault *f)
{
    r->x->note.operator= who->name;
    sign_over_before(r);
    sign_note(r, AUDIT_PERSON_SIGNED_IN, who, console_ways[who->by], key);
    sign_cookie(r, cookie);
    return me_write(r, who, f);
}

enum err admin_console_link_post(struct admin_request *r, struct fault *f)
{
    static const char *const keys[] = {"link", NULL};
    struct secret *cookie CLEANUP(secret_freep) = NULL;
    struct console_who who;
    struct str link;
    TRY(sign_attempt(r, f));
    TRY(admin_only(r, keys, f));
    TRY(admin_str(r, "link", &link, f));
    enum err e = console_link_use(r->admin->console, link, r->arena, &who, &cookie, f);
    if (e == ERR_LINK)
        admin_note_failure(r, "link");
    TRY(e);
    return sign_in(r, &who, cookie, NULL, f);
}

enum err admin_console_sign_in_get(struct admin_request *r, struct fault *f)
{
    struct passkey_party party;
    if (!console_enabled(r->admin->console))
        return fault_set(f, ERR_NOT_FOUND, "there is no console here: console.enabled is false");
    TRY(admin_party(r, &party, f));
    struct str challenge = console_challenge(r->admin->console, &party, r->arena);
    if (!challenge.p)
        return fault_set(f, ERR_NOMEM, "no memory for a challenge");
    struct json_out o = json_out(&r->out);
    json_open(&o, '{');
    json_kv_str(&o, "challenge", challenge);
    json_kv_str(&o, "rpId", party.id);
    json_kv_i64(&o, "timeoutMs", CONSOLE_CHALLENGE_MS);
    json_close(&o, '}');
    return ERR_OK;
}

enum err admin_console_sign_in_post(struct admin_request *r, struct fault *f)
{
    static const char *const keys[] = {"id", "clientDataJSON", "authenticatorData", "signature", "userHandle", NULL};
    struct secret *cookie CLEANUP(secret_freep) = NULL;
    struct passkey_party party;
    struct console_signed s;
    struct console_who who;
    struct store_passkey key;
    TRY(sign_attempt(r, f));
    TRY(admin_only(r, keys, f));
    TRY(admin_party(r, &party, f));
    enum err e = console_signed_read(&r->doc, true, r->arena, &s, f);
    if (!e)
        e = console_sign_in(r->admin->console, &party, &s, r->arena, &who, &key, &cookie, f);
    if (e == ERR_PASSKEY)
        admin_note_failure(r, "passkey");
    TRY(e);
    return sign_in(r, &who, cookie, &key, f);
}

/* ---- out ---- */

enum err admin_console_sign_out(struct admin_request *r, struct fault *f)
{
    static const char *const keys[] = {NULL};
    TRY(admin_only(r, keys, f));
    console_out(r->admin->console, str_of(r->console.id));
    r->people_changed = true; /* its streams end, and it is put on record */
    sign_cookie(r, NULL);
    buf_z(&r->out, "{}");
    return ERR_OK;
}
