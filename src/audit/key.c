#include "audit/key.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

enum { KEY_FILE = 4096, KEY_NAME = 17, KEY_SEAL = 32 }; /* 20261126T041840Z and a zero */

void audit_keys_done(struct audit_keys *k)
{
    for (unsigned i = 0; i < k->n; i++)
        note_signer_done(&k->signer[i]);
    note_verifiers_done(&k->verifiers);
    secret_free(k->seal);
    *k = (struct audit_keys){0};
}

static void key_name(int64_t wall_ms, char ret[KEY_NAME])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    strftime(ret, KEY_NAME, "%Y%m%dT%H%M%SZ", &tm);
}

/* When the key of this file was made; -1: it is none. */
static int64_t key_time(const char *name)
{
    struct tm tm = {0};
    const char *end = strptime(name, "%Y%m%dT%H%M%SZ", &tm);
    return end && (strcmp(end, ".key") == 0) ? (int64_t)timegm(&tm) * 1000 : -1;
}

/* A new file of this folder, whole and on the disk, or none. */
static enum err key_put(const char *dir, const char *name, const void *p, size_t n, struct fault *f)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    /* no half of a key, which would stop the next start */
    return file_new(path, (struct str){p, n})
               ? ERR_OK
               : fault_set(f, errno == EEXIST ? ERR_EXISTS : ERR_IO, "%s: the key could not be written: %s", path,
                           strerror(errno));
}

static enum err key_make(const char *dir, struct str origin, struct note_verifier *ret, struct fault *f)
{
    char name[KEY_NAME], file[KEY_NAME + 8];
    struct note_signer signer;
    struct secret *text CLEANUP(secret_freep) = NULL;
    struct buf public CLEANUP(buf_done);
    buf_init(&public, NOTE_KEY + 2);
    key_name(clock_wall_ms(), name);
    TRY(note_signer_new(origin, NOTE_ED25519, &signer, f));
    *ret = signer.public;
    note_verifier_write(&signer.public, &public);
    buf_char(&public, '\n');
    enum err e = buf_failed(&public) ? fault_set(f, ERR_NOMEM, "no memory for a key") : ERR_OK;
    if (!e)
        e = note_signer_write(&signer, &text, f);
    note_signer_done(&signer);
    TRY(e);
    snprintf(file, sizeof(file), "%s.pub", name); /* first: no signature without its verifier */
    TRY(key_put(dir, file, public.p, public.n, f));
    snprintf(file, sizeof(file), "%s.key", name);
    return key_put(dir, file, secret_bytes(text), secret_len(text), f);
}

static enum err key_load(struct audit_keys *k, const char *dir, const char *name, struct fault *f)
{
    char path[4096];
    struct secret *text CLEANUP(secret_freep) = NULL;
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    TRY(secret_read(path, KEY_FILE, true, &text, f));
    struct note_signer *s = &k->signer[k->n];
    enum err e = note_signer_parse(text, s, f);
    if (e) {
        fault_wrap(f, "%s", path);
        return e;
    }
    k->n++;
    if (s->public.alg != NOTE_ED25519 || strcmp(s->public.name, k->signer[0].public.name) != 0)
        return fault_set(f, ERR_PARAMS, "%s: must be a key of %s, as the newest one is", path,
                         k->signer[0].public.name);
    return ERR_OK;
}

static int key_filter(const struct dirent *d)
{
    return key_time(d->d_name) >= 0;
}

static void key_retire(struct audit_keys *k, const char *dir, const char *name)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    if (unlink(path) < 0)
        return;
    for (size_t i = 0; i < sizeof(k->retired) / sizeof(k->retired[0]); i++)
        if (!k->retired[i][0]) {
            snprintf(k->retired[i], sizeof(k->retired[i]), "%.*s", KEY_NAME - 1, name);
            break;
        }
}

/* The newest, and those whose successor is younger than the overlap; the others go when `retire`. */
static enum err key_scan(struct audit_keys *k, const char *dir, int64_t overlap_ms, bool retire, struct fault *f)
{
    struct dirent **names;
    enum err e = ERR_OK;
    int n = scandir(dir, &names, key_filter, alphasort); /* names are times */
    if (n < 0)
        return fault_set(f, ERR_IO, "%s: %s", dir, strerror(errno));
    int64_t successor = INT64_MAX, now = clock_wall_ms();
    for (int i = n - 1; i >= 0; i--) {
        bool signs = i == n - 1 || (now < successor + overlap_ms && k->n < AUDIT_SIGNERS);
        successor = key_time(names[i]->d_name);
        if (signs && !e)
            e = key_load(k, dir, names[i]->d_name, f);
        else if (!signs && retire && !e)
            key_retire(k, dir, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    return e;
}

static enum err key_seal(const char *dir, struct secret **ret, struct fault *f)
{
    char path[4096];
    unsigned char *bytes;
    snprintf(path, sizeof(path), "%s/seal.key", dir);
    if (access(path, F_OK) < 0 && errno == ENOENT) {
        struct secret *new CLEANUP(secret_freep) = secret_alloc(KEY_SEAL, &bytes);
        if (!new)
            return fault_set(f, ERR_NOMEM, "no memory for a key");
        enc_random(bytes, KEY_SEAL);
        char hex[2 * KEY_SEAL + 1];
        enc_hex(bytes, KEY_SEAL, hex);
        enum err e = key_put(dir, "seal.key", hex, 2 * KEY_SEAL, f);
        secret_wipe(hex, sizeof(hex));
        TRY(e);
    }
    struct secret *text CLEANUP(secret_freep) = NULL, *key;
    TRY(secret_read(path, KEY_FILE, true, &text, f));
    if (!(key = secret_alloc(KEY_SEAL, &bytes)))
        return fault_set(f, ERR_NOMEM, "no memory for a key");
    if (!enc_unhex((struct str){(const char *)secret_bytes(text), secret_len(text)}, bytes, KEY_SEAL)) {
        secret_free(key);
        return fault_set(f, ERR_SYNTAX, "%s: must be 64 hex digits", path);
    }
    *ret = key;
    return ERR_OK;
}

enum err audit_keys_open(const char *dir, struct str origin, bool make, int64_t overlap_ms, struct audit_keys *ret,
                         struct fault *f)
{
    struct audit_keys k = {0};
    struct note_verifier made;
    if (mkdir(dir, 0700) < 0 && errno != EEXIST)
        return fault_set(f, ERR_IO, "audit.keys: %s: %s: must be a folder that Doorward may write", dir,
                         strerror(errno));
    enum err e = key_scan(&k, dir, overlap_ms, true, f);
    if (!e && !k.n && !make)
        e = fault_set(f, ERR_NOT_FOUND,
                      "audit.keys: %s: holds no key, but the record has signed checkpoints: put its "
                      "keys back, or make a new one with doorward audit rotate",
                      dir);
    if (!e && !k.n) {
        e = key_make(dir, origin, &made, f);
        if (!e)
            e = key_scan(&k, dir, overlap_ms, false, f);
        k.made = !e;
    }
    if (!e)
        e = note_verifiers_read(dir, &k.verifiers, f);
    if (!e)
        e = key_seal(dir, &k.seal, f);
    if (e) {
        audit_keys_done(&k);
        return e;
    }
    *ret = k;
    return ERR_OK;
}

enum err audit_keys_new(const char *dir, struct str origin, struct note_verifier *ret, struct fault *f)
{
    struct audit_keys k = {0};
    if (mkdir(dir, 0700) < 0 && errno != EEXIST)
        return fault_set(f, ERR_IO, "%s: %s", dir, strerror(errno));
    enum err e = key_scan(&k, dir, 0, false, f);
    char name[NOTE_NAME];
    snprintf(name, sizeof(name), STR_FMT, STR_ARG(origin));
    if (k.n)
        memcpy(name, k.signer[0].public.name, sizeof(name));
    audit_keys_done(&k);
    TRY(e);
    return key_make(dir, str_of(name), ret, f);
}
