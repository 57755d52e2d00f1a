/* For admins: how somebody gets in to the console, and with which passkeys. */
#include "admin/console.h"

#include "base/clock.h"

/* Whoever has the link is that person, once: it is in no other answer and in no log. */
enum err admin_people_link(struct admin_request *r, struct fault *f)
{
    static const char *const keys[] = {NULL};
    struct secret *link CLEANUP(secret_freep) = NULL;
    int64_t expires = 0;
    TRY(admin_only(r, keys, f));
    struct conf *conf = conf_slot_get(r->admin->conf);
    struct str address = console_address(conf, r->x->head.host, r->arena);
    conf_unref(conf);
    if (!console_enabled(r->admin->console))
        return fault_set(f, ERR_CONFLICT, "there is no console to sign in to: console.enabled is false");
    if (!address.p)
        return fault_set(f, ERR_INVALID, "the console's address is not known: set admin.public_url");
    TRY(console_link(r->admin->console, r->id, &link, &expires, f));
    struct str name = arena_fmt(r->arena, "{\"name\":\"" STR_FMT "\"}", STR_ARG(r->id)); /* letters, digits, ._@- */
    admin_note(r->admin, AUDIT_PERSON_LINK, r->operator, STR_NONE, name);
    struct json_out o = json_out(&r->out);
    json_open(&o, '{');
    json_kv_str(&o, "name", r->id);
    json_key(&o, STR("link"));
    buf_char(&r->out, '"');
    buf_str(&r->out, address);
    buf_z(&r->out, "/sign-in#");
    buf_put(&r->out, secret_bytes(link), secret_len(link));
    buf_char(&r->out, '"');
    o.comma = true; /* a value stands here, which never was in a string of ours */
    clock_kv(&o, "expiresAt", expires);
    json_close(&o, '}');
    r->status = 201;
    return ERR_OK;
}

static void people_passkey(void *ctx, const struct store_passkey *k)
{
    struct admin_me *me = ctx;
    admin_passkey_write(me->r, me->o, k, true);
}

enum err admin_people_passkeys(struct admin_request *r, struct fault *f)
{
    struct store_person p;
    struct json_out o = json_out(&r->out);
    struct admin_me me = {.r = r, .o = &o};
    TRY(people_find(r->admin->people, r->id, r->arena, &p, f));
    json_open(&o, '{');
    json_key(&o, STR("passkeys"));
    json_open(&o, '[');
    passkeys_each(r->admin->passkeys, r->id, STR_NONE, people_passkey, &me);
    json_close(&o, ']');
    json_close(&o, '}');
    return admin_console_whole(r, f);
}

struct people_wanted {
    struct str id; /* raw */
    struct arena *arena;
    struct store_passkey *ret;
};

static void people_found(void *ctx, const struct store_passkey *k)
{
    struct people_wanted *w = ctx;
    if (!str_eq(k->id, w->id))
        return;
    w->ret->name = arena_str(w->arena, k->name);
    w->ret->rp = arena_str(w->arena, k->rp);
}

enum err admin_passkey_drop(struct admin_request *r, struct str person, struct str id, struct fault *f)
{
    size_t n = 0;
    unsigned char *bytes = arena_raw(r->arena, PASSKEY_ID_MAX, 1);
    if (!bytes)
        return fault_set(f, ERR_NOMEM, "no memory for a passkey");
    if (enc_unb64url(id, bytes, PASSKEY_ID_MAX, &n) || !n)
        return fault_set(f, ERR_NOT_FOUND, STR_FMT " has no such passkey", STR_ARG(person));
    struct store_passkey k = {.id = {(const char *)bytes, n}, .person = person};
    struct people_wanted w = {.id = k.id, .arena = r->arena, .ret = &k};
    passkeys_each(r->admin->passkeys, person, STR_NONE, people_found, &w);
    TRY(passkeys_drop(r->admin->passkeys, person, k.id, f));
    admin_passkey_note(r, AUDIT_PASSKEY_REMOVED, &k);
    r->people_changed = console_key_gone(r->admin->console, k.id, str_of(r->console.id));
    struct json_out o = json_out(&r->out);
    json_open(&o, '{');
    json_kv_str(&o, "removed", id);
    json_close(&o, '}');
    return ERR_OK;
}

/* r->id: "anna/passkeys/ID" */
enum err admin_people_passkey_drop(struct admin_request *r, struct fault *f)
{
    struct str person, id = r->id, word;
    str_cut(&id, '/', &person);
    str_cut(&id, '/', &word);
    return admin_passkey_drop(r, person, id, f);
}
