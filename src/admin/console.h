/* What the handlers of the console share. For console_*.c only. */
#ifndef ADMIN_CONSOLE_H
#define ADMIN_CONSOLE_H

#include "admin/request.h"

struct admin_me { /* for passkeys_each */
    struct admin_request *r;
    struct json_out *o;
    unsigned n;
};

/* {"id","name","createdAt","lastUsedAt"}; `rp`: and for which name it is. */
void admin_passkey_write(struct admin_request *r, struct json_out *o, const struct store_passkey *k, bool rp);
/* PASSKEY_ADDED or PASSKEY_REMOVED. */
void admin_passkey_note(struct admin_request *r, enum audit_event event, const struct store_passkey *k);
/* An answer whose strings did not fit into the arena is none: ERR_NOMEM. Last. */
enum err admin_console_whole(struct admin_request *r, struct fault *f) MUST_USE;
/* (blocks) Removes one, and answers. id: base64url, as in a path. */
enum err admin_passkey_drop(struct admin_request *r, struct str person, struct str id, struct fault *f) MUST_USE;

#endif
