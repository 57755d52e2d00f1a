/*
 * Keys of subjects: a file for each, named by HMAC of the subject's name and encrypted under what is made from
 * seal.key.
 *
 *   subjects/<2 hex>/<62 hex>   "DWSUBJ01", id (16 random bytes), nonce (24), the key (32, encrypted, with its tag)
 *   subjects/check              "DWCHCK01", HMAC of a constant: tells another seal.key from a subject that was
 * forgotten
 *
 * Files come to the disk before what is sealed with their keys does (seal_cache.c). One that is empty or all zeros was
 * on its way there, or was being destroyed, when the machine stopped: nothing that is on record needs it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/seal_inner.h"
#include "base/file.h"

enum { SUBJECT_BYTES = 8 + SEAL_ID + SEAL_NONCE + SEAL_KEY + SEAL_TAG, CHECK_BYTES = 8 + SHA256_BYTES };

struct root_keys { /* in locked memory */
    unsigned char name[SEAL_KEY], wrap[SEAL_KEY];
};

static const struct root_keys *root_keys(const struct seal_root *r)
{
    return (const struct root_keys *)(const void *)secret_bytes(r->keys);
}

static void root_path(const struct seal_root *r, const char *name, char ret[SEAL_PATH])
{
    snprintf(ret, SEAL_PATH, "%s/subjects%s%s", r->dir, name[0] ? "/" : "", name);
}

/* ---- files ---- */

/* Under a name of its own first: a file is there as a whole or not at all. flush: and stays there. */
static enum err subject_put(const char *dir, const char *name, const unsigned char *p, size_t n, bool flush,
                            struct fault *f)
{
    char path[SEAL_PATH + 80], temporary[SEAL_PATH + 80];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    snprintf(temporary, sizeof(temporary), "%s/new", dir);
    return file_put(path, temporary, (struct str){(const char *)p, n}, flush)
               ? ERR_OK
               : fault_set(f, ERR_AUDIT, "%s: %s", path, strerror(errno));
}

/* Exactly n bytes. ERR_NOT_FOUND: none, or no file. ERR_CORRUPT, ERR_IO. */
static enum err subject_get(const char *path, unsigned char *p, size_t n, struct fault *f)
{
    unsigned char more;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return fault_set(f, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path, strerror(errno));
    ssize_t got = pread(fd, p, n, 0), rest = pread(fd, &more, 1, (off_t)n);
    int why = errno;
    close(fd);
    if (got < 0 || rest < 0)
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(why));
    if (got == 0)
        return fault_set(f, ERR_NOT_FOUND, "%s: is empty", path);
    return got == (ssize_t)n && rest == 0 ? ERR_OK : fault_set(f, ERR_CORRUPT, "%s: is damaged", path);
}

/* ---- the root ---- */

/* Is the folder one in which no subject ever had a key? */
static bool root_is_new(const char *path)
{
    DIR *d = opendir(path);
    bool found = !d;
    for (struct dirent *e; d && (e = readdir(d));)
        found = found || (strlen(e->d_name) == 2 && strcmp(e->d_name, "..") != 0);
    if (d)
        closedir(d);
    return !found;
}

static enum err root_check(const struct seal_root *r, const struct secret *key, bool make, struct fault *f)
{
    char path[SEAL_PATH], folder[SEAL_PATH];
    unsigned char right[CHECK_BYTES] = "DWCHCK01", there[CHECK_BYTES];
    seal_hmac(secret_bytes(key), secret_len(key), STR("doorward seal check"), right + 8);
    root_path(r, "", folder);
    root_path(r, "check", path);
    enum err e = subject_get(path, there, sizeof(there), f);
    if (!e && memcmp(right, there, sizeof(right)) == 0)
        return ERR_OK;
    if (e != ERR_IO && make && root_is_new(folder)) /* whatever the key was, nothing lies under it */
        return subject_put(folder, "check", right, sizeof(right), true, f);
    if (e == ERR_NOT_FOUND && make)
        return fault_set(f, ERR_CORRUPT, "%s is missing, though keys of subjects are there", path);
    return e ? e
             : fault_set(f, ERR_CONFLICT,
                         "%s: the keys of subjects lie under another seal.key than the one in audit.keys; put that "
                         "one back, or remove this folder if what is sealed shall be lost",
                         folder);
}

enum err seal_root_open(const char *dir, const struct secret *key, bool make, struct seal_root *ret, struct fault *f)
{
    struct seal_root r = {.keys = NULL};
    unsigned char *bytes;
    char folder[SEAL_PATH];
    if (secret_len(key) != SEAL_KEY)
        return fault_set(f, ERR_SYNTAX, "seal.key is damaged: it must hold %d bytes", SEAL_KEY);
    if (strlen(dir) >= SEAL_DIR)
        return fault_set(f, ERR_IO, "%s: the path is too long", dir);
    snprintf(r.dir, sizeof(r.dir), "%s", dir);
    root_path(&r, "", folder);
    if (make && !file_make_dir(folder, dir))
        return fault_set(f, ERR_IO, "%s: %s", folder, strerror(errno));
    TRY(root_check(&r, key, make, f));
    r.keys = seal_cipher_ready() ? secret_alloc(sizeof(struct root_keys), &bytes) : NULL;
    if (!r.keys)
        return fault_set(f, ERR_NOMEM, "no memory for the keys of what is sealed");
    struct root_keys *k = (struct root_keys *)(void *)bytes;
    seal_hmac(secret_bytes(key), SEAL_KEY, STR("doorward seal name"), k->name);
    seal_hmac(secret_bytes(key), SEAL_KEY, STR("doorward seal wrap"), k->wrap);
    *ret = r;
    return ERR_OK;
}

void seal_root_done(struct seal_root *r)
{
    secret_free(r->keys);
    r->keys = NULL;
}

/* ---- one subject ---- */

struct subject_place {
    unsigned char name[SHA256_BYTES];
    char dir[SEAL_PATH], file[2 * SHA256_BYTES - 1], path[SEAL_PATH + 80];
};

void seal_subject_name(const struct seal_root *r, struct str subject, unsigned char ret[SHA256_BYTES])
{
    seal_hmac(root_keys(r)->name, SEAL_KEY, subject, ret);
}

static void subject_place(const struct seal_root *r, const unsigned char name[SHA256_BYTES], struct subject_place *ret)
{
    char hex[2 * SHA256_BYTES + 1], folder[3] = "";
    memcpy(ret->name, name, SHA256_BYTES);
    enc_hex(ret->name, SHA256_BYTES, hex);
    memcpy(folder, hex, 2);
    memcpy(ret->file, hex + 2, sizeof(ret->file));
    root_path(r, folder, ret->dir);
    snprintf(ret->path, sizeof(ret->path), "%s/%s", ret->dir, ret->file);
}

/* A key is bound to its subject's name and its own id: files cannot be exchanged. */
static size_t subject_aad(const struct subject_place *p, const unsigned char *id, struct str ret[3])
{
    ret[0] = STR("DWSUBJ01");
    ret[1] = (struct str){(const char *)p->name, SHA256_BYTES};
    ret[2] = (struct str){(const char *)id, SEAL_ID};
    return 3;
}

static void subject_derive(const unsigned char key[SEAL_KEY], struct seal_keys *ret)
{
    seal_hmac(key, SEAL_KEY, STR("doorward sealed value"), ret->value);
    seal_hmac(key, SEAL_KEY, STR("doorward sealed digest"), ret->digest);
}

static bool subject_is_wiped(const unsigned char *p, size_t n)
{
    unsigned char any = 0;
    while (n--)
        any |= p[n];
    return !any;
}

enum err seal_subject_read(const struct seal_root *r, const unsigned char name[SHA256_BYTES],
                           unsigned char ret_id[SEAL_ID], struct seal_keys *ret, struct fault *f)
{
    struct subject_place p;
    unsigned char bytes[SUBJECT_BYTES], key[SEAL_KEY];
    struct str aad[3];
    const unsigned char *id = bytes + 8, *nonce = id + SEAL_ID, *wrapped = nonce + SEAL_NONCE;
    subject_place(r, name, &p);
    TRY(subject_get(p.path, bytes, sizeof(bytes), f));
    if (subject_is_wiped(bytes, sizeof(bytes)))
        return fault_set(f, ERR_NOT_FOUND, "%s: is destroyed", p.path);
    enum err e =
        memcmp(bytes, "DWSUBJ01", 8) != 0
            ? ERR_CORRUPT
            : seal_decrypt(root_keys(r)->wrap, nonce, aad, subject_aad(&p, id, aad), wrapped, SEAL_KEY + SEAL_TAG, key);
    if (e)
        return fault_set(f, e, "%s: %s", p.path, e == ERR_NOMEM ? "no memory" : "this key of a subject is damaged");
    memcpy(ret_id, id, SEAL_ID);
    subject_derive(key, ret);
    secret_wipe(key, sizeof(key));
    return ERR_OK;
}

enum err seal_subject_make(const struct seal_root *r, const unsigned char name[SHA256_BYTES],
                           unsigned char ret_id[SEAL_ID], struct seal_keys *ret, struct fault *f)
{
    struct subject_place p;
    unsigned char bytes[SUBJECT_BYTES] = "DWSUBJ01", key[SEAL_KEY];
    struct str aad[3];
    unsigned char *id = bytes + 8, *nonce = id + SEAL_ID, *wrapped = nonce + SEAL_NONCE;
    subject_place(r, name, &p);
    if (mkdir(p.dir, 0700) < 0 && errno != EEXIST)
        return fault_set(f, ERR_AUDIT, "%s: %s", p.dir, strerror(errno));
    enc_random(key, sizeof(key));
    enc_random(id, SEAL_ID);
    enc_random(nonce, SEAL_NONCE);
    enum err e = seal_encrypt(root_keys(r)->wrap, nonce, aad, subject_aad(&p, id, aad),
                              &(struct str){(const char *)key, SEAL_KEY}, 1, wrapped);
    e = e ? fault_set(f, e, "no memory for a subject's key")
          : subject_put(p.dir, p.file, bytes, sizeof(bytes), false, f);
    if (!e) {
        memcpy(ret_id, id, SEAL_ID);
        subject_derive(key, ret);
    }
    secret_wipe(key, sizeof(key));
    return e;
}

static bool subject_flush(const struct subject_place *p)
{
    int fd = open(p->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT; /* forgotten meanwhile */
    bool ok = fsync(fd) == 0;
    close(fd);
    return ok && file_flush_dir(p->dir);
}

bool seal_subjects_flush(const struct seal_root *r, const unsigned char (*name)[SHA256_BYTES], size_t n)
{
    enum { FEW = 4 }; /* of more it is quicker to flush all that the file system holds */
    char folder[SEAL_PATH];
    struct subject_place p;
    root_path(r, "", folder);
    if (n <= FEW) {
        bool ok = file_flush_dir(folder);
        for (size_t i = 0; ok && i < n; i++) {
            subject_place(r, name[i], &p);
            ok = subject_flush(&p);
        }
        return ok;
    }
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && syncfs(fd) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

void seal_subject_undo(const struct seal_root *r, const unsigned char name[SHA256_BYTES])
{
    struct subject_place p;
    subject_place(r, name, &p);
    unlink(p.path);
}

enum err seal_subject_destroy(const struct seal_root *r, struct str subject, struct fault *f)
{
    static const unsigned char zeros[SUBJECT_BYTES];
    unsigned char name[SHA256_BYTES];
    struct subject_place p;
    seal_subject_name(r, subject, name);
    subject_place(r, name, &p);
    int fd = open(p.path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? fault_set(f, ERR_NOT_FOUND, "nothing is sealed for " STR_FMT, STR_ARG(subject))
                               : fault_set(f, ERR_IO, "%s: %s", p.path, strerror(errno));
    /* Where the file system writes in place, nothing of it is left; elsewhere it is as good as removed. */
    if (pwrite(fd, zeros, sizeof(zeros), 0) > 0)
        (void)!fsync(fd);
    close(fd);
    return unlink(p.path) == 0 && file_flush_dir(p.dir)
               ? ERR_OK
               : fault_set(f, ERR_IO, "%s: may not be destroyed: %s", p.path, strerror(errno));
}
