/* The embedded store: one SQLite file, write-ahead log, flushed at each commit. */
#include "store/sqlite.h"

#include <stdlib.h>

/* Each entry brings the schema from version i to i + 1. Entries are never changed, only added. */
static const char *const sqlite_migrations[] = {
    "CREATE TABLE agents ("
    " id TEXT PRIMARY KEY, type TEXT NOT NULL, version TEXT NOT NULL, env TEXT NOT NULL, owner TEXT NOT NULL,"
    " allowed TEXT NOT NULL, denied TEXT NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL,"
    " max_sessions INTEGER NOT NULL, enabled INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    /* No reference to agents: a key outlives its agent, so that it is never registered twice. */
    "CREATE TABLE agent_keys ("
    " thumbprint TEXT PRIMARY KEY, agent TEXT NOT NULL, jwk TEXT NOT NULL, created INTEGER NOT NULL,"
    " retires INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX agent_keys_agent ON agent_keys (agent);",
    ("CREATE TABLE tool_pins ("
     " tool TEXT PRIMARY KEY, hash TEXT NOT NULL, definition TEXT NOT NULL, first_seen INTEGER NOT NULL,"
     " accepted INTEGER NOT NULL, accepted_by TEXT NOT NULL) STRICT;"),
    ("CREATE TABLE stops ("
     " agent TEXT PRIMARY KEY, reason TEXT NOT NULL, stopped_by TEXT NOT NULL, stopped INTEGER NOT NULL) STRICT;"),
    ("CREATE TABLE approvals ("
     " id TEXT PRIMARY KEY, sid TEXT NOT NULL, tool TEXT NOT NULL, state INTEGER NOT NULL, ended INTEGER NOT NULL,"
     " question TEXT NOT NULL, standing TEXT NOT NULL) STRICT, WITHOUT ROWID;"
     "CREATE INDEX approvals_ended ON approvals (ended, sid);"
     "CREATE TABLE held_sessions (sid TEXT PRIMARY KEY, lease TEXT NOT NULL) STRICT, WITHOUT ROWID;"
     "CREATE TABLE people ("
     " name TEXT PRIMARY KEY, role TEXT NOT NULL, groups TEXT NOT NULL, token_hash TEXT NOT NULL, slack TEXT NOT NULL,"
     " email TEXT NOT NULL, pagerduty TEXT NOT NULL, created INTEGER NOT NULL, enabled INTEGER NOT NULL)"
     " STRICT, WITHOUT ROWID;"
     "CREATE UNIQUE INDEX people_token ON people (token_hash) WHERE token_hash <> '';"
     "CREATE UNIQUE INDEX people_slack ON people (slack) WHERE slack <> '';"
     "CREATE UNIQUE INDEX people_pagerduty ON people (pagerduty) WHERE pagerduty <> '';"),
    ("CREATE TABLE passkeys ("
     " id BLOB PRIMARY KEY, person TEXT NOT NULL, rp TEXT NOT NULL, jwk TEXT NOT NULL, name TEXT NOT NULL,"
     " count INTEGER NOT NULL, created INTEGER NOT NULL, used INTEGER NOT NULL, may_back_up INTEGER NOT NULL)"
     " STRICT, WITHOUT ROWID;"
     "CREATE INDEX passkeys_person ON passkeys (person);"),
};

enum err sqlite_fail(struct sqlite_store *s, struct fault *f, const char *doing)
{
    int code = sqlite3_errcode(s->db);
    enum err e = code == SQLITE_NOMEM ? ERR_NOMEM : ERR_STORE;
    return fault_set(f, e, "store: %s: %s", doing, sqlite3_errmsg(s->db));
}

static enum err sqlite_exec(struct sqlite_store *s, const char *sql, struct fault *f)
{
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? ERR_OK : sqlite_fail(s, f, sql);
}

enum err sqlite_prepare(struct sqlite_store *s, const char *sql, sqlite3_stmt **ret, struct fault *f)
{
    return sqlite3_prepare_v2(s->db, sql, -1, ret, NULL) == SQLITE_OK ? ERR_OK : sqlite_fail(s, f, "prepare");
}

void sqlite_text(sqlite3_stmt *st, int at, struct str v)
{
    sqlite3_bind_text(st, at, v.p ? v.p : "", (int)v.n, SQLITE_STATIC);
}

void sqlite_bytes(sqlite3_stmt *st, int at, struct str v)
{
    sqlite3_bind_blob(st, at, v.p ? v.p : "", (int)v.n, SQLITE_STATIC);
}

struct str sqlite_column_bytes(sqlite3_stmt *st, int at)
{
    const char *p = sqlite3_column_blob(st, at);
    return (struct str){p, (size_t)sqlite3_column_bytes(st, at)};
}

struct str sqlite_column(sqlite3_stmt *st, int at)
{
    const char *p = (const char *)sqlite3_column_text(st, at);
    return (struct str){p, (size_t)sqlite3_column_bytes(st, at)};
}

/* Runs a statement that changes something; *ret_changes may be NULL. */
enum err sqlite_step(struct sqlite_store *s, sqlite3_stmt *st, const char *exists, int *ret_changes, struct fault *f)
{
    int code = sqlite3_step(st);
    enum err e = ERR_OK;
    if (code == SQLITE_CONSTRAINT && exists)
        e = fault_set(f, ERR_EXISTS, "%s", exists);
    else if (code != SQLITE_DONE)
        e = sqlite_fail(s, f, "write");
    else if (ret_changes)
        *ret_changes = sqlite3_changes(s->db);
    sqlite3_finalize(st);
    return e;
}

static enum err sqlite_insert_key(struct sqlite_store *s, const struct store_key *k, struct fault *f)
{
    sqlite3_stmt *st;
    TRY(sqlite_prepare(s, "INSERT INTO agent_keys (thumbprint, agent, jwk, created, retires) VALUES (?,?,?,?,?)", &st,
                       f));
    sqlite_text(st, 1, k->thumbprint);
    sqlite_text(st, 2, k->agent);
    sqlite_text(st, 3, k->jwk);
    sqlite3_bind_int64(st, 4, k->created);
    sqlite3_bind_int64(st, 5, k->retires);
    return sqlite_step(s, st,
                       "this key is registered already, for this or another agent: every agent needs a key of its own",
                       NULL, f);
}

static enum err sqlite_write_agent(struct sqlite_store *s, const char *sql, const struct store_agent *a,
                                   int *ret_changes, struct fault *f)
{
    sqlite3_stmt *st;
    TRY(sqlite_prepare(s, sql, &st, f));
    sqlite_text(st, 1, a->id);
    sqlite_text(st, 2, a->type);
    sqlite_text(st, 3, a->version);
    sqlite_text(st, 4, a->env);
    sqlite_text(st, 5, a->owner);
    sqlite_text(st, 6, a->allowed);
    sqlite_text(st, 7, a->denied);
    sqlite3_bind_int64(st, 8, a->created);
    sqlite3_bind_int64(st, 9, a->expires);
    sqlite3_bind_int64(st, 10, a->max_sessions);
    sqlite3_bind_int(st, 11, a->enabled);
    return sqlite_step(s, st, "an agent of this id is registered already", ret_changes, f);
}

/* Takes the lock, runs `body` in a transaction, and rolls back when it fails. */
enum err sqlite_begin(struct sqlite_store *s, struct fault *f)
{
    pthread_mutex_lock(&s->lock);
    enum err e = sqlite_exec(s, "BEGIN IMMEDIATE", f);
    if (e)
        pthread_mutex_unlock(&s->lock);
    return e;
}

enum err sqlite_end(struct sqlite_store *s, enum err e, struct fault *f)
{
    if (!e)
        e = sqlite_exec(s, "COMMIT", f);
    if (e)
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    pthread_mutex_unlock(&s->lock);
    return e;
}

static enum err sqlite_agent_create(struct store *base, const struct store_agent *a, const struct store_key *k,
                                    struct fault *f)
{
    struct sqlite_store *s = (struct sqlite_store *)base;
    TRY(sqlite_begin(s, f));
    enum err e =
        sqlite_write_agent(s,
                           "INSERT INTO agents (id, type, version, env, owner, allowed, denied, created, expires,"
                           " max_sessions, enabled) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
                           a, NULL, f);
    if (!e)
        e = sqlite_insert_key(s, k, f);
    return sqlite_end(s, e, f);
}

static enum err sqlite_agent_update(struct store *base, const struct store_agent *a, struct fault *f)
{
    struct sqlite_store *s = (struct sqlite_store *)base;
    int changes = 0;
    TRY(sqlite_begin(s, f));
    enum err e =
        sqlite_write_agent(s,
                           "UPDATE agents SET type = ?2, version = ?3, env = ?4, owner = ?5, allowed = ?6,"
                           " denied = ?7, created = ?8, expires = ?9, max_sessions = ?10, enabled = ?11 WHERE id = ?1",
                           a, &changes, f);
    if (!e && changes != 1)
        e = fault_set(f, ERR_NOT_FOUND, "there is no agent " STR_FMT, STR_ARG(a->id));
    return sqlite_end(s, e, f);
}

static enum err sqlite_agent_rotate(struct store *base, const struct store_key *k, int64_t old_retires, struct fault *f)
{
    struct sqlite_store *s = (struct sqlite_store *)base;
    sqlite3_stmt *st;
    TRY(sqlite_begin(s, f));
    enum err e = sqlite_prepare(
        s, "UPDATE agent_keys SET retires = ?2 WHERE agent = ?1 AND (retires = 0 OR retires > ?2)", &st, f);
    if (!e) {
        sqlite_text(st, 1, k->agent);
        sqlite3_bind_int64(st, 2, old_retires);
        e = sqlite_step(s, st, NULL, NULL, f);
    }
    if (!e)
        e = sqlite_insert_key(s, k, f);
    return sqlite_end(s, e, f);
}

static enum err sqlite_agent_delete(struct store *base, struct str id, struct fault *f)
{
    struct sqlite_store *s = (struct sqlite_store *)base;
    sqlite3_stmt *st;
    int changes = 0;
    TRY(sqlite_begin(s, f));
    enum err e = sqlite_prepare(s, "DELETE FROM agents WHERE id = ?", &st, f);
    if (!e) {
        sqlite_text(st, 1, id);
        e = sqlite_step(s, st, NULL, &changes, f);
    }
    if (!e && changes != 1)
        e = fault_set(f, ERR_NOT_FOUND, "there is no agent " STR_FMT, STR_ARG(id));
    return sqlite_end(s, e, f);
}

static enum err sqlite_load_agents(struct sqlite_store *s, void (*agent)(void *, const struct store_agent *), void *ctx,
                                   struct fault *f)
{
    sqlite3_stmt *st;
    int code;
    TRY(sqlite_prepare(s,
                       "SELECT id, type, version, env, owner, allowed, denied, created, expires, max_sessions, enabled"
                       " FROM agents ORDER BY id",
                       &st, f));
    while ((code = sqlite3_step(st)) == SQLITE_ROW) {
        struct store_agent a = {
            .id = sqlite_column(st, 0),
            .type = sqlite_column(st, 1),
            .version = sqlite_column(st, 2),
            .env = sqlite_column(st, 3),
            .owner = sqlite_column(st, 4),
            .allowed = sqlite_column(st, 5),
            .denied = sqlite_column(st, 6),
            .created = sqlite3_column_int64(st, 7),
            .expires = sqlite3_column_int64(st, 8),
            .max_sessions = sqlite3_column_int64(st, 9),
            .enabled = sqlite3_column_int(st, 10) == 1,
        };
        agent(ctx, &a);
    }
    sqlite3_finalize(st);
    return code == SQLITE_DONE ? ERR_OK : sqlite_fail(s, f, "read agents");
}

static enum err sqlite_load(struct store *base, void (*agent)(void *, const struct store_agent *),
                            void (*key)(void *, const struct store_key *), void *ctx, struct fault *f)
{
    struct sqlite_store *s = (struct sqlite_store *)base;
    sqlite3_stmt *st;
    int code = SQLITE_DONE;
    pthread_mutex_lock(&s->lock);
    enum err e = sqlite_load_agents(s, agent, ctx, f);
    if (!e)
        e = sqlite_prepare(s,
                           "SELECT k.agent, k.thumbprint, k.jwk, k.created, k.retires FROM agent_keys k"
                           " JOIN agents a ON a.id = k.agent ORDER BY k.created, k.retires = 0, k.retires",
                           &st, f);
    if (!e) {
        while ((code = sqlite3_step(st)) == SQLITE_ROW) {
            struct store_key k = {sqlite_column(st, 0), sqlite_column(st, 1), sqlite_column(st, 2),
                                  sqlite3_column_int64(st, 3), sqlite3_column_int64(st, 4)};
            key(ctx, &k);
        }
        sqlite3_finalize(st);
        if (code != SQLITE_DONE)
            e = sqlite_fail(s, f, "read keys");
    }
    pthread_mutex_unlock(&s->lock);
    return e;
}

/* ---- pins ---- */

static enum err sqlite_read_pins(struct sqlite_store *s, sqlite3_stmt *st,
                                 void (*pin)(void *, const struct store_pin *), void *ctx, size_t *ret_n,
                                 struct fault *f)
{
    int code;
    size_t n = 0;
    for (; (code = sqlite3_step(st)) == SQLITE_ROW; n++) {
        struct store_pin p = {
            .tool = sqlite_column(st, 0),
            .hash = sqlite_column(st, 1),
            .definition = sqlite_column(st, 2),
            .first_seen = sqlite3_column_int64(st, 3),
            .accepted = sqlite3_column_int64(st, 4),
            .accepted_by = sqlite_column(st, 5),
        };
        pin(ctx, &p);
    }
    sqlite3_finalize(st);
    *ret_n = n;
    return code == SQLITE_DONE ? ERR_OK : sqlite_fail(s, f, "read pins");
}

static enum err sqlite_pins_load(struct store *base, void (*pin)(void *, const struct store_pin *), void *ctx,
                                 struct fault *f)
{
    struct sqlite_store *s = (struct sqlite_store *)base;
    sqlite3_stmt *st;
    size_t n;
    pthread_mutex_lock(&s->lock);
    enum err e = sqlite_prepare(
        s, "SELECT tool, hash, '', first_seen, accepted, accepted_by FROM tool_pins ORDER BY tool", &st, f);
    if (!e)
        e = sqlite_read_pins(s, st, pin, ctx, &n, f);
    pthread_mutex_unlock(&s->lock);
    return e;
}

static enum err sqlite_pin_read(struct store *base, struct str tool, void (*pin)(void *, const struct store_pin *),
                                void *ctx, struct fault *f)
{
    struct sqlite_store *s = (struct sqlite_store *)base;
    sqlite3_stmt *st;
    size_t n = 0;
    pthread_mutex_lock(&s->lock);
    enum err e = sqlite_prepare(
        s, "SELECT tool, hash, definition, first_seen, accepted, accepted_by FROM tool_pins WHERE tool = ?", &st, f);
    if (!e) {
        sqlite_text(st, 1, tool);
        e = sqlite_read_pins(s, st, pin, ctx, &n, f);
    }
    if (!e && !n)
        e = fault_set(f, ERR_NOT_FOUND, "the tool " STR_FMT " has no pin", STR_ARG(tool));
    pthread_mutex_unlock(&s->lock);
    return e;
}

static enum err sqlite_pin_put(struct sqlite_store *s, const struct store_pin *p, struct fault *f)
{
    sqlite3_stmt *st;
    TRY(sqlite_prepare(s,
                       "INSERT INTO tool_pins (tool, hash, definition, first_seen, accepted, accepted_by)"
                       " VALUES (?,?,?,?,?,?) ON CONFLICT (tool) DO UPDATE SET hash = excluded.hash,"
                       " definition = excluded.definition, accepted = excluded.accepted,"
                       " accepted_by = excluded.accepted_by",
                       &st, f));
    sqlite_text(st, 1, p->tool);
    sqlite_text(st, 2, p->hash);
    sqlite_text(st, 3, p->definition);
    sqlite3_bind_int64(st, 4, p->first_seen);
    sqlite3_bind_int64(st, 5, p->accepted);
    sqlite_text(st, 6, p->accepted_by);
    return sqlite_step(s, st, NULL, NULL, f);
}

static enum err sqlite_pins_put(struct store *base, const struct store_pin *p, size_t n, struct fault *f)
{
    struct sqlite_store *s = (struct sqlite_store *)base;
    TRY(sqlite_begin(s, f));
    enum err e = ERR_OK;
    for (size_t i = 0; !e && i < n; i++)
        e = sqlite_pin_put(s, &p[i], f);
    return sqlite_end(s, e, f);
}

/* ---- stops ---- */

static enum err sqlite_stops_load(struct store *base, void (*stop)(void *, const struct store_stop *), void *ctx,
                                  struct fault *f)
{
    struct sqlite_store *s = (struct sqlite_store *)base;
    sqlite3_stmt *st;
    int code;
    pthread_mutex_lock(&s->lock);
    enum err e = sqlite_prepare(s, "SELECT agent, reason, stopped_by, stopped FROM stops ORDER BY agent", &st, f);
    if (!e) {
        while ((code = sqlite3_step(st)) == SQLITE_ROW) {
            struct store_stop p = {sqlite_column(st, 0), sqlite_column(st, 1), sqlite_column(st, 2),
                                   sqlite3_column_int64(st, 3)};
            stop(ctx, &p);
        }
        sqlite3_finalize(st);
        if (code != SQLITE_DONE)
            e = sqlite_fail(s, f, "read stops");
    }
    pthread_mutex_unlock(&s->lock);
    return e;
}

static enum err sqlite_stop_put(struct store *base, const struct store_stop *p, struct fault *f)
{
    struct sqlite_store *s = (struct sqlite_store *)base;
    sqlite3_stmt *st;
    TRY(sqlite_begin(s, f));
    enum err e =
        sqlite_prepare(s, "INSERT OR REPLACE INTO stops (agent, reason, stopped_by, stopped) VALUES (?,?,?,?)", &st, f);
    if (!e) {
        sqlite_text(st, 1, p->agent);
        sqlite_text(st, 2, p->reason);
        sqlite_text(st, 3, p->by);
        sqlite3_bind_int64(st, 4, p->at);
        e = sqlite_step(s, st, NULL, NULL, f);
    }
    return sqlite_end(s, e, f);
}

static enum err sqlite_stop_lift(struct store *base, struct str agent, struct fault *f)
{
    struct sqlite_store *s = (struct sqlite_store *)base;
    sqlite3_stmt *st;
    TRY(sqlite_begin(s, f));
    enum err e = sqlite_prepare(s, "DELETE FROM stops WHERE agent = ?", &st, f);
    if (!e) {
        sqlite_text(st, 1, agent);
        e = sqlite_step(s, st, NULL, NULL, f);
    }
    return sqlite_end(s, e, f);
}

static void sqlite_close(struct store *base)
{
    struct sqlite_store *s = (struct sqlite_store *)base;
    sqlite3_close(s->db);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static enum err sqlite_version(struct sqlite_store *s, int *ret, struct fault *f)
{
    sqlite3_stmt *st;
    TRY(sqlite_prepare(s, "PRAGMA user_version", &st, f));
    int code = sqlite3_step(st);
    *ret = code == SQLITE_ROW ? sqlite3_column_int(st, 0) : -1;
    sqlite3_finalize(st);
    return code == SQLITE_ROW ? ERR_OK : sqlite_fail(s, f, "read the schema's version");
}

static enum err sqlite_migrate(struct sqlite_store *s, struct fault *f)
{
    int version, newest = sizeof(sqlite_migrations) / sizeof(sqlite_migrations[0]);
    TRY(sqlite_version(s, &version, f));
    if (version > newest)
        return fault_set(f, ERR_STORE, "the store was written by a newer Doorward (schema %d, this one knows %d)",
                         version, newest);
    for (; version < newest; version++) {
        char pragma[64];
        sqlite3_snprintf(sizeof(pragma), pragma, "PRAGMA user_version = %d", version + 1);
        TRY(sqlite_begin(s, f));
        enum err e = sqlite_exec(s, sqlite_migrations[version], f);
        if (!e)
            e = sqlite_exec(s, pragma, f);
        TRY(sqlite_end(s, e, f));
    }
    return ERR_OK;
}

enum err store_sqlite_open(const char *path, struct store **ret, struct fault *f)
{
    static const struct store_ops ops = {"sqlite",
                                         sqlite_close,
                                         sqlite_load,
                                         sqlite_agent_create,
                                         sqlite_agent_update,
                                         sqlite_agent_rotate,
                                         sqlite_agent_delete,
                                         sqlite_pins_load,
                                         sqlite_pin_read,
                                         sqlite_pins_put,
                                         sqlite_stops_load,
                                         sqlite_stop_put,
                                         sqlite_stop_lift,
                                         sqlite_approvals_load,
                                         sqlite_approval_read,
                                         sqlite_approvals_put,
                                         sqlite_approvals_prune,
                                         sqlite_held_load,
                                         sqlite_people_load,
                                         sqlite_person_put,
                                         sqlite_person_drop,
                                         sqlite_passkeys_load,
                                         sqlite_passkey_put,
                                         sqlite_passkey_used,
                                         sqlite_passkey_drop};
    struct sqlite_store *s = calloc(1, sizeof(*s));
    if (!s)
        return fault_set(f, ERR_NOMEM, "no memory for the store");
    s->base.ops = &ops;
    pthread_mutex_init(&s->lock, NULL);
    enum err e = ERR_OK;
    if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK)
        e = fault_set(f, ERR_STORE, "store %s: %s", path, s->db ? sqlite3_errmsg(s->db) : "no memory");
    if (!e)
        sqlite3_busy_timeout(s->db, 5000);
    if (!e)
        e = sqlite_exec(s,
                        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
                        "PRAGMA trusted_schema = OFF",
                        f);
    if (!e)
        e = sqlite_migrate(s, f);
    if (e) {
        sqlite_close(&s->base);
        return e;
    }
    *ret = &s->base;
    return ERR_OK;
}
