/* Checkpoints, put down elsewhere: at the end of a file that only grows, or by POST. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "sink/party.h"

/* One write, at the end. What a full disk or a machine that stopped has cut off stays where it is, since such a file
 * may only grow; the next note begins behind an empty line. */
static enum err anchor_add(int fd, const char *path, struct buf *text, struct fault *f)
{
    struct stat st;
    char end[2] = {0};
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return fault_set(f, ERR_IO, "%s: is no file", path);
    if (st.st_size && pread(fd, end, 2, st.st_size > 2 ? st.st_size - 2 : 0) < 1)
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    bool whole = !st.st_size || (end[0] == '\n' && end[1] == '\n');
    struct str s = whole ? str_skip(buf_view(text), 2) : buf_view(text);
    ssize_t n = write(fd, s.p, s.n);
    if (n != (ssize_t)s.n)
        return fault_set(f, ERR_IO, "%s: %s", path, n < 0 ? strerror(errno) : "takes no more");
    if (fdatasync(fd) < 0 || (!st.st_size && !file_flush_above(path)))
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    return ERR_OK;
}

static enum err anchor_file(const char *path, struct str note, struct fault *f)
{
    struct buf text CLEANUP(buf_done);
    buf_init(&text, NOTE_BYTES + 8);
    buf_z(&text, "\n\n"); /* the end of what was cut off, if something was */
    buf_str(&text, note);
    buf_char(&text, '\n');
    if (buf_failed(&text))
        return fault_set(f, ERR_NOMEM, "no memory for a checkpoint");
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0644);
    if (fd < 0)
        return fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
    enum err e = anchor_add(fd, path, &text, f);
    close(fd);
    return e;
}

static enum err anchor_post(struct party *p, struct str note, struct fault *f)
{
    const struct sink_http_to to = {.url = p->anchor->url, .ca = p->anchor->ca, .headers = &p->anchor->headers};
    const struct sink_http_post post = {
        .type = "text/plain; charset=utf-8", .body = note, .timeout_ms = PARTY_TIMEOUT_MS, .stop = &p->stop};
    struct sink_http_answer a;
    if (!p->http)
        TRY(sink_http_new(&to, &p->http, f));
    TRY(sink_http_post(p->http, &post, &a, f));
    p->asked_ms = a.retry_after_ms;
    return a.status / 100 == 2 ? ERR_OK : fault_set(f, ERR_UPSTREAM, "it answered with status %d", a.status);
}

enum err anchor_put(struct party *p, struct str note, struct fault *f)
{
    return p->anchor->file.n ? anchor_file(p->anchor->file.p, note, f) : anchor_post(p, note, f);
}
