#include "sink/cursor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

/* ---- the text ---- */

static void cursor_sum(const char *text, size_t n, char ret[2 * SHA256_BYTES + 1])
{
    unsigned char sum[SHA256_BYTES];
    enc_sha256(text, n, sum);
    enc_hex(sum, sizeof(sum), ret);
}

size_t cursor_put(const struct cursor *c, char ret[CURSOR_TEXT])
{
    char leaf[2 * SHA256_BYTES + 1], sum[2 * SHA256_BYTES + 1];
    enc_hex(c->leaf.b, SHA256_BYTES, leaf);
    size_t n =
        (size_t)snprintf(ret, CURSOR_TEXT, "doorward cursor 1\nseq %llu\nleaf %s\n", (unsigned long long)c->seq, leaf);
    cursor_sum(ret, n, sum);
    return n + (size_t)snprintf(ret + n, CURSOR_TEXT - n, "sum %s\n", sum);
}

/* There is one text for each cursor: what is not exactly that is none. */
enum err cursor_parse(struct str text, struct cursor *ret, struct fault *f)
{
    char right[CURSOR_TEXT];
    struct str rest = text, line;
    struct cursor c = {0};
    bool ok = str_cut(&rest, '\n', &line) && str_is(line, "doorward cursor 1");
    ok = ok && str_cut(&rest, '\n', &line) && str_starts(line, STR("seq ")) && str_u64(str_skip(line, 4), &c.seq);
    ok = ok && str_cut(&rest, '\n', &line) && str_starts(line, STR("leaf ")) &&
         enc_unhex(str_skip(line, 5), c.leaf.b, SHA256_BYTES);
    if (!ok || !str_eq(text, (struct str){right, cursor_put(&c, right)}))
        return fault_set(f, ERR_CORRUPT, "is not what was written there");
    *ret = c;
    return ERR_OK;
}

/* ---- the file ---- */

static bool cursor_path(const char *dir, struct str name, const char *tail, char ret[4096])
{
    int n = snprintf(ret, 4096, "%s/" STR_FMT "%s", dir, STR_ARG(name), tail);
    return n > 0 && n < 4096;
}

enum err cursor_read(const char *dir, struct str name, struct cursor *ret, struct fault *f)
{
    char path[4096], text[CURSOR_TEXT];
    if (!cursor_path(dir, name, "", path))
        return fault_set(f, ERR_IO, "the name of the cursor is too long");
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return fault_set(f, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %m", path);
    ssize_t n = read(fd, text, sizeof(text));
    int why = errno;
    close(fd);
    if (n < 0)
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(why));
    if (cursor_parse((struct str){text, (size_t)n}, ret, f))
        return fault_wrap(f, "%s", path);
    return ERR_OK;
}

enum err cursor_write(const char *dir, struct str name, const struct cursor *c, struct fault *f)
{
    char path[4096], next[4096], text[CURSOR_TEXT];
    size_t n = cursor_put(c, text);
    if (!cursor_path(dir, name, "", path) || !cursor_path(dir, name, ".next", next))
        return fault_set(f, ERR_IO, "the name of the cursor is too long");
    if (mkdir(dir, 0700) < 0 && errno != EEXIST)
        return fault_set(f, ERR_IO, "%s: %m", dir);
    return file_put(path, next, (struct str){text, n}, true) ? ERR_OK : fault_set(f, ERR_IO, "%s: %m", path);
}
