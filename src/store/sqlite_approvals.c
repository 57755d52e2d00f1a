/* Questions to people, and the sessions that they wait in, in SQLite. */
#include "store/sqlite.h"

#define APPROVAL_COLUMNS "id, sid, tool, state, ended, question, standing"

static enum err approvals_rows(struct sqlite_store *s, sqlite3_stmt *st,
                               void (*row)(void *, const struct store_approval *), void *ctx, size_t *ret_n,
                               struct fault *f)
{
    int code;
    size_t n = 0;
    for (; (code = sqlite3_step(st)) == SQLITE_ROW; n++) {
        struct store_approval p = {
            .id = sqlite_column(st, 0),
            .sid = sqlite_column(st, 1),
            .tool = sqlite_column(st, 2),
            .state = sqlite3_column_int64(st, 3),
            .ended = sqlite3_column_int64(st, 4),
            .question = sqlite_column(st, 5),
            .standing = sqlite_column(st, 6),
        };
        row(ctx, &p);
    }
    sqlite3_finalize(st);
    *ret_n = n;
    return code == SQLITE_DONE ? ERR_OK : sqlite_fail(s, f, "read approvals");
}

enum err sqlite_approvals_load(struct store *base, int64_t since, void (*row)(void *, const struct store_approval *),
                               void *ctx, struct fault *f)
{
    struct sqlite_store *s = (struct sqlite_store *)base;
    sqlite3_stmt *st;
    size_t n;
    pthread_mutex_lock(&s->lock);
    enum err e = sqlite_prepare(
        s, "SELECT " APPROVAL_COLUMNS " FROM approvals WHERE ended = 0 OR ended >= ? ORDER BY id", &st, f);
    if (!e) {
        sqlite3_bind_int64(st, 1, since);
        e = approvals_rows(s, st, row, ctx, &n, f);
    }
    pthread_mutex_unlock(&s->lock);
    return e;
}

enum err sqlite_approval_read(struct store *base, struct str id, void (*row)(void *, const struct store_approval *),
                              void *ctx, struct fault *f)
{
    struct sqlite_store *s = (struct sqlite_store *)base;
    sqlite3_stmt *st;
    size_t n = 0;
    pthread_mutex_lock(&s->lock);
    enum err e = sqlite_prepare(s, "SELECT " APPROVAL_COLUMNS " FROM approvals WHERE id = ?", &st, f);
    if (!e) {
        sqlite_text(st, 1, id);
        e = approvals_rows(s, st, row, ctx, &n, f);
    }
    if (!e && !n)
        e = fault_set(f, ERR_NOT_FOUND, "there is no question " STR_FMT, STR_ARG(id));
    pthread_mutex_unlock(&s->lock);
    return e;
}

/* ---- writing ---- */

static enum err approvals_write(struct sqlite_store *s, sqlite3_stmt *st, const struct store_approval *p,
                                struct fault *f)
{
    sqlite_text(st, 1, p->id);
    sqlite3_bind_int64(st, 2, p->state);
    sqlite3_bind_int64(st, 3, p->ended);
    sqlite_text(st, 4, p->standing);
    if (p->question.n) {
        sqlite_text(st, 5, p->sid);
        sqlite_text(st, 6, p->tool);
        sqlite_text(st, 7, p->question);
    }
    enum err e = sqlite3_step(st) == SQLITE_DONE ? ERR_OK : sqlite_fail(s, f, "write approvals");
    /* What has not ended must be there to be changed; of what never came in nothing need be said. */
    if (!e && !p->ended && sqlite3_changes(s->db) != 1)
        e = fault_set(f, ERR_STORE, "store: the question " STR_FMT " is not there", STR_ARG(p->id));
    sqlite3_reset(st);
    return e;
}

/* What is over keeps what it was about, and no longer what was in it. */
static enum err approvals_put_all(struct sqlite_store *s, const struct store_approval *p, size_t n, struct fault *f)
{
    sqlite3_stmt *put, *change;
    TRY(sqlite_prepare(
        s, "INSERT INTO approvals (id, state, ended, standing, sid, tool, question) VALUES (?,?,?,?,?,?,?)", &put, f));
    enum err e =
        sqlite_prepare(s,
                       "UPDATE approvals SET state = ?2, ended = ?3, standing = ?4, question = CASE WHEN ?3 > 0"
                       " THEN json_remove(question, '$.arguments', '$.schema', '$.title', '$.description',"
                       " '$.reasoning', '$.call') ELSE question END WHERE id = ?1",
                       &change, f);
    if (!e) {
        for (size_t i = 0; i < n && !e; i++)
            e = approvals_write(s, p[i].question.n ? put : change, &p[i], f);
        sqlite3_finalize(change);
    }
    sqlite3_finalize(put);
    return e;
}

static enum err approvals_put_held(struct sqlite_store *s, const struct store_held *h, size_t n, struct fault *f)
{
    sqlite3_stmt *st;
    int code = SQLITE_DONE;
    TRY(sqlite_prepare(s, "INSERT OR REPLACE INTO held_sessions (sid, lease) VALUES (?,?)", &st, f));
    for (size_t i = 0; i < n && code == SQLITE_DONE; i++) {
        sqlite_text(st, 1, h[i].sid);
        sqlite_text(st, 2, h[i].lease);
        code = sqlite3_step(st);
        sqlite3_reset(st);
    }
    enum err e = code == SQLITE_DONE ? ERR_OK : sqlite_fail(s, f, "write sessions");
    sqlite3_finalize(st);
    return e;
}

static enum err approvals_drop_held(struct sqlite_store *s, struct fault *f)
{
    sqlite3_stmt *st;
    TRY(sqlite_prepare(s, "DELETE FROM held_sessions WHERE sid NOT IN (SELECT sid FROM approvals WHERE ended = 0)", &st,
                       f));
    return sqlite_step(s, st, NULL, NULL, f);
}

enum err sqlite_approvals_put(struct store *base, const struct store_approval *p, size_t n, const struct store_held *h,
                              size_t hn, struct fault *f)
{
    struct sqlite_store *s = (struct sqlite_store *)base;
    bool ends = false;
    TRY(sqlite_begin(s, f));
    enum err e = n ? approvals_put_all(s, p, n, f) : ERR_OK;
    if (!e && hn)
        e = approvals_put_held(s, h, hn, f);
    for (size_t i = 0; i < n; i++)
        ends = ends || p[i].ended;
    if (!e && (ends || hn))
        e = approvals_drop_held(s, f);
    return sqlite_end(s, e, f);
}

enum err sqlite_approvals_prune(struct store *base, int64_t ended_before, struct fault *f)
{
    struct sqlite_store *s = (struct sqlite_store *)base;
    sqlite3_stmt *st;
    TRY(sqlite_begin(s, f));
    enum err e = sqlite_prepare(s, "DELETE FROM approvals WHERE ended > 0 AND ended < ?", &st, f);
    if (!e) {
        sqlite3_bind_int64(st, 1, ended_before);
        e = sqlite_step(s, st, NULL, NULL, f);
    }
    return sqlite_end(s, e, f);
}

enum err sqlite_held_load(struct store *base, void (*held)(void *, const struct store_held *), void *ctx,
                          struct fault *f)
{
    struct sqlite_store *s = (struct sqlite_store *)base;
    sqlite3_stmt *st;
    int code;
    pthread_mutex_lock(&s->lock);
    enum err e = sqlite_prepare(s, "SELECT sid, lease FROM held_sessions ORDER BY sid", &st, f);
    if (!e) {
        while ((code = sqlite3_step(st)) == SQLITE_ROW) {
            struct store_held h = {sqlite_column(st, 0), sqlite_column(st, 1)};
            held(ctx, &h);
        }
        sqlite3_finalize(st);
        if (code != SQLITE_DONE)
            e = sqlite_fail(s, f, "read sessions");
    }
    pthread_mutex_unlock(&s->lock);
    return e;
}
