/*
 * A file of sealed values, whatever a disk or a person made of it. Each frame that is found lies in the file, and
 * written anew it is the same; a whole frame behind all of it is found as well, unless so much only looks like frames
 * that the reader gives up, and says so.
 */
#include "../fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "audit/seal_inner.h"

static int file_of(const void *p, size_t n)
{
    int fd = memfd_create("sealed", MFD_CLOEXEC);
    CHECK(fd >= 0 && write(fd, p, n) == (ssize_t)n);
    return fd;
}

static void frame_put(struct buf *b, const struct seal_frame *frame)
{
    size_t at;
    CHECK(seal_frame_begin(b, frame, frame->sealed.n, &at));
    memcpy(b->p + at, frame->sealed.p, frame->sealed.n);
    seal_frame_end(b, at, frame->sealed.n);
}

/* How many there are, written anew into b; *ret_seq: the last one's. */
static enum err frames_read(const void *p, size_t n, struct buf *b, uint64_t *ret_seq)
{
    struct seal_file file;
    struct seal_frame frame;
    struct fault f = {0};
    enum err e;
    seal_file_of(file_of(p, n), &file);
    *ret_seq = 0;
    while ((e = seal_file_next(&file, &frame, &f)) == ERR_OK) {
        CHECK(file.at % 8 == 0 && frame.sealed.n < n);
        *ret_seq = frame.seq;
        frame_put(b, &frame);
    }
    CHECK(e == ERR_NOT_FOUND || e == ERR_CORRUPT || e == ERR_NOMEM);
    words_checked(e, &f);
    seal_file_close(&file);
    return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    static const char zeros[8];
    struct buf once, again, behind;
    uint64_t seq, last;
    buf_init(&once, (size_t)1 << 30);
    buf_init(&again, (size_t)1 << 30);
    buf_init(&behind, (size_t)1 << 30);
    enum err e = frames_read(p, n, &once, &seq);
    CHECK(frames_read(once.p ? once.p : zeros, once.n, &again, &last) == ERR_NOT_FOUND && last == seq);
    CHECK(again.n == once.n && (!once.n || memcmp(again.p, once.p, once.n) == 0));
    unsigned char hash[SHA256_BYTES]; /* nobody knows beforehand what is written later: nonces are random */
    enc_sha256(p, n, hash);
    struct seal_frame more = {.seq = seq + 1, .sealed = STR("what is sealed, and its tag behind it: 48 bytes.")};
    memcpy(more.nonce, hash, SEAL_NONCE);
    buf_put(&behind, p, n);
    buf_put(&behind, zeros, (8 - n % 8) % 8);
    frame_put(&behind, &more);
    buf_clear(&again);
    if (!e || e == ERR_NOT_FOUND) {
        enum err end = frames_read(behind.p, behind.n, &again, &last);
        CHECK(end == ERR_CORRUPT || last == seq + 1);
    }
    buf_done(&once);
    buf_done(&again);
    buf_done(&behind);
    return 0;
}
