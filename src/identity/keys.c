#include "identity/keys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"

enum { KEYS_MAX = 16, KEY_FILE_MAX = 4096 };

struct keys {
    struct jose_key *key[KEYS_MAX]; /* the newest first */
    size_t count;
};

void keys_free(struct keys *k)
{
    if (!k)
        return;
    for (size_t i = 0; i < k->count; i++)
        jose_key_free(k->key[i]);
    free(k);
}

static enum err keys_load(struct keys *k, const char *path, struct fault *f)
{
    struct secret *s;
    TRY(secret_read(path, KEY_FILE_MAX, true, &s, f));
    enum err e =
        jose_key_parse((struct str){(const char *)secret_bytes(s), secret_len(s)}, false, &k->key[k->count], f);
    secret_free(s);
    if (e) {
        fault_wrap(f, "%s", path);
        return e == ERR_NOMEM ? e : (f->err = ERR_CORRUPT);
    }
    if (!jose_key_private(k->key[k->count])) {
        jose_key_free(k->key[k->count]);
        return fault_set(f, ERR_CORRUPT, "%s: holds no private key", path);
    }
    k->count++;
    return ERR_OK;
}

static enum err keys_make(const char *dir, enum jose_alg alg, struct fault *f)
{
    struct jose_key *key CLEANUP(jose_key_freep) = NULL;
    struct secret *s CLEANUP(secret_freep) = NULL;
    char path[4096];
    TRY(jose_key_generate(alg, &key, f));
    TRY(jose_key_write_private(key, &s, f));
    snprintf(path, sizeof(path), "%s/signing-%013lld.jwk", dir, (long long)clock_wall_ms());
    /* no half of a key, which would stop the next start */
    return file_new(path, (struct str){(const char *)secret_bytes(s), secret_len(s)})
               ? ERR_OK
               : fault_set(f, ERR_IO, "%s: the key could not be written: %s", path, strerror(errno));
}

static int keys_filter(const struct dirent *d)
{
    return str_starts(str_of(d->d_name), STR("signing-")) && str_ends(str_of(d->d_name), STR(".jwk"));
}

static enum err keys_scan(struct keys *k, const char *dir, struct fault *f)
{
    struct dirent **names;
    char path[4096];
    enum err e = ERR_OK;
    int n = scandir(dir, &names, keys_filter, alphasort); /* names begin with the time: the newest is last */
    if (n < 0)
        return fault_set(f, ERR_IO, "%s: %s", dir, strerror(errno));
    for (int i = n - 1; i >= 0; i--) {
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]->d_name);
        if (!e && k->count < KEYS_MAX)
            e = keys_load(k, path, f);
        free(names[i]);
    }
    free(names);
    return e;
}

enum err keys_open(const char *dir, enum jose_alg alg, struct keys **ret, struct fault *f)
{
    struct keys *k = calloc(1, sizeof(*k));
    enum err e = ERR_OK;
    if (!k)
        return fault_set(f, ERR_NOMEM, "no memory for keys");
    if (mkdir(dir, 0700) < 0 && errno != EEXIST)
        e = fault_set(f, ERR_IO, "%s: %s", dir, strerror(errno));
    if (!e)
        e = keys_scan(k, dir, f);
    /* A change of the algorithm in the configuration is a rotation: a new key signs, the old ones still verify. */
    if (!e && (k->count == 0 || jose_key_alg(k->key[0]) != alg)) {
        e = keys_make(dir, alg, f);
        while (k->count)
            jose_key_free(k->key[--k->count]);
        if (!e)
            e = keys_scan(k, dir, f);
    }
    if (e) {
        keys_free(k);
        return e;
    }
    *ret = k;
    return ERR_OK;
}

const struct jose_key *keys_signing(const struct keys *k)
{
    return k->key[0];
}

const struct jose_key *keys_find(const struct keys *k, struct str kid)
{
    for (size_t i = 0; i < k->count; i++)
        if (str_is(kid, jose_key_thumbprint(k->key[i])))
            return k->key[i];
    return NULL;
}

void keys_jwks(const struct keys *k, struct buf *out)
{
    buf_z(out, "{\"keys\":[");
    for (size_t i = 0; i < k->count; i++) {
        if (i)
            buf_char(out, ',');
        jose_key_write_public(k->key[i], out);
    }
    buf_z(out, "]}");
}
