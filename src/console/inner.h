/* What the files of this room share. Not for others. */
#ifndef CONSOLE_INNER_H
#define CONSOLE_INNER_H

#include <pthread.h>

#include "console/console.h"
#include "store/bucket.h"

enum {
    CONSOLE_SESSIONS = 4096,
    CONSOLE_SESSIONS_OF = 8, /* of one person; one more ends the one that was used the longest ago */
    CONSOLE_LINKS = 1024,
    CONSOLE_SLOTS = 256,
    CONSOLE_USED = 4096, /* challenges that were taken, until they would be too old */
    CONSOLE_NONCE = 16
};

struct console_challenge { /* until_ns 0: none is open */
    unsigned char bytes[SHA256_BYTES];
    int64_t until_ns;
};

struct console_session {
    struct console_session *next;
    unsigned char secret[SHA256_BYTES];
    char id[ENC_ID_MAX], name[PEOPLE_NAME + 1];
    int64_t person; /* when the person was added: somebody of the same name later is somebody else */
    enum console_by by;
    unsigned char key[SHA256_BYTES]; /* of one by a passkey: SHA-256 of its id */
    int64_t opened_ms, opened_ns, used_ns;
    struct console_challenge enrol, proof;
    const char *over; /* why, or NULL */
};

struct console_link {
    struct console_link *next;
    unsigned char secret[SHA256_BYTES];
    char name[PEOPLE_NAME + 1];
    int64_t person, until_ns;
};

struct console {
    struct people *people;
    struct passkeys *passkeys;
    struct secret *key;       /* of MACs: of this process */
    struct buckets *attempts; /* by address */
    struct lease_bucket *all; /* of all addresses together */
    pthread_mutex_t lock;     /* of the rest */
    bool enabled;
    int64_t session_ms, idle_ms, swept_ns;
    unsigned count;
    struct console_session *slot[CONSOLE_SLOTS];
    struct console_link *links;
    struct {
        unsigned char nonce[CONSOLE_NONCE];
        int64_t until_ns;
    } used[CONSOLE_USED];
};

/* HMAC-SHA-256 with the key of this process over `what` and the parts, each with its length before it. */
void console_mac(const struct console *c, const char *what, const struct str *part, size_t n,
                 unsigned char ret[SHA256_BYTES]);
/* A person as of now: ERR_NOT_FOUND, also for one who is disabled or, with `person`, another one of that name. */
enum err console_person(struct console *c, struct str name, int64_t person, struct arena *a, struct store_person *ret,
                        int64_t *ret_role) MUST_USE;
/* session.c: opens one, by the passkey of this id, or by a link (STR_NONE). f says why not. */
enum err console_session_new(struct console *c, const struct store_person *p, int64_t role, struct str key,
                             struct console_who *ret, struct secret **ret_cookie, struct fault *f) MUST_USE;
/* With the lock held: the session, if it is not over. */
struct console_session *console_session(struct console *c, const unsigned char secret[SHA256_BYTES]);
/* A random token in text, and its hash. NULL: no memory. */
struct secret *console_token(const char *prefix, unsigned char ret_hash[SHA256_BYTES]);

#endif
