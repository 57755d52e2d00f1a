/*
 * Segment files of the record: framing and scanning. For the writer, the reader and verification; not for others.
 *
 *   file    "DWAUDIT2", first sequence number (u64), CRC-32C of these (u32), zeros to 64
 *   frame   length of the payload (u32), CRC-32C of all that follows but the zeros (u32), sequence number (u64), the
 *           last sequence number that was flushed when this frame was written (u64), payload, zeros to 8 bytes
 *
 * A frame says what was flushed before it, so that recovery can tell the torn end of the last write, which nobody was
 * promised, from damage to entries that were. All integers little-endian. A length of zero, or the end of the file, is
 * the end. Files are preallocated. A segment begins at a whole tile (its first entry is number 256 * n + 1), so that
 * the tree can be loaded there, and whole bundles go with it when it is pruned.
 */
#ifndef AUDIT_SEGMENT_H
#define AUDIT_SEGMENT_H

#include <sys/types.h>

#include "base/buf.h"
#include "base/json.h"
#include "tlog/tlog.h"

/* SEGMENT_ENTRY_MAX: an entry bundle has 16 bits for its length (tlog-tiles, "Log entries"). */
enum { SEGMENT_HEAD = 64, SEGMENT_FRAME = 24, SEGMENT_NAME = 32, SEGMENT_ENTRY_MAX = 65535 };

struct segment_list {
    uint64_t *first; /* sorted */
    size_t count;
};
enum err segment_list(const char *dir, struct segment_list *ret, struct fault *f) MUST_USE;
void segment_list_done(struct segment_list *l);
void segment_path(const char *dir, uint64_t first, char ret[4096]);

void segment_put_head(struct buf *b, uint64_t first);
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
enum err segment_open(const char *dir, uint64_t first, struct segment_cursor *ret, struct fault *f) MUST_USE;
void segment_close(struct segment_cursor *c);
/* ERR_OK: *ret_payload lives until the next call. ERR_NOT_FOUND: the end. ERR_CORRUPT: bytes that are no whole frame;
 * the cursor stays before them. */
enum err segment_next(struct segment_cursor *c, uint64_t *ret_seq, struct str *ret_payload, struct fault *f) MUST_USE;
/* How many bytes from the cursor on are there up to the last one that is not zero? */
enum err segment_rest(struct segment_cursor *c, uint64_t *ret, struct fault *f) MUST_USE;
/* segment_next() met bytes that are no whole frame where entry `seq` should be. Does a frame behind them say that it
 * was flushed? Then *ret_seq is that frame's number; otherwise it is 0. */
enum err segment_promised(struct segment_cursor *c, uint64_t seq, uint64_t *ret_seq, struct fault *f) MUST_USE;

/* Is the payload an entry with this number? *ret: its leaf. */
enum err segment_leaf(struct str payload, uint64_t seq, struct arena *a, struct tlog_hash *ret,
                      struct fault *f) MUST_USE;
/* When the first entry of a segment was written. ERR_NOT_FOUND: it has none, or says nothing of the kind. */
enum err segment_time(const char *dir, uint64_t first, int64_t *ret, struct fault *f) MUST_USE;
/* The segment that holds entry `seq`, or would hold it. 0: there is none. */
uint64_t segment_of(const struct segment_list *l, uint64_t seq);

#endif
