/*
 * Files of sealed values, one for each segment of the record: sealed/<seq of the segment's first entry, 20 digits>.
 * They grow a batch at a time and are never changed.
 *
 *   frame   "DWSV", length of what is sealed (u32), CRC-32C of that and of all that follows, zeros as well (u32),
 * index in the entry's list (u32), the entry's number (u64), id of the key (16), nonce (24), what is sealed and its
 * tag, zeros to 8 bytes
 *
 * All integers little-endian. Frames begin at multiples of eight. A value is on the disk before its entry; what a stop
 * in between leaves behind, whole or torn, belongs to no entry: readers pass over it, and go by the commitment.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/seal_inner.h"
#include "base/crc.h"
#include "base/file.h"
#include "base/le.h"

enum { BOX_HEAD = 64, BOX_MAX = 1 << 30, BOX_WINDOW = 256 << 10, BOX_FALSE = 64 << 20 };

static const char box_magic[4] = {'D', 'W', 'S', 'V'};

static size_t box_round(size_t n)
{
    return (n + 7) / 8 * 8;
}

/* ---- frames ---- */

bool seal_frame_begin(struct buf *b, const struct seal_frame *frame, size_t n, size_t *ret_at)
{
    size_t whole = box_round(BOX_HEAD + n);
    if (!buf_room(b, whole))
        return false;
    char *p = b->p + b->n;
    memset(p, 0, BOX_HEAD);
    memset(p + whole - 8, 0, 8);
    memcpy(p, box_magic, sizeof(box_magic));
    le32_put(p + 4, (uint32_t)n);
    le32_put(p + 12, frame->index);
    le64_put(p + 16, frame->seq);
    memcpy(p + 24, frame->id, SEAL_ID);
    memcpy(p + 40, frame->nonce, SEAL_NONCE);
    *ret_at = b->n + BOX_HEAD;
    b->n += whole;
    return true;
}

static uint32_t box_sum(const char *p, size_t whole)
{
    return crc32c(crc32c(0, p + 4, 4), p + 12, whole - 12);
}

void seal_frame_end(struct buf *b, size_t at, size_t n)
{
    char *p = b->p + at - BOX_HEAD;
    le32_put(p + 8, box_sum(p, box_round(BOX_HEAD + n)));
}

size_t seal_frames_before(const struct buf *b, uint64_t seq)
{
    size_t at = 0;
    while (at < b->n && le64_get(b->p + at + 16) < seq)
        at += box_round(BOX_HEAD + le32_get(b->p + at + 4));
    return at;
}

void seal_aad(uint64_t seq, struct str path, struct str subject, char head[SEAL_AAD_HEAD], struct str ret[SEAL_AAD])
{
    memcpy(head, "DWSEAL01", 8);
    le64_put(head + 8, seq);
    le64_put(head + 16, path.n);
    le64_put(head + 24, subject.n);
    ret[0] = (struct str){head, SEAL_AAD_HEAD};
    ret[1] = path;
    ret[2] = subject;
}

/* ---- writing ---- */

static void box_path(const char *dir, uint64_t segment, char ret[SEAL_PATH])
{
    snprintf(ret, SEAL_PATH, "%s/sealed/%020llu", dir, (unsigned long long)segment);
}

static enum err box_open(struct seal_box *b, uint64_t segment, struct fault *f)
{
    char path[SEAL_PATH], folder[SEAL_PATH];
    struct stat st;
    if (b->fd >= 0 && b->segment == segment)
        return ERR_OK;
    seal_box_close(b);
    box_path(b->dir, segment, path);
    snprintf(folder, sizeof(folder), "%s/sealed", b->dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int above = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && above >= 0 && fstat(fd, &st) == 0 && fsync(above) == 0;
    int why = errno;
    if (above >= 0)
        close(above);
    if (!ok) {
        if (fd >= 0)
            close(fd);
        return fault_set(f, ERR_AUDIT, "%s: %s", path, strerror(why));
    }
    b->fd = fd;
    b->segment = segment;
    b->at = (off_t)box_round((size_t)st.st_size); /* behind what a stop may have left */
    return ERR_OK;
}

enum err seal_box_write(struct seal_box *b, uint64_t segment, const struct buf *frames, struct fault *f)
{
    size_t done = 0;
    int why = 0;
    TRY(box_open(b, segment, f));
    while (done < frames->n && !why) {
        ssize_t n = pwrite(b->fd, frames->p + done, frames->n - done, b->at + (off_t)done);
        if (n < 0 && errno != EINTR)
            why = errno;
        else if (n == 0)
            why = ENOSPC;
        done += n > 0 ? (size_t)n : 0;
    }
    if (!why && fdatasync(b->fd) < 0)
        why = errno;
    if (!why) {
        b->at += (off_t)frames->n;
        return ERR_OK;
    }
    (void)!ftruncate(b->fd, b->at); /* what stays there is written over, or belongs to nobody */
    return fault_set(f, ERR_AUDIT, "what is sealed cannot be written: %s", strerror(why));
}

void seal_box_close(struct seal_box *b)
{
    if (b->fd >= 0)
        close(b->fd);
    b->fd = -1;
}

enum err seal_prune(const char *dir, uint64_t segment, struct fault *f)
{
    char path[SEAL_PATH];
    box_path(dir, segment, path);
    return unlink(path) == 0 || errno == ENOENT ? ERR_OK : fault_set(f, ERR_IO, "%s: %s", path, strerror(errno));
}

/* ---- reading ---- */

static enum err box_list(const char *dir, uint64_t **ret, size_t *ret_n, struct fault *f)
{
    char folder[SEAL_PATH];
    snprintf(folder, sizeof(folder), "%s/sealed", dir);
    if (file_numbers(folder, "", ret, ret_n))
        return ERR_OK;
    return fault_set(f,
                     errno == ENOENT   ? ERR_NOT_FOUND
                     : errno == ENOMEM ? ERR_NOMEM
                                       : ERR_IO,
                     "%s: %s", folder, strerror(errno));
}

/* The file of the last segment that begins at or before the entry; 0: there is none. */
static enum err box_of(const char *dir, uint64_t seq, uint64_t *ret, struct fault *f)
{
    uint64_t *v;
    size_t n;
    TRY(box_list(dir, &v, &n, f));
    while (n && v[n - 1] > seq)
        n--;
    *ret = n ? v[n - 1] : 0;
    free(v);
    return ERR_OK;
}

static enum err box_read(const char *dir, uint64_t segment, struct seal_file *ret, struct fault *f)
{
    char path[SEAL_PATH];
    box_path(dir, segment, path);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return fault_set(f, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %s", path, strerror(errno));
    seal_file_of(fd, ret);
    return ERR_OK;
}

enum err seal_file_open(const char *dir, uint64_t seq, struct seal_file *ret, struct fault *f)
{
    uint64_t segment;
    TRY(box_of(dir, seq, &segment, f));
    if (!segment)
        return fault_set(f, ERR_NOT_FOUND, "%s/sealed: holds nothing of entry %llu", dir, (unsigned long long)seq);
    return box_read(dir, segment, ret, f);
}

enum err seal_files(const char *dir, seal_each_file *each, void *ctx, struct fault *f)
{
    uint64_t *v;
    size_t n;
    struct seal_file file;
    enum err e = box_list(dir, &v, &n, f);
    if (e)
        return f->err = e == ERR_NOT_FOUND ? ERR_IO : e;
    for (size_t i = 0; i < n && !e; i++) {
        e = box_read(dir, v[i], &file, f);
        if (e == ERR_NOT_FOUND) { /* pruned in the meantime */
            e = ERR_OK;
            continue;
        }
        if (!e) {
            e = each(ctx, &file, f);
            seal_file_close(&file);
        }
    }
    free(v);
    return e;
}

void seal_file_of(int fd, struct seal_file *ret)
{
    struct stat st;
    *ret = (struct seal_file){.fd = fd};
    ret->bytes = fstat(fd, &st) == 0 ? st.st_size : 0;
    ret->budget = 4 * (uint64_t)ret->bytes + BOX_FALSE;
    buf_init(&ret->window, BOX_MAX + BOX_WINDOW);
}

void seal_file_close(struct seal_file *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    buf_done(&s->window);
}

/* Makes n bytes from s->at on available; *ret is NULL when the file ends before. */
static enum err file_get(struct seal_file *s, size_t n, const char **ret, struct fault *f)
{
    if (s->at < s->window_at || s->at + (off_t)n > s->window_at + (off_t)s->window.n) {
        size_t want = n > BOX_WINDOW ? n : BOX_WINDOW;
        buf_clear(&s->window);
        if (!buf_reserve(&s->window, want))
            return fault_set(f, ERR_NOMEM, "no memory to read what is sealed");
        s->window_at = s->at;
        while (s->window.n < want) {
            ssize_t k = pread(s->fd, s->window.p + s->window.n, want - s->window.n, s->at + (off_t)s->window.n);
            if (k < 0 && errno != EINTR)
                return fault_set(f, ERR_IO, "cannot read what is sealed: %s", strerror(errno));
            if (k == 0)
                break;
            s->window.n += k > 0 ? (size_t)k : 0;
        }
    }
    size_t from = (size_t)(s->at - s->window_at);
    *ret = from + n <= s->window.n ? s->window.p + from : NULL;
    return ERR_OK;
}

/* The frame at s->at, if there is one. Bytes that only look like one are counted: nobody can make us read them for
 * ever. */
static enum err file_frame(struct seal_file *s, const char *p, bool *ret_is, struct seal_frame *ret, struct fault *f)
{
    size_t n = le32_get(p + 4), whole = box_round(BOX_HEAD + n);
    *ret_is = false;
    if (memcmp(p, box_magic, sizeof(box_magic)) != 0 || n > BOX_MAX || (off_t)whole > s->bytes - s->at)
        return ERR_OK;
    TRY(file_get(s, whole, &p, f));
    if (!p)
        return ERR_OK;
    if (le32_get(p + 8) != box_sum(p, whole)) {
        if (s->budget < whole)
            return fault_set(f, ERR_CORRUPT, "what is sealed cannot be read: its file is damaged throughout");
        s->budget -= whole;
        return ERR_OK;
    }
    *ret = (struct seal_frame){.seq = le64_get(p + 16), .index = le32_get(p + 12), .sealed = {p + BOX_HEAD, n}};
    memcpy(ret->id, p + 24, SEAL_ID);
    memcpy(ret->nonce, p + 40, SEAL_NONCE);
    s->at += (off_t)whole;
    *ret_is = true;
    return ERR_OK;
}

enum err seal_file_next(struct seal_file *s, struct seal_frame *ret, struct fault *f)
{
    for (;; s->at += 8) {
        const char *p;
        bool is;
        TRY(file_get(s, BOX_HEAD, &p, f));
        if (!p)
            return fault_set(f, ERR_NOT_FOUND, "nothing more is sealed here");
        TRY(file_frame(s, p, &is, ret, f));
        if (is)
            return ERR_OK;
    }
}
