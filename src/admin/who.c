/* Who asks, and may they: the operators' token and the people's, the console's cookie, and the proof of a passkey. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "admin/request.h"
#include "base/clock.h"
#include "base/enc.h"
#include "store/bucket.h"

enum { ADMIN_TOKEN_BYTES = 32 };

/* ---- the token ---- */

static enum err admin_token_make(const char *path, struct fault *f)
{
    unsigned char raw[ADMIN_TOKEN_BYTES];
    char text[8 + ADMIN_TOKEN_BYTES * 2] = "opt_";
    enc_random(raw, sizeof(raw));
    size_t n = 4 + enc_b64url(raw, sizeof(raw), text + 4);
    text[n++] = '\n';
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && write(fd, text, n) == (ssize_t)n && fsync(fd) == 0;
    int why = errno;
    if (fd >= 0)
        close(fd);
    if (fd >= 0 && !ok)
        unlink(path); /* half a token would lock everybody out */
    secret_wipe(text, sizeof(text));
    secret_wipe(raw, sizeof(raw));
    return ok ? ERR_OK : fault_set(f, ERR_IO, "%s: %s", path, strerror(why));
}

enum err admin_token(const char *data_dir, struct secret **ret, struct fault *f)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/operator.token", data_dir);
    if (access(path, F_OK) != 0)
        TRY(admin_token_make(path, f));
    return secret_read(path, 4096, true, ret, f);
}

/* ---- who ---- */

static bool admin_is(const struct secret *token, struct str given)
{
    return token && secret_len(token) > 0 && secret_eq(token, given);
}

/* inet_ntop leaves the text empty for an address of no family. */
void admin_address(const struct exchange *x, char ret[INET6_ADDRSTRLEN])
{
    const struct sockaddr_storage *from = &x->peer;
    const void *bytes = from->ss_family == AF_INET ? (const void *)&((const struct sockaddr_in *)from)->sin_addr
                                                   : (const void *)&((const struct sockaddr_in6 *)from)->sin6_addr;
    ret[0] = 0;
    inet_ntop(from->ss_family, bytes, ret, INET6_ADDRSTRLEN);
}

/* On record, unless there are so many that they would fill the disk. */
void admin_note_failure(struct admin_request *r, const char *how)
{
    struct bucket_use use = {r->admin->failures, "failures"};
    struct lease_verdict v;
    char address[INET6_ADDRSTRLEN];
    struct buf details CLEANUP(buf_done);
    buf_init(&details, 4096);
    meter_add(METER_AUTH_FAILURES_OPERATORS, 1);
    bucket_take_all(&use, 1, clock_mono_ns(), &v);
    if (v.answer != LEASE_GRANTED)
        return;
    admin_address(r->x, address);
    struct json_out o = json_out(&details);
    json_open(&o, '{');
    if (address[0])
        json_kv_z(&o, "address", address);
    if (how)
        json_kv_z(&o, "how", how);
    json_close(&o, '}');
    admin_note(r->admin, AUDIT_AUTH_FAILED, r->operator, STR_NONE, buf_view(&details));
}

/* admin.metrics: open. Whoever reaches the listener reads the figures, and nothing else. */
static bool admin_is_open(struct admin_request *r)
{
    struct conf *conf = conf_slot_get(r->admin->conf);
    bool open = conf->root.admin.metrics == CONF_METRICS_OPEN && str_is(r->x->head.path, "/metrics");
    conf_unref(conf);
    return open;
}

/* What needs no credential asks for none: whoever finds out where to ask has none yet. */
static bool admin_is_for_anybody(struct admin_request *r)
{
    struct str id;
    for (size_t i = 0; i < admin_route_count; i++)
        if (admin_routes[i].role == ADMIN_ANYBODY && admin_path_is(r->x->head.path, admin_routes[i].path, &id))
            return true;
    return false;
}

struct str admin_token_of(const struct exchange *x)
{
    struct str value = http_header(&x->head, "authorization"), scheme;
    str_cut(&value, ' ', &scheme);
    return str_ieq(scheme, STR("Bearer")) ? str_trim(value) : STR_NONE;
}

/* A person of the store. Who is there and has no memory left is nobody. */
static int64_t admin_person(struct admin *a, struct str token, struct arena *arena, struct str *ret_name,
                            struct str *ret_groups)
{
    struct store_person p;
    int64_t role;
    struct arena own;
    arena_init_small(&own, 1u << 20);
    enum err e = people_of_token(a->people, token, arena ? arena : &own, &p, &role);
    arena_done(&own);
    if (e || role < CONF_VIEWER || role > CONF_ADMIN)
        return ADMIN_ANYBODY;
    if (arena && ret_name)
        *ret_name = p.name;
    if (arena && ret_groups)
        *ret_groups = p.groups;
    return role;
}

int64_t admin_role_of(struct admin *a, struct str token, struct arena *arena, struct str *ret_name,
                      struct str *ret_groups)
{
    int64_t role = ADMIN_ANYBODY;
    struct str name = STR_NONE;
    struct conf *conf = conf_slot_get(a->conf);
    if (admin_is(a->token, token)) {
        name = STR("operator");
        role = ADMIN_ADMIN;
    }
    for (size_t i = 0; role == ADMIN_ANYBODY && i < conf->root.operators.n; i++) {
        const struct conf_operator *o = &conf->root.operators.v[i];
        if (!admin_is(o->token, token))
            continue;
        name = o->name;
        role = o->role;
    }
    if (ret_name && role != ADMIN_ANYBODY)
        *ret_name = arena_str(arena, name);
    conf_unref(conf);
    return role != ADMIN_ANYBODY ? role : admin_person(a, token, arena, ret_name, ret_groups);
}

/* ---- the console ---- */

/* A browser says from where a request comes (Fetch Metadata). Whoever types an address comes from nowhere. */
static enum err admin_same_origin(struct admin_request *r, struct fault *f)
{
    struct str site = http_header(&r->x->head, "sec-fetch-site");
    bool looks = str_is(r->x->head.method, "GET");
    if (!site.p || str_is(site, "same-origin") || (looks && str_is(site, "none")))
        return ERR_OK;
    return fault_set(f, ERR_CSRF, "another site's page has no business here");
}

/* Whatever is asked, and not for changes alone: browsers send a cookie to every port of its host, whoever listens
 * there. The token was told to the page that signed in, which keeps it for its own origin. */
static enum err admin_csrf(struct admin_request *r, struct fault *f)
{
    char want[CONSOLE_CSRF_MAX];
    struct str have = http_header(&r->x->head, "x-csrf-token");
    console_csrf(r->admin->console, &r->console, want);
    bool same = str_eq_secret(have, str_of(want));
    secret_wipe(want, sizeof(want));
    return same ? ERR_OK
                : fault_set(f, ERR_CSRF, "X-CSRF-Token %s: load the page anew, or sign in",
                            have.n ? "is not this session's" : "is missing");
}

static enum err admin_who_console(struct admin_request *r, struct str cookie, struct fault *f)
{
    TRY(console_who(r->admin->console, cookie, r->arena, &r->console, f));
    r->operator= r->console.name;
    r->groups = r->console.groups;
    enum err e = admin_same_origin(r, f);
    if (!e)
        e = admin_csrf(r, f);
    if (e == ERR_CSRF)
        admin_note_failure(r, "page");
    if (!e)
        r->role = r->console.role;
    return e;
}

static struct str admin_cookie(struct admin_request *r)
{
    if (http_header_count(&r->x->head, "cookie") != 1 || !console_enabled(r->admin->console))
        return STR_NONE;
    return console_cookie(http_header(&r->x->head, "cookie"));
}

bool admin_proves(const struct admin_request *r)
{
    enum admin_console c = r->route->console;
    if (!r->console.id[0])
        return false;
    return c == ADMIN_CONSOLE_PASSKEY || c == ADMIN_CONSOLE_OWN_PASSKEY ||
           (c == ADMIN_CONSOLE_OWN_ENROL && !r->console.may_enrol);
}

/* What the column says: of a request that came with a cookie, and of one that came without. */
static enum err admin_may_console(const struct admin_request *r, struct fault *f)
{
    enum admin_console c = r->route->console;
    if (!r->console.id[0] && r->route->role != ADMIN_ANYBODY && c >= ADMIN_CONSOLE_OWN)
        return fault_set(f, ERR_SIGNED_OUT, "this is for who is signed in to the console; a token is not enough");
    if (!r->console.id[0] || r->route->role == ADMIN_ANYBODY)
        return ERR_OK;
    if (c == ADMIN_CONSOLE_NO)
        return fault_set(f, ERR_ROLE, "the console does not do this: it needs a token (Authorization: Bearer)");
    if (c == ADMIN_CONSOLE_SELF && !str_eq(r->id, r->console.name))
        return fault_set(f, ERR_ROLE, "in the console these are shown to the person they are about");
    if (admin_proves(r) && http_header_count(&r->x->head, "passkey") != 1)
        return fault_set(f, ERR_PROOF,
                         "this needs a passkey: the header Passkey, with its signature over this request");
    return ERR_OK;
}

enum err admin_may(struct admin_request *r, struct fault *f)
{
    if (r->role < r->route->role)
        return fault_set(f, ERR_ROLE, "this needs the role %s", people_roles[r->route->role]);
    return admin_may_console(r, f);
}

enum err admin_party(struct admin_request *r, struct passkey_party *ret, struct fault *f)
{
    struct conf *conf = conf_slot_get(r->admin->conf);
    enum err e = console_party(conf, r->x->head.host, r->arena, ret, f);
    conf_unref(conf);
    return e;
}

struct str admin_passkey_id(struct admin_request *r, const struct store_passkey *k)
{
    char *text = arena_raw(r->arena, k->id.n * 2 + 4, 1);
    return text ? (struct str){text, enc_b64url(k->id.p, k->id.n, text)} : STR_NONE;
}

enum err admin_prove(struct admin_request *r, struct fault *f)
{
    struct passkey_party party;
    struct console_signed s;
    struct store_passkey key;
    struct console_request q = {.method = r->x->head.method, .target = r->x->head.target};
    enc_sha256(r->x->body.p, r->x->body.n, q.body);
    enum err e = admin_party(r, &party, f);
    if (!e)
        e = console_signed_header(http_header(&r->x->head, "passkey"), r->arena, &s, f);
    if (!e)
        e = console_proof(r->admin->console, &r->console, &party, &q, &s, r->arena, &key, f);
    if (e == ERR_PASSKEY || e == ERR_PROOF)
        admin_note_failure(r, "passkey");
    TRY(e);
    r->passkey = admin_passkey_id(r, &key);
    return r->passkey.p ? ERR_OK : fault_set(f, ERR_NOMEM, "no memory for the request");
}

/* ---- both ---- */

enum err admin_who(struct admin_request *r, struct fault *f)
{
    struct admin *a = r->admin;
    struct str value = http_header(&r->x->head, "authorization"), cookie = value.p ? STR_NONE : admin_cookie(r);
    if (!value.p && admin_is_open(r)) {
        r->role = ADMIN_VIEWER;
        return ERR_OK;
    }
    if (!value.p && admin_is_for_anybody(r))
        return str_is(r->x->head.method, "GET") ? ERR_OK : admin_same_origin(r, f);
    if (cookie.p)
        return admin_who_console(r, cookie, f);
    if (!value.p && str_starts(r->x->head.path, STR("/console/")))
        return fault_set(f, ERR_SIGNED_OUT, "nobody is signed in here, or not any more");
    if (!value.p)
        return fault_set(f, ERR_UNAUTHENTICATED, "Authorization: Bearer and an operator's token are needed");
    r->role = admin_role_of(a, admin_token_of(r->x), r->arena, &r->operator, & r->groups);
    if (r->role == ADMIN_ANYBODY)
        admin_note_failure(r, NULL);
    return r->role == ADMIN_ANYBODY ? fault_set(f, ERR_TOKEN, "this is no operator's token") : ERR_OK;
}

/* ---- of a stream, which outlives its request ---- */

enum err admin_caller(struct admin_request *r, struct admin_caller *ret, struct fault *f)
{
    struct admin_caller c = {.token = NULL};
    struct str token = admin_token_of(r->x);
    memcpy(c.session, r->console.id, sizeof(c.session));
    if (!c.session[0] && !(c.token = secret_new(token.p, token.n)))
        return fault_set(f, ERR_NOMEM, "no memory for a stream");
    *ret = c;
    return ERR_OK;
}

bool admin_caller_is(const struct admin_caller *c, const struct admin_request *r)
{
    return c->session[0] && strcmp(c->session, r->console.id) == 0;
}

enum err admin_caller_room(const struct admin_request *r, unsigned n, struct fault *f)
{
    return n < ADMIN_STREAMS_OF
               ? ERR_OK
               : fault_set(f, ERR_STREAMS, STR_FMT " has %u such streams open in this browser: close a page first",
                           STR_ARG(r->operator), n);
}

void admin_caller_done(struct admin_caller *c)
{
    secret_free(c->token);
    c->token = NULL;
}

enum err admin_caller_over(struct admin *a, const struct admin_caller *c, const char **ret_text)
{
    *ret_text = c->session[0] ? "nobody is signed in here any more" : "the operator's token is not taken any more";
    if (c->session[0])
        return console_open(a->console, str_of(c->session)) ? ERR_OK : ERR_SIGNED_OUT;
    struct str token = {(const char *)secret_bytes(c->token), secret_len(c->token)};
    return admin_role_of(a, token, NULL, NULL, NULL) < ADMIN_VIEWER ? ERR_TOKEN : ERR_OK;
}

/* ---- on record ---- */

void admin_note(struct admin *a, enum audit_event event, struct str operator, struct str agent, struct str details)
{
    struct audit_entry e;
    audit_entry_init(&e, event, AUDIT_HUMAN);
    e.actor = operator;
    e.agent_id = agent;
    e.details = details;
    e.result = event == AUDIT_AUTH_FAILED ? AUDIT_DENIED : AUDIT_SUCCESS;
    audit_note(a->audit, &e);
}
