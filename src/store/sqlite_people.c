/* People who decide, in SQLite. */
#include "store/sqlite.h"

enum err sqlite_people_load(struct store *base, void (*person)(void *, const struct store_person *), void *ctx,
                            struct fault *f)
{
    struct sqlite_store *s = (struct sqlite_store *)base;
    sqlite3_stmt *st;
    int code;
    pthread_mutex_lock(&s->lock);
    enum err e = sqlite_prepare(
        s, "SELECT name, role, groups, token_hash, slack, email, pagerduty, created, enabled FROM people ORDER BY name",
        &st, f);
    if (!e) {
        while ((code = sqlite3_step(st)) == SQLITE_ROW) {
            struct store_person p = {
                .name = sqlite_column(st, 0),
                .role = sqlite_column(st, 1),
                .groups = sqlite_column(st, 2),
                .token_hash = sqlite_column(st, 3),
                .slack = sqlite_column(st, 4),
                .email = sqlite_column(st, 5),
                .pagerduty = sqlite_column(st, 6),
                .created = sqlite3_column_int64(st, 7),
                .enabled = sqlite3_column_int(st, 8) == 1,
            };
            person(ctx, &p);
        }
        sqlite3_finalize(st);
        if (code != SQLITE_DONE)
            e = sqlite_fail(s, f, "read people");
    }
    pthread_mutex_unlock(&s->lock);
    return e;
}

enum err sqlite_person_put(struct store *base, const struct store_person *p, struct fault *f)
{
    struct sqlite_store *s = (struct sqlite_store *)base;
    sqlite3_stmt *st;
    TRY(sqlite_begin(s, f));
    enum err e =
        sqlite_prepare(s,
                       "INSERT INTO people (name, role, groups, token_hash, slack, email, pagerduty, created, enabled)"
                       " VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (name) DO UPDATE SET role = excluded.role,"
                       " groups = excluded.groups, token_hash = excluded.token_hash, slack = excluded.slack,"
                       " email = excluded.email, pagerduty = excluded.pagerduty, enabled = excluded.enabled",
                       &st, f);
    if (!e) {
        sqlite_text(st, 1, p->name);
        sqlite_text(st, 2, p->role);
        sqlite_text(st, 3, p->groups);
        sqlite_text(st, 4, p->token_hash);
        sqlite_text(st, 5, p->slack);
        sqlite_text(st, 6, p->email);
        sqlite_text(st, 7, p->pagerduty);
        sqlite3_bind_int64(st, 8, p->created);
        sqlite3_bind_int(st, 9, p->enabled);
        e = sqlite_step(s, st, "somebody else has this token or this account: each is one person's", NULL, f);
    }
    return sqlite_end(s, e, f);
}

enum err sqlite_person_drop(struct store *base, struct str name, struct fault *f)
{
    struct sqlite_store *s = (struct sqlite_store *)base;
    sqlite3_stmt *st;
    int changes = 0;
    TRY(sqlite_begin(s, f));
    enum err e = sqlite_prepare(s, "DELETE FROM people WHERE name = ?", &st, f);
    if (!e) {
        sqlite_text(st, 1, name);
        e = sqlite_step(s, st, NULL, &changes, f);
    }
    if (!e && changes != 1)
        e = fault_set(f, ERR_NOT_FOUND, "there is nobody of the name " STR_FMT, STR_ARG(name));
    if (!e)
        e = sqlite_passkeys_of_drop(s, name, f);
    return sqlite_end(s, e, f);
}
