/* The file: opening, closing, and its name. */
#include "search/part.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"

enum { PART_APPLICATION = 0x44574958, PART_VERSION = 1, PART_BUSY_MS = 5000 };

static const char part_schema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE about (id INTEGER PRIMARY KEY, salt BLOB NOT NULL, since INTEGER NOT NULL, upto INTEGER NOT NULL,"
    " last BLOB NOT NULL, boot TEXT NOT NULL) STRICT;"
    "CREATE TABLE chunk (chunk INTEGER PRIMARY KEY, since INTEGER NOT NULL, until INTEGER NOT NULL,"
    " whole INTEGER NOT NULL, blocks BLOB NOT NULL) STRICT;"
    "CREATE TABLE posting (chunk INTEGER NOT NULL, key BLOB NOT NULL, ids BLOB NOT NULL, PRIMARY KEY (chunk, key))"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE piece (piece INTEGER NOT NULL, key BLOB NOT NULL, ids BLOB NOT NULL, PRIMARY KEY (piece, key))"
    " STRICT, WITHOUT ROWID;"
    "INSERT INTO about VALUES (1, randomblob(16), 0, 0, x'', '');"
    "PRAGMA application_id = 0x44574958;"
    "PRAGMA user_version = 1;"
    "COMMIT;";

void part_path(const char *audit_dir, uint64_t first, char ret[4096])
{
    snprintf(ret, 4096, "%s/index/%020llu.db", audit_dir, (unsigned long long)first);
}

enum err part_list(const char *audit_dir, struct part_list *ret, struct fault *f)
{
    char path[4096];
    struct part_list l = {0};
    snprintf(path, sizeof(path), "%s/index", audit_dir);
    /* a folder that cannot be read is as good as none */
    if (!file_numbers(path, ".db", &l.first, &l.count) && errno == ENOMEM)
        return fault_set(f, ERR_NOMEM, "no memory for the list of index files");
    size_t n = 0;
    for (size_t i = 0; i < l.count; i++)
        if (l.first[i] && l.first[i] == part_first_of(l.first[i]))
            l.first[n++] = l.first[i];
    l.count = n;
    *ret = l;
    return ERR_OK;
}

void part_list_done(struct part_list *l)
{
    free(l->first);
    *l = (struct part_list){0};
}

static void part_remove_beside(const char *path)
{
    static const char *const tails[] = {"-wal", "-shm", "-journal"};
    char beside[4096 + 16];
    for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
        snprintf(beside, sizeof(beside), "%s%s", path, tails[i]);
        unlink(beside);
    }
}

void part_remove(const char *audit_dir, uint64_t first)
{
    char path[4096];
    part_path(audit_dir, first, path);
    unlink(path);
    part_remove_beside(path);
}

void part_put_aside(const char *audit_dir, uint64_t first)
{
    char path[4096], aside[4096 + 16];
    part_path(audit_dir, first, path);
    snprintf(aside, sizeof(aside), "%s.damaged", path);
    if (rename(path, aside) < 0)
        unlink(path);
    part_remove_beside(path);
}

enum err part_fault(struct part *p, const char *doing, struct fault *f)
{
    int code = sqlite3_errcode(p->db) & 0xff;
    enum err e = code == SQLITE_NOMEM                                                      ? ERR_NOMEM
                 : code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_ERROR ? ERR_CORRUPT
                                                                                           : ERR_STORE;
    return fault_set(f, e, "the index from entry %llu on: %s: %s", (unsigned long long)p->first, doing,
                     sqlite3_errmsg(p->db));
}

static enum err part_exec(struct part *p, const char *sql, struct fault *f)
{
    return sqlite3_exec(p->db, sql, NULL, NULL, NULL) == SQLITE_OK ? ERR_OK : part_fault(p, sql, f);
}

static enum err part_number(struct part *p, const char *sql, int64_t *ret, struct fault *f)
{
    sqlite3_stmt *st;
    if (sqlite3_prepare_v2(p->db, sql, -1, &st, NULL) != SQLITE_OK)
        return part_fault(p, sql, f);
    enum err e = sqlite3_step(st) == SQLITE_ROW ? ERR_OK : part_fault(p, sql, f);
    *ret = e ? 0 : sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return e;
}

/* The run of the machine, as the kernel names it. */
static void part_boot(char ret[PART_BOOT])
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
    memset(ret, 0, PART_BOOT);
    if (!file || !fgets(ret, PART_BOOT, file))
        strcpy(ret, "unknown");
    ret[strcspn(ret, "\n")] = 0;
    if (file)
        fclose(file);
}

/* A file that was being written when the machine stopped may be anything. */
static enum err part_survived(const struct part *p, struct str boot, struct fault *f)
{
    return !boot.n || str_is(boot, p->boot)
               ? ERR_OK
               : fault_set(f, ERR_CONFLICT,
                           "the index from entry %llu on was being written when the machine stopped, or was copied",
                           (unsigned long long)p->first);
}

static enum err part_about(struct part *p, struct fault *f)
{
    int64_t application = 0, version = 0;
    sqlite3_stmt *st;
    TRY(part_number(p, "PRAGMA application_id", &application, f));
    TRY(part_number(p, "PRAGMA user_version", &version, f));
    if (application != PART_APPLICATION || version != PART_VERSION)
        return fault_set(f, ERR_CORRUPT, "the index from entry %llu on is none, or one of another version",
                         (unsigned long long)p->first);
    if (sqlite3_prepare_v2(p->db, "SELECT salt, since, upto, last, boot FROM about WHERE id = 1", -1, &st, NULL) !=
        SQLITE_OK)
        return part_fault(p, "about", f);
    enum err e = ERR_OK;
    int code = sqlite3_step(st);
    if (code != SQLITE_ROW)
        e = code == SQLITE_DONE ? fault_set(f, ERR_CORRUPT, "an index says nothing of itself")
                                : part_fault(p, "about", f);
    if (!e) {
        const void *salt = sqlite3_column_blob(st, 0), *last = sqlite3_column_blob(st, 3);
        p->since = (uint64_t)sqlite3_column_int64(st, 1);
        p->upto = (uint64_t)sqlite3_column_int64(st, 2);
        bool fits = salt && sqlite3_column_bytes(st, 0) == PART_SALT &&
                    (!p->upto || (last && sqlite3_column_bytes(st, 3) == SHA256_BYTES && p->since >= p->first &&
                                  p->upto >= p->since && p->upto - p->first < PART_ENTRIES));
        if (fits)
            memcpy(p->salt, salt, PART_SALT);
        if (fits && p->upto)
            memcpy(p->last, last, SHA256_BYTES);
        if (!fits)
            e = fault_set(f, ERR_CORRUPT, "the index from entry %llu on says nothing sound of itself",
                          (unsigned long long)p->first);
        else
            e = part_survived(p, str_of((const char *)sqlite3_column_text(st, 4)), f);
    }
    sqlite3_finalize(st);
    return e;
}

static enum err part_whole(struct part *p, struct fault *f)
{
    sqlite3_stmt *st;
    if (sqlite3_prepare_v2(p->db, "SELECT chunk FROM chunk WHERE whole", -1, &st, NULL) != SQLITE_OK)
        return part_fault(p, "chunk", f);
    int code;
    while ((code = sqlite3_step(st)) == SQLITE_ROW)
        p->whole |= 1u << (sqlite3_column_int(st, 0) & 31);
    enum err e = code == SQLITE_DONE ? ERR_OK : part_fault(p, "chunk", f);
    sqlite3_finalize(st);
    return e;
}

static enum err part_prepare(struct part *p, bool writes, struct fault *f)
{
    const struct {
        const char *sql;
        sqlite3_stmt **st;
        bool write;
    } all[] = {
        {"SELECT ids FROM posting WHERE chunk = ? AND key = ?", &p->get, false},
        {"SELECT ids FROM posting WHERE chunk = ? AND key >= ? AND key < ?", &p->range, false},
        {"SELECT ids FROM piece WHERE piece = ? AND key = ?", &p->piece_get, false},
        {"SELECT ids FROM piece WHERE piece = ? AND key >= ? AND key < ?", &p->piece_range, false},
        {"SELECT since, until, blocks FROM chunk WHERE chunk = ?", &p->chunk_get, false},
        {"REPLACE INTO posting VALUES (?, ?, ?)", &p->put, true},
        {"REPLACE INTO piece VALUES (?, ?, ?)", &p->piece_put, true},
        {"REPLACE INTO chunk VALUES (?, ?, ?, ?, ?)", &p->chunk_put, true},
        {"UPDATE about SET since = ?, upto = ?, last = ?, boot = ?", &p->about_put, true},
    };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if ((writes || !all[i].write) &&
            sqlite3_prepare_v3(p->db, all[i].sql, -1, SQLITE_PREPARE_PERSISTENT, all[i].st, NULL) != SQLITE_OK)
            return part_fault(p, "it does not have the form of one", f);
    return ERR_OK;
}

static enum err part_new(uint64_t first, struct part **ret, struct fault *f)
{
    struct part *p = calloc(1, sizeof(*p));
    if (!p)
        return fault_set(f, ERR_NOMEM, "no memory for an index");
    p->first = first;
    part_boot(p->boot);
    *ret = p;
    return ERR_OK;
}

/* Reads as it is at this moment: all that follows comes from one snapshot. */
static enum err part_read(struct part *p, const char *name, int flags, struct fault *f)
{
    if (sqlite3_open_v2(name, &p->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | flags, NULL) != SQLITE_OK)
        return p->db ? part_fault(p, "open", f) : fault_set(f, ERR_NOMEM, "no memory for an index");
    sqlite3_busy_timeout(p->db, PART_BUSY_MS);
    TRY(part_exec(p, "BEGIN", f));
    TRY(part_about(p, f));
    TRY(part_whole(p, f));
    return part_prepare(p, false, f);
}

/* A name with what has a meaning in a URI escaped. */
static bool part_uri(const char *path, char *to, size_t max)
{
    static const char hex[] = "0123456789ABCDEF";
    size_t n = (size_t)snprintf(to, max, "file:");
    for (; *path && n + 20 < max; path++) {
        unsigned char c = (unsigned char)*path;
        if (c == '%' || c == '?' || c == '#' || c < 0x20) {
            to[n++] = '%';
            to[n++] = hex[c >> 4];
            to[n++] = hex[c & 15];
        } else
            to[n++] = *path;
    }
    snprintf(to + n, max - n, "?immutable=1");
    return !*path;
}

enum err part_open(const char *audit_dir, uint64_t first, struct part **ret, struct fault *f)
{
    char path[4096], beside[4096 + 8], uri[3 * 4096];
    struct part *p CLEANUP(part_closep) = NULL;
    part_path(audit_dir, first, path);
    if (access(path, R_OK) < 0)
        return fault_set(f, ERR_NOT_FOUND, "%s: %s", path, strerror(errno));
    TRY(part_new(first, &p, f));
    enum err e = part_read(p, path, 0, f);
    snprintf(beside, sizeof(beside), "%s-wal", path);
    /* A file that a writer left in write-ahead mode wants a file beside it, which not everybody may make. Without a log
     * it is whole as it is. */
    if (e == ERR_STORE && access(beside, F_OK) < 0 && part_uri(path, uri, sizeof(uri))) {
        part_closep(&p);
        TRY(part_new(first, &p, f));
        e = part_read(p, uri, SQLITE_OPEN_URI, f);
    }
    TRY(e);
    *ret = p;
    p = NULL;
    return ERR_OK;
}

enum err part_open_to_write(const char *audit_dir, uint64_t first, struct part **ret, struct fault *f)
{
    char path[4096];
    int64_t version = 0;
    struct part *p CLEANUP(part_closep) = NULL;
    TRY(part_new(first, &p, f));
    part_path(audit_dir, first, path);
    if (sqlite3_open_v2(path, &p->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK)
        return p->db ? part_fault(p, "open", f) : fault_set(f, ERR_NOMEM, "no memory for an index");
    sqlite3_busy_timeout(p->db, PART_BUSY_MS);
    TRY(part_number(p, "PRAGMA user_version", &version, f));
    /* Nothing is flushed, so that the record alone waits for the disk: until it is closed, the file belongs to this run
     * of the machine (boot). */
    TRY(part_exec(p, "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 4096", f));
    if (!version)
        TRY(part_exec(p, part_schema, f));
    TRY(part_about(p, f));
    TRY(part_whole(p, f));
    TRY(part_prepare(p, true, f));
    p->writes = true;
    *ret = p;
    p = NULL;
    return ERR_OK;
}

/* All of it is on the disk: it outlives this run of the machine. */
static void part_settle(struct part *p)
{
    sqlite3_file *file = NULL;
    sqlite3_busy_timeout(p->db, 0); /* who reads just now keeps nobody waiting */
    sqlite3_exec(p->db, "PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
    if (sqlite3_file_control(p->db, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK && file && file->pMethods &&
        file->pMethods->xSync(file, SQLITE_SYNC_NORMAL) == SQLITE_OK)
        sqlite3_exec(p->db, "UPDATE about SET boot = ''", NULL, NULL, NULL); /* flushes its own log */
}

void part_close(struct part *p)
{
    if (!p)
        return;
    if (p->writes)
        part_settle(p);
    sqlite3_stmt *all[] = {p->get,       p->range,     p->put,       p->piece_get, p->piece_range,
                           p->piece_put, p->chunk_get, p->chunk_put, p->about_put};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        sqlite3_finalize(all[i]);
    sqlite3_close(p->db);
    free(p);
}

void part_closep(struct part **p)
{
    part_close(*p);
    *p = NULL;
}

void part_finish(struct part *p)
{
    part_settle(p);
    sqlite3_exec(p->db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
}

enum err part_check(struct part *p, struct fault *f)
{
    sqlite3_stmt *st;
    if (sqlite3_prepare_v2(p->db, "PRAGMA quick_check(1)", -1, &st, NULL) != SQLITE_OK)
        return part_fault(p, "check", f);
    enum err e = ERR_OK;
    if (sqlite3_step(st) != SQLITE_ROW)
        e = part_fault(p, "check", f);
    else if (strcmp((const char *)sqlite3_column_text(st, 0), "ok") != 0)
        e = fault_set(f, ERR_CORRUPT, "the index from entry %llu on is damaged", (unsigned long long)p->first);
    sqlite3_finalize(st);
    return e;
}

/* ---- keys ---- */

size_t part_key(const struct part *p, enum fact fact, struct str value, char ret[KEY_BYTES])
{
    unsigned char hash[crypto_shorthash_BYTES];
    ret[0] = (char)fact;
    crypto_shorthash(hash, (const unsigned char *)(value.p ? value.p : ""), value.n, p->salt);
    memcpy(ret + 1, hash, sizeof(hash));
    return 1 + sizeof(hash);
}

size_t part_word_key(struct str word, char ret[KEY_BYTES])
{
    ret[0] = 'w';
    memcpy(ret + 1, word.p, word.n);
    return 1 + word.n;
}
