#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct secret {
    size_t n;
    unsigned char *bytes; /* sodium_malloc: locked, guarded, wiped by sodium_free */
};

static pthread_once_t secret_once = PTHREAD_ONCE_INIT;

static void secret_start(void)
{
    if (sodium_init() < 0)
        __builtin_trap();
}

struct secret *secret_alloc(size_t n, unsigned char **ret_bytes)
{
    pthread_once(&secret_once, secret_start);
    struct secret *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    s->bytes = sodium_malloc(n ? n : 1);
    if (!s->bytes) {
        free(s);
        return NULL;
    }
    s->n = n;
    *ret_bytes = s->bytes;
    return s;
}

struct secret *secret_new(const void *p, size_t n)
{
    unsigned char *bytes;
    struct secret *s = secret_alloc(n, &bytes);
    if (s && n)
        memcpy(bytes, p, n);
    return s;
}

void secret_free(struct secret *s)
{
    if (!s)
        return;
    sodium_free(s->bytes);
    free(s);
}

void secret_freep(struct secret **s)
{
    secret_free(*s);
    *s = NULL;
}

const unsigned char *secret_bytes(const struct secret *s)
{
    return s->bytes;
}

size_t secret_len(const struct secret *s)
{
    return s->n;
}

bool secret_eq(const struct secret *s, struct str other)
{
    return s->n == other.n && sodium_memcmp(s->bytes, other.p, s->n) == 0;
}

void secret_wipe(void *p, size_t n)
{
    sodium_memzero(p, n);
}

static enum err secret_read_fd(int fd, const char *path, size_t max, bool strict, struct secret **ret, struct fault *f)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return fault_set(f, ERR_IO, "%s: not a regular file", path);
    if (strict && (st.st_mode & 077))
        return fault_set(f, ERR_IO, "%s: others may read or write this secret (mode %04o); chmod 600 it", path,
                         (unsigned)(st.st_mode & 07777));
    if ((size_t)st.st_size > max)
        return fault_set(f, ERR_LIMIT, "%s: larger than %zu bytes, too large for a secret", path, max);
    unsigned char *bytes;
    struct secret *s = secret_alloc((size_t)st.st_size, &bytes);
    if (!s)
        return fault_set(f, ERR_NOMEM, "%s: no memory for a secret", path);
    size_t got = 0;
    while (got < s->n) {
        ssize_t n = read(fd, bytes + got, s->n - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        got += (size_t)n;
    }
    s->n = got;
    while (s->n && (bytes[s->n - 1] == '\n' || bytes[s->n - 1] == '\r'))
        s->n--;
    *ret = s;
    return ERR_OK;
}

enum err secret_read(const char *path, size_t max, bool strict, struct secret **ret, struct fault *f)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); /* a pipe must not hold us */
    if (fd < 0)
        return fault_set(f, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path, strerror(errno));
    enum err e = secret_read_fd(fd, path, max, strict, ret, f);
    close(fd);
    return e;
}

bool str_eq_secret(struct str a, struct str b)
{
    return a.n == b.n && sodium_memcmp(a.p, b.p, a.n) == 0;
}
