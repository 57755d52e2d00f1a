/* Small things that must survive a restart, by what they are about, in SQLite. */
#include "store/sqlite.h"

enum err sqlite_notes_load(struct store *base, struct str about, void (*note)(void *, const struct store_note *),
                           void *ctx, struct fault *f)
{
    struct sqlite_store *s = (struct sqlite_store *)base;
    sqlite3_stmt *st;
    int code;
    pthread_mutex_lock(&s->lock);
    enum err e = sqlite_prepare(s, "SELECT about, key, text FROM notes WHERE about = ? ORDER BY key", &st, f);
    if (!e) {
        sqlite_text(st, 1, about);
        while ((code = sqlite3_step(st)) == SQLITE_ROW) {
            struct store_note n = {sqlite_column(st, 0), sqlite_column(st, 1), sqlite_column(st, 2)};
            note(ctx, &n);
        }
        sqlite3_finalize(st);
        if (code != SQLITE_DONE)
            e = sqlite_fail(s, f, "read notes");
    }
    pthread_mutex_unlock(&s->lock);
    return e;
}

enum err sqlite_note_put(struct store *base, const struct store_note *n, struct fault *f)
{
    struct sqlite_store *s = (struct sqlite_store *)base;
    sqlite3_stmt *st;
    TRY(sqlite_begin(s, f));
    enum err e = sqlite_prepare(s, "INSERT OR REPLACE INTO notes (about, key, text) VALUES (?,?,?)", &st, f);
    if (!e) {
        sqlite_text(st, 1, n->about);
        sqlite_text(st, 2, n->key);
        sqlite_text(st, 3, n->text);
        e = sqlite_step(s, st, NULL, NULL, f);
    }
    return sqlite_end(s, e, f);
}

enum err sqlite_note_drop(struct store *base, struct str about, struct str key, struct fault *f)
{
    struct sqlite_store *s = (struct sqlite_store *)base;
    sqlite3_stmt *st;
    TRY(sqlite_begin(s, f));
    enum err e = sqlite_prepare(s, "DELETE FROM notes WHERE about = ? AND key = ?", &st, f);
    if (!e) {
        sqlite_text(st, 1, about);
        sqlite_text(st, 2, key);
        e = sqlite_step(s, st, NULL, NULL, f);
    }
    return sqlite_end(s, e, f);
}
