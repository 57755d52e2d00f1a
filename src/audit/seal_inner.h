/* What the files of sealing share. Not for others. */
#ifndef AUDIT_SEAL_INNER_H
#define AUDIT_SEAL_INNER_H

#include <pthread.h>

#include "audit/seal.h"

#define SEALED "[sealed]"

enum { SEAL_KEY = 32, SEAL_ID = 16, SEAL_NONCE = 24, SEAL_TAG = 16, SEAL_SALT = 32, SEAL_DIR = 4000, SEAL_PATH = 4200 };

/* ---- seal_cipher.c ---- */

/* XAES-256-GCM. What is encrypted, and what the tag binds besides, comes in parts. */
enum err seal_encrypt(const unsigned char key[SEAL_KEY], const unsigned char nonce[SEAL_NONCE], const struct str *aad,
                      size_t aads, const struct str *plain, size_t plains,
                      unsigned char *out /* and SEAL_TAG */) MUST_USE;
/* n: with the tag. ERR_CORRUPT: it is not what was encrypted. */
enum err seal_decrypt(const unsigned char key[SEAL_KEY], const unsigned char nonce[SEAL_NONCE], const struct str *aad,
                      size_t aads, const unsigned char *p, size_t n, unsigned char *out) MUST_USE;
bool seal_cipher_ready(void); /* false: no memory for it, and there never will be */
void seal_hmac(const unsigned char *key, size_t n, struct str what, unsigned char ret[SHA256_BYTES]);

/* ---- seal_subject.c ---- */

/* What is made from seal.key: names and wraps the keys of subjects. In locked memory. */
struct seal_root {
    char dir[SEAL_DIR];
    struct secret *keys;
};
/* make: also the folder, when there is none. */
enum err seal_root_open(const char *dir, const struct secret *key, bool make, struct seal_root *ret,
                        struct fault *f) MUST_USE;
void seal_root_done(struct seal_root *r);

/* A subject's, in locked memory. */
struct seal_keys {
    unsigned char value[SEAL_KEY], digest[SEAL_KEY];
};
/* What a subject's file is called. */
void seal_subject_name(const struct seal_root *r, struct str subject, unsigned char ret[SHA256_BYTES]);
/* ERR_NOT_FOUND: it has no key. ERR_CORRUPT: the file is not what was written. */
enum err seal_subject_read(const struct seal_root *r, const unsigned char name[SHA256_BYTES],
                           unsigned char ret_id[SEAL_ID], struct seal_keys *ret, struct fault *f) MUST_USE;
/* A new key, in a file that is not flushed. */
enum err seal_subject_make(const struct seal_root *r, const unsigned char name[SHA256_BYTES],
                           unsigned char ret_id[SEAL_ID], struct seal_keys *ret, struct fault *f) MUST_USE;
bool seal_subjects_flush(const struct seal_root *r, const unsigned char (*name)[SHA256_BYTES], size_t n) MUST_USE;
void seal_subject_undo(const struct seal_root *r, const unsigned char name[SHA256_BYTES]);
enum err seal_subject_destroy(const struct seal_root *r, struct str subject, struct fault *f) MUST_USE;

/* ---- seal_cache.c ---- */

enum { SEAL_CACHE = 1024, SEAL_NEW = 256 };
struct seal_cache {
    struct secret *bytes; /* struct seal_keys for each slot */
    struct seal_slot {
        unsigned char name[SHA256_BYTES], id[SEAL_ID];
        uint64_t used; /* 0: empty */
    } slot[SEAL_CACHE];
    uint64_t turn;
    unsigned char new[SEAL_NEW][SHA256_BYTES]; /* names of those that were made and are not flushed */
    size_t made;
    bool failed; /* a flush in the middle of a batch: the whole batch has failed */
};
/* Of the cache, of the file, or new. They live until the next call. */
enum err seal_cache_get(struct seal_cache *c, const struct seal_root *r, struct str subject,
                        const struct seal_keys **ret, const unsigned char **ret_id, struct fault *f) MUST_USE;
/* New ones are on the disk when this returns. ERR_AUDIT: they are gone, and what was sealed with them is nothing. */
enum err seal_cache_flush(struct seal_cache *c, const struct seal_root *r, struct fault *f) MUST_USE;
void seal_cache_drop(struct seal_cache *c, const struct seal_root *r, struct str subject);

/* ---- seal_box.c ---- */

struct seal_frame {
    uint64_t seq;
    uint32_t index; /* in the entry's list */
    unsigned char id[SEAL_ID], nonce[SEAL_NONCE];
    struct str sealed; /* with its tag */
};
/* Appends a frame whose sealed bytes (n) are filled in at *ret_at; then seal_frame_end. False: no memory. */
bool seal_frame_begin(struct buf *b, const struct seal_frame *frame, size_t n, size_t *ret_at);
void seal_frame_end(struct buf *b, size_t at, size_t n);
/* Where the frames of entries from this number on begin. */
size_t seal_frames_before(const struct buf *b, uint64_t seq);

struct seal_box {
    char dir[SEAL_DIR];
    int fd;
    uint64_t segment;
    off_t at;
};
/* Appends the frames to the segment's file and flushes it. */
enum err seal_box_write(struct seal_box *b, uint64_t segment, const struct buf *frames, struct fault *f) MUST_USE;
void seal_box_close(struct seal_box *b);

/* The file that holds what was sealed for an entry. ERR_NOT_FOUND: there is none. */
struct seal_file {
    int fd;
    off_t at, bytes, window_at;
    struct buf window;
    uint64_t budget; /* bytes that may be read in vain */
};
enum err seal_file_open(const char *dir, uint64_t seq, struct seal_file *ret, struct fault *f) MUST_USE;
/* Each segment's file in turn, until `each` answers an error; what is gone meanwhile is left out. */
typedef enum err seal_each_file(void *ctx, struct seal_file *file, struct fault *f);
enum err seal_files(const char *dir, seal_each_file *each, void *ctx, struct fault *f) MUST_USE;
void seal_file_of(int fd, struct seal_file *ret); /* takes it over */
void seal_file_close(struct seal_file *s);
/* The next frame; damage is passed over. Its bytes live until the next call. ERR_NOT_FOUND: the end. */
enum err seal_file_next(struct seal_file *s, struct seal_frame *ret, struct fault *f) MUST_USE;

/* What the tag binds: entry, path, subject. Three parts in ret, of which head is the first. */
enum { SEAL_AAD = 3, SEAL_AAD_HEAD = 32 };
void seal_aad(uint64_t seq, struct str path, struct str subject, char head[SEAL_AAD_HEAD], struct str ret[SEAL_AAD]);

/* ---- seal_mark.c ---- */

/* Of a member; too long to be compared: yes. */
bool seal_name(const struct conf_strings *names, struct str name);
/* The node that a JSON pointer leads to from `at`; 0: nothing is there. */
uint32_t seal_point(const struct json *j, uint32_t at, struct str pointer, struct arena *a);

/* ---- seal.c, seal_store.c ---- */

struct seals {
    struct seal_root root; /* does not change */
    pthread_mutex_t lock;
    struct seal_cache cache; /* under the lock */
    /* the writer's */
    struct buf queue, list, path;
    struct seal_box box;
};

/* seal_reveal.c */
enum err seal_count(const struct seal_root *r, const char *dir, struct str subject, uint64_t *ret, bool *ret_all,
                    struct fault *f) MUST_USE;
enum err seal_show(const struct seal_root *r, const char *dir, struct str entry, struct buf *out,
                   struct fault *f) MUST_USE;

#endif
