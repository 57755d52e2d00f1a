/* What the parts of the embedded store share. */
#ifndef STORE_SQLITE_H
#define STORE_SQLITE_H

#include <pthread.h>
#include <sqlite3.h>

#include "store/store.h"

struct sqlite_store {
    struct store base;
    sqlite3 *db;
    pthread_mutex_t lock; /* one connection, one caller at a time */
};

enum err sqlite_fail(struct sqlite_store *s, struct fault *f, const char *doing) MUST_USE;
enum err sqlite_prepare(struct sqlite_store *s, const char *sql, sqlite3_stmt **ret, struct fault *f) MUST_USE;
void sqlite_text(sqlite3_stmt *st, int at, struct str v); /* from 1; lives until the statement is stepped */
void sqlite_bytes(sqlite3_stmt *st, int at, struct str v);
struct str sqlite_column(sqlite3_stmt *st, int at); /* from 0; until the next step */
struct str sqlite_column_bytes(sqlite3_stmt *st, int at);
/* Runs a statement that changes something, and gives it back; *ret_changes may be NULL. exists: what ERR_EXISTS says
 * when a constraint is in the way; or NULL. */
enum err sqlite_step(struct sqlite_store *s, sqlite3_stmt *st, const char *exists, int *ret_changes,
                     struct fault *f) MUST_USE;
/* Takes the lock and begins; sqlite_end commits, or rolls back when e says so, and gives the lock back. */
enum err sqlite_begin(struct sqlite_store *s, struct fault *f) MUST_USE;
enum err sqlite_end(struct sqlite_store *s, enum err e, struct fault *f) MUST_USE;

/* sqlite_approvals.c */
enum err sqlite_approvals_load(struct store *s, int64_t since, void (*row)(void *, const struct store_approval *),
                               void *ctx, struct fault *f);
enum err sqlite_approval_read(struct store *s, struct str id, void (*row)(void *, const struct store_approval *),
                              void *ctx, struct fault *f);
enum err sqlite_approvals_put(struct store *s, const struct store_approval *p, size_t n, const struct store_held *h,
                              size_t hn, struct fault *f);
enum err sqlite_approvals_prune(struct store *s, int64_t ended_before, struct fault *f);
enum err sqlite_held_load(struct store *s, void (*held)(void *, const struct store_held *), void *ctx, struct fault *f);

/* sqlite_people.c */
enum err sqlite_people_load(struct store *s, void (*person)(void *, const struct store_person *), void *ctx,
                            struct fault *f);
enum err sqlite_person_put(struct store *s, const struct store_person *p, struct fault *f);
enum err sqlite_person_drop(struct store *s, struct str name, struct fault *f);

/* sqlite_passkeys.c */
enum err sqlite_passkeys_load(struct store *s, void (*passkey)(void *, const struct store_passkey *), void *ctx,
                              struct fault *f);
enum err sqlite_passkey_put(struct store *s, const struct store_passkey *k, struct fault *f);
enum err sqlite_passkey_used(struct store *s, struct str id, int64_t count, int64_t used, struct fault *f);
enum err sqlite_passkey_drop(struct store *s, struct str id, struct fault *f);
enum err sqlite_passkeys_of_drop(struct sqlite_store *s, struct str person, struct fault *f); /* in a transaction */

#endif
