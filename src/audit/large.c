/* Members that are too long for an entry: files named by the SHA-256 of what they hold, to which the entry commits. */
#include "audit/large.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"

enum { LARGE_BYTES = 64 << 20 };

static void large_path(const char *dir, const char *hex, char folder[4096], char path[4096 + 80])
{
    snprintf(folder, 4096, "%s/large/%.2s", dir, hex);
    snprintf(path, 4096 + 80, "%s/%s", folder, hex + 2);
}

enum err large_put(const char *dir, struct str bytes, char ret_hex[2 * SHA256_BYTES + 1], struct fault *f)
{
    char top[4096], folder[4096], path[4096 + 80], temporary[4096 + 96];
    unsigned char hash[SHA256_BYTES];
    struct stat st;
    enc_sha256(bytes.p, bytes.n, hash);
    enc_hex(hash, sizeof(hash), ret_hex);
    large_path(dir, ret_hex, folder, path);
    if (stat(path, &st) == 0 && (uint64_t)st.st_size == bytes.n && utimensat(AT_FDCWD, path, NULL, 0) == 0)
        return ERR_OK; /* its time is that of its newest entry (prune.c) */
    snprintf(top, sizeof(top), "%s/large", dir);
    snprintf(temporary, sizeof(temporary), "%s.new", path);
    bool ok = file_make_dir(top, dir) && file_make_dir(folder, top) && file_put(path, temporary, bytes, true);
    return ok ? ERR_OK : fault_set(f, ERR_AUDIT, "%s: %s", path, strerror(errno));
}

enum err audit_large(const char *dir, struct str sha256_hex, struct buf *out, struct fault *f)
{
    char hex[2 * SHA256_BYTES + 1], folder[4096], path[4096 + 80];
    unsigned char want[SHA256_BYTES], hash[SHA256_BYTES];
    if (!enc_unhex(sha256_hex, want, sizeof(want)))
        return fault_set(f, ERR_PARAMS, "a hash must be 64 hex digits");
    enc_hex(want, sizeof(want), hex);
    large_path(dir, hex, folder, path);
    enum err e = file_read(path, LARGE_BYTES, out, f);
    if (!e)
        enc_sha256(out->p, out->n, hash);
    if (e == ERR_LIMIT || (!e && memcmp(hash, want, sizeof(hash)) != 0))
        e = fault_set(f, ERR_CORRUPT, "%s: does not hold what its name says", path);
    return e;
}
