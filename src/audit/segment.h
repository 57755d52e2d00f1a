/*
 * Segment files of the record: framing, scanning, the tip. For the writer, the reader and verification; not for others.
 *
 *   file    "DWAUDIT1", first sequence number (u64), hash of the entry before it (32 bytes), CRC-32C of these (u32),
 *           zeros to 64
 *   frame   length of the payload (u32), CRC-32C of all that follows but the zeros (u32), sequence number (u64), the
 *           last sequence number that was flushed when this frame was written (u64), payload, zeros to 8 bytes
 *
 * A frame says what was flushed before it, so that recovery can tell the torn end of the last write, which nobody was
 * promised, from damage to entries that were. All integers little-endian. A length of zero, or the end of the file, is
 * the end. Files are preallocated.
 */
#ifndef AUDIT_SEGMENT_H
#define AUDIT_SEGMENT_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/enc.h"

enum { SEGMENT_HEAD = 64, SEGMENT_FRAME = 24, SEGMENT_NAME = 32, SEGMENT_ENTRY_MAX = 64 << 20 };

struct segment_head {
    uint64_t first;
    unsigned char previous[SHA256_BYTES];
};

struct segment_list {
    uint64_t *first; /* sorted */
    size_t count;
};
enum err segment_list(const char *dir, struct segment_list *ret, struct fault *f) MUST_USE;
void segment_list_done(struct segment_list *l);
void segment_path(const char *dir, uint64_t first, char ret[4096]);

void segment_put_head(struct buf *b, const struct segment_head *h);
/* A frame is written in place: room for its head, the payload behind it by whoever makes it, and the end. */
size_t segment_frame_begin(struct buf *b); /* where the frame stands in b */
void segment_frame_end(struct buf *b, size_t frame, uint64_t seq, uint64_t flushed);

struct segment_cursor {
    int fd;
    uint64_t first;
    off_t at; /* of the next frame */
    off_t chunk_at;
    struct buf chunk;
};
/* ERR_NOT_FOUND: no such file. ERR_CORRUPT: its head is not one. */
enum err segment_open(const char *dir, uint64_t first, struct segment_cursor *ret, struct segment_head *ret_head,
                      struct fault *f) MUST_USE;
void segment_close(struct segment_cursor *c);
/* ERR_OK: *ret_payload lives until the next call. ERR_NOT_FOUND: the end. ERR_CORRUPT: bytes that are no whole frame;
 * the cursor stays before them. */
enum err segment_next(struct segment_cursor *c, uint64_t *ret_seq, struct str *ret_payload, struct fault *f) MUST_USE;
/* How many bytes from the cursor on are there up to the last one that is not zero? */
enum err segment_rest(struct segment_cursor *c, uint64_t *ret, struct fault *f) MUST_USE;
/* segment_next() met bytes that are no whole frame where entry `seq` should be. Does a frame behind them say that it
 * was flushed? Then *ret_seq is that frame's number; otherwise it is 0. */
enum err segment_promised(struct segment_cursor *c, uint64_t seq, uint64_t *ret_seq, struct fault *f) MUST_USE;

/* One link of the chain: is the payload an entry with this number that names `hash` as the one before it? Then hash
 * becomes its own. */
enum err segment_chain(struct str payload, uint64_t seq, unsigned char hash[SHA256_BYTES], struct arena *a,
                       struct fault *f) MUST_USE;

/* The tip: the last entry known to be flushed. Two slots in turn, so that one is always whole. */
struct segment_tip {
    uint64_t seq; /* 0: none yet */
    unsigned char hash[SHA256_BYTES];
};
/* *ret_slot (may be NULL): where it stands. */
enum err segment_tip_read(const char *dir, struct segment_tip *ret, unsigned *ret_slot, struct fault *f) MUST_USE;
enum err segment_tip_write(int fd, const struct segment_tip *tip, unsigned slot, struct fault *f) MUST_USE;

#endif
