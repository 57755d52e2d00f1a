/* Passkeys of people, in SQLite. */
#include "store/sqlite.h"

enum err sqlite_passkeys_load(struct store *base, void (*passkey)(void *, const struct store_passkey *), void *ctx,
                              struct fault *f)
{
    struct sqlite_store *s = (struct sqlite_store *)base;
    sqlite3_stmt *st;
    int code;
    pthread_mutex_lock(&s->lock);
    enum err e = sqlite_prepare(s,
                                "SELECT id, person, rp, jwk, name, count, created, used, may_back_up FROM passkeys"
                                " ORDER BY created, id",
                                &st, f);
    if (!e) {
        while ((code = sqlite3_step(st)) == SQLITE_ROW) {
            struct store_passkey k = {
                .id = sqlite_column_bytes(st, 0),
                .person = sqlite_column(st, 1),
                .rp = sqlite_column(st, 2),
                .jwk = sqlite_column(st, 3),
                .name = sqlite_column(st, 4),
                .count = sqlite3_column_int64(st, 5),
                .created = sqlite3_column_int64(st, 6),
                .used = sqlite3_column_int64(st, 7),
                .may_back_up = sqlite3_column_int(st, 8) == 1,
            };
            passkey(ctx, &k);
        }
        sqlite3_finalize(st);
        if (code != SQLITE_DONE)
            e = sqlite_fail(s, f, "read passkeys");
    }
    pthread_mutex_unlock(&s->lock);
    return e;
}

/* The person is looked for in the same statement: one who is dropped at this moment gets none. */
enum err sqlite_passkey_put(struct store *base, const struct store_passkey *k, struct fault *f)
{
    struct sqlite_store *s = (struct sqlite_store *)base;
    sqlite3_stmt *st;
    int changes = 0;
    TRY(sqlite_begin(s, f));
    enum err e = sqlite_prepare(s,
                                "INSERT INTO passkeys (id, person, rp, jwk, name, count, created, used, may_back_up)"
                                " SELECT ?1, name, ?3, ?4, ?5, ?6, ?7, ?8, ?9 FROM people WHERE name = ?2",
                                &st, f);
    if (!e) {
        sqlite_bytes(st, 1, k->id);
        sqlite_text(st, 2, k->person);
        sqlite_text(st, 3, k->rp);
        sqlite_text(st, 4, k->jwk);
        sqlite_text(st, 5, k->name);
        sqlite3_bind_int64(st, 6, k->count);
        sqlite3_bind_int64(st, 7, k->created);
        sqlite3_bind_int64(st, 8, k->used);
        sqlite3_bind_int(st, 9, k->may_back_up);
        e = sqlite_step(s, st, "this passkey is enrolled already", &changes, f);
    }
    if (!e && changes != 1)
        e = fault_set(f, ERR_NOT_FOUND, "there is nobody of the name " STR_FMT, STR_ARG(k->person));
    return sqlite_end(s, e, f);
}

enum err sqlite_passkey_used(struct store *base, struct str id, int64_t count, int64_t used, struct fault *f)
{
    struct sqlite_store *s = (struct sqlite_store *)base;
    sqlite3_stmt *st;
    int changes = 0;
    TRY(sqlite_begin(s, f));
    enum err e = sqlite_prepare(s, "UPDATE passkeys SET count = ?2, used = ?3 WHERE id = ?1", &st, f);
    if (!e) {
        sqlite_bytes(st, 1, id);
        sqlite3_bind_int64(st, 2, count);
        sqlite3_bind_int64(st, 3, used);
        e = sqlite_step(s, st, NULL, &changes, f);
    }
    if (!e && changes != 1)
        e = fault_set(f, ERR_NOT_FOUND, "there is no such passkey");
    return sqlite_end(s, e, f);
}

enum err sqlite_passkey_drop(struct store *base, struct str id, struct fault *f)
{
    struct sqlite_store *s = (struct sqlite_store *)base;
    sqlite3_stmt *st;
    int changes = 0;
    TRY(sqlite_begin(s, f));
    enum err e = sqlite_prepare(s, "DELETE FROM passkeys WHERE id = ?", &st, f);
    if (!e) {
        sqlite_bytes(st, 1, id);
        e = sqlite_step(s, st, NULL, &changes, f);
    }
    if (!e && changes != 1)
        e = fault_set(f, ERR_NOT_FOUND, "there is no such passkey");
    return sqlite_end(s, e, f);
}

enum err sqlite_passkeys_of_drop(struct sqlite_store *s, struct str person, struct fault *f)
{
    sqlite3_stmt *st;
    TRY(sqlite_prepare(s, "DELETE FROM passkeys WHERE person = ?", &st, f));
    sqlite_text(st, 1, person);
    return sqlite_step(s, st, NULL, NULL, f);
}
