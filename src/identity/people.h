/*
 * People who decide: names with a role, groups, and a token of their own for the operators' API. All of them in memory,
 * written through to the store. Of a token only its SHA-256 is kept: it is shown once, when it is made.
 *
 * Threads: looking from any thread, without waiting for the disk. Changes block on the store: pool threads only.
 */
#ifndef IDENTITY_PEOPLE_H
#define IDENTITY_PEOPLE_H

#include "base/json.h"
#include "base/secret.h"
#include "store/store.h"

enum { PEOPLE_MAX = 10000, PEOPLE_NAME = 64, PEOPLE_GROUPS = 32 };
extern const char *const people_roles[]; /* by enum conf_role: "viewer", "approver", "operator", "admin" */

struct people;
enum err people_new(struct store *store, struct people **ret, struct fault *f) MUST_USE; /* loads all */
void people_free(struct people *p);

enum people_account { PEOPLE_SLACK, PEOPLE_EMAIL, PEOPLE_PAGERDUTY };

/* The person of this name, of this token, of this account; copies in the arena. ERR_NOT_FOUND: there is none, or (by
 * token and account) the person is disabled. *ret_role: enum conf_role; may be NULL. */
enum err people_find(struct people *p, struct str name, struct arena *a, struct store_person *ret,
                     struct fault *f) MUST_USE;
enum err people_of_token(struct people *p, struct str token, struct arena *a, struct store_person *ret,
                         int64_t *ret_role) MUST_USE;
enum err people_of_account(struct people *p, enum people_account account, struct str id, struct arena *a,
                           struct store_person *ret, int64_t *ret_role) MUST_USE;
void people_each(struct people *p, void (*person)(void *ctx, const struct store_person *p), void *ctx); /* by name */

/* A new one, or, with `replace`, what is said of one that is there; token and time of creation stay. ERR_PARAMS: what
 * is wrong with it. ERR_EXISTS, ERR_NOT_FOUND. */
enum err people_put(struct people *p, const struct store_person *wish, bool replace, struct fault *f) MUST_USE;
enum err people_drop(struct people *p, struct str name, struct fault *f) MUST_USE; /* ERR_NOT_FOUND */
/* One who keeps things of people in memory: told of each who is dropped, before somebody of the same name can come.
 * NULL: nobody. The callback must not call anything of here. */
void people_watch(struct people *p, void (*dropped)(void *ctx, struct str name), void *ctx);
/* A new token, "dwp_…"; the one before is not taken any more. The caller frees it. */
enum err people_token(struct people *p, struct str name, struct secret **ret, struct fault *f) MUST_USE;

#endif
