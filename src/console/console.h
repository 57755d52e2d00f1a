/*
 * The console's door: how people come in, and how it is known who asks. A page of the operators' API says who sits
 * before it with a cookie; whatever is approved needs a signature of a passkey as well, over just that request.
 *
 *   doorward people link NAME --> a link, once, for ten minutes --> session "link": looks, denies, enrols a passkey
 *   a passkey ----------------------------------------------------> session "passkey"
 *   session + passkey's proof over method, path and body ----------> that one request
 *
 * All in memory, and bounded; a restart signs everybody out. Of links and cookies only the SHA-256 is kept. Times are
 * of the monotonic clock. Who somebody is, with role and groups, is looked up each time: nobody keeps what was taken
 * away.
 *
 * Threads: any; what blocks (on the store) says so.
 */
#ifndef CONSOLE_CONSOLE_H
#define CONSOLE_CONSOLE_H

#include <sys/socket.h>

#include "base/enc.h"
#include "conf/conf.h"
#include "identity/passkeys.h"

enum {
    CONSOLE_LINK_MS = 600000,     /* that a link is good for */
    CONSOLE_ENROL_MS = 900000,    /* after it was used, that it is enough for enrolling a passkey */
    CONSOLE_CHALLENGE_MS = 120000 /* that somebody has for touching a passkey */
};

struct console;
enum err console_new(struct people *people, struct passkeys *passkeys, const struct conf *conf, struct console **ret,
                     struct fault *f) MUST_USE;
void console_free(struct console *c);
void console_conf(struct console *c, const struct conf *conf); /* again with each reload; disabled: all are out */
bool console_enabled(struct console *c);

/* ---- the relying party (party.c) ---- */

/* As whom browsers know this gateway: by admin.public_url, else by the Host of the request. ERR_CONFLICT: it is an
 * address, and passkeys are for names. In the arena. */
enum err console_party(const struct conf *conf, struct str host, struct arena *a, struct passkey_party *ret,
                       struct fault *f) MUST_USE;
/* Where people open the console, without a slash at its end; for an address of this machine localhost, since passkeys
 * want a name. STR_NONE: no memory, or no host. */
struct str console_address(const struct conf *conf, struct str host, struct arena *a);

/* ---- who comes in (session.c, link.c) ---- */

enum console_by { CONSOLE_BY_LINK, CONSOLE_BY_PASSKEY };
extern const char *const console_ways[]; /* "link", "passkey" */

struct console_who {
    char id[ENC_ID_MAX]; /* of the session, "con_…": no secret */
    enum console_by by;
    bool may_enrol;           /* a passkey, without the proof of another */
    int64_t expires;          /* wall clock, ms: at the latest */
    struct str name, groups;  /* as of now, in the arena; groups: a JSON array */
    int64_t role;             /* enum conf_role, as of now */
    unsigned char secret[32]; /* the cookie's SHA-256: names the session here */
};
#define CONSOLE_COOKIE   "__Host-doorward"
#define CONSOLE_TOKEN    48 /* bytes of a link or a cookie with its zero, at most */
#define CONSOLE_CSRF_MAX 44 /* base64url of 32 bytes and a zero */

/* A new link for somebody, "dwl_…"; one of before is not taken any more. The caller frees it. *ret_expires: wall clock,
 * ms. ERR_NOT_FOUND; ERR_CONFLICT: disabled. */
enum err console_link(struct console *c, struct str name, struct secret **ret, int64_t *ret_expires,
                      struct fault *f) MUST_USE;
/* Uses a link up and opens a session. ERR_LINK. *ret_cookie: the cookie's value; the caller frees it. */
enum err console_link_use(struct console *c, struct str link, struct arena *a, struct console_who *ret,
                          struct secret **ret_cookie, struct fault *f) MUST_USE;
/* The cookie of a request's head; STR_NONE: none, or more than one. */
struct str console_cookie(struct str cookies);
/* Whose it is, if the session still is. ERR_SIGNED_OUT. */
enum err console_who(struct console *c, struct str cookie, struct arena *a, struct console_who *ret,
                     struct fault *f) MUST_USE;
/* Somebody has done something: from here on the session is idle anew. */
void console_used(struct console *c, const struct console_who *who);
void console_csrf(struct console *c, const struct console_who *who, char ret[CONSOLE_CSRF_MAX]);
bool console_open(struct console *c, struct str id); /* may a stream of this session go on? */
bool console_out(struct console *c, struct str id);  /* signs out. False: it was over */
/* A passkey was removed: those whom it let in are out, but for the session `but`. False: there were none. */
bool console_key_gone(struct console *c, struct str key, struct str but);
/* Forgets sessions that are over, and tells of each; `people` when some of them may be gone or disabled. Once a second,
 * and after each change of people. */
struct console_over {
    struct str id, name;
    const char *why; /* "signed_out", "idle", "time", "removed", "replaced", "passkey_removed",
                        "disabled" */
};
size_t console_sweep(struct console *c, bool people, void (*over)(void *ctx, const struct console_over *o), void *ctx);
unsigned console_count(struct console *c);

/* One more attempt to come in from there; ERR_RATE: too many, *ret_wait_ms until the next one has a chance. */
enum err console_attempt(struct console *c, struct str address, int64_t *ret_wait_ms, struct fault *f) MUST_USE;

/* ---- passkeys (challenge.c) ---- */

/* What a browser hands over, decoded; in the arena. */
struct console_signed {
    struct str id;
    struct passkey_proof proof;
};
/* {"id","clientDataJSON","authenticatorData","signature"}, and with `handle` "userHandle", each base64url. ERR_PASSKEY.
 */
enum err console_signed_read(const struct json *j, bool handle, struct arena *a, struct console_signed *ret,
                             struct fault *f) MUST_USE;
/* The same of the header Passkey: base64url of such JSON. */
enum err console_signed_header(struct str value, struct arena *a, struct console_signed *ret, struct fault *f) MUST_USE;

/* A challenge for signing in, base64url, in the arena: kept nowhere, known again by its MAC, taken once. */
struct str console_challenge(struct console *c, const struct passkey_party *party, struct arena *a);
/* (blocks) Opens a session. *ret_key: with which one. ERR_PASSKEY says what is wrong. */
enum err console_sign_in(struct console *c, const struct passkey_party *party, const struct console_signed *s,
                         struct arena *a, struct console_who *ret, struct store_passkey *ret_key,
                         struct secret **ret_cookie, struct fault *f) MUST_USE;

/* One challenge of each kind for a session at a time; a new one replaces the one before. ERR_SIGNED_OUT. */
enum err console_enrol_challenge(struct console *c, const struct console_who *who,
                                 unsigned char ret[SHA256_BYTES]) MUST_USE;
/* (blocks) What was made is kept. ERR_PASSKEY, ERR_PARAMS (the name), ERR_EXISTS, ERR_LIMIT. */
enum err console_enrol(struct console *c, const struct console_who *who, const struct passkey_party *party,
                       struct str name, struct str id, struct str client_data, struct str object, struct arena *a,
                       struct store_passkey *ret, struct fault *f) MUST_USE;

/* A challenge that is SHA-256(nonce, method, 0, target, 0, body's SHA-256): what is signed is just that request. */
struct console_request {
    struct str method, target; /* target: path, and query if there is one */
    unsigned char body[SHA256_BYTES];
};
enum err console_proof_challenge(struct console *c, const struct console_who *who, const struct console_request *q,
                                 unsigned char ret[SHA256_BYTES]) MUST_USE;
/* (blocks) Did this person's passkey sign this request, for the challenge that the session has open? The challenge is
 * used up either way. ERR_PROOF: none is open. ERR_PASSKEY: why not. */
enum err console_proof(struct console *c, const struct console_who *who, const struct passkey_party *party,
                       const struct console_request *q, const struct console_signed *s, struct arena *a,
                       struct store_passkey *ret, struct fault *f) MUST_USE;

#endif
