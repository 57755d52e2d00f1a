/* A record of its own in a folder of its own, and a worker whose thread hears when an entry is durable. */
#ifndef TEST_AUDIT_RECORD_H
#define TEST_AUDIT_RECORD_H

#include "../folder.h"

#include "audit/key.h"
#include "audit/log.h"

#include <dirent.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct record {
    char dir[64], keys[80];
    struct conf_audit conf;
    struct audit *audit;
    struct audit_recovery found;
    struct worker *worker;
};

struct ack {
    struct audit_done done;
    sem_t told;
};

static inline void record_open(struct record *r)
{
    struct fault f = {.text = ""};
    if (audit_open(r->dir, &r->conf, &r->audit, &r->found, &f))
        fail_msg("the record does not open: %s", f.text);
}

static inline void record_close(struct record *r)
{
    audit_close(r->audit);
    r->audit = NULL;
}

static inline void record_conf(struct record *r, int64_t segment_bytes)
{
    snprintf(r->keys, sizeof(r->keys), "%s.keys", r->dir);
    r->conf = (struct conf_audit){.durability = CONF_FULL,
                                  .segment_bytes = segment_bytes,
                                  .queue = 8 << 20,
                                  .keys = str_of(r->keys),
                                  .origin = STR("example.com/audit"),
                                  .key_overlap = 60000};
}

static inline int record_setup(void **state)
{
    struct record *r = calloc(1, sizeof(*r));
    struct fault f;
    struct note_verifier key;
    folder_make(r->dir);
    record_conf(r, 1 << 20);
    if (audit_keys_new(r->keys, STR("example.com/audit"), &key, &f)) /* so that the record need not speak of it */
        return -1;
    r->worker = malloc(sizeof(*r->worker));
    if (worker_init(r->worker, 0, &f) || worker_start(r->worker, &f))
        return -1;
    *state = r;
    return 0;
}

static inline int record_teardown(void **state)
{
    struct record *r = *state;
    audit_close(r->audit);
    worker_stop(r->worker);
    worker_join(r->worker);
    worker_done(r->worker);
    free(r->worker);
    folder_remove(r->dir);
    folder_remove(r->keys);
    free(r);
    return 0;
}

static inline void ack_told(struct audit_done *d)
{
    sem_post(&((struct ack *)d)->told);
}

/* Hands a tool call in, without waiting. */
static inline enum err record_append(struct record *r, const char *tool, struct ack *ack, struct fault *f)
{
    struct audit_entry e;
    audit_entry_init(&e, AUDIT_TOOL_CALL, AUDIT_AI_AGENT);
    e.agent_id = STR("agt_1");
    e.tool = str_of(tool);
    *ack = (struct ack){.done = {.worker = r->worker, .done = ack_told}};
    sem_init(&ack->told, 0, 0);
    return audit_append(r->audit, &e, &ack->done, f);
}

/* Waits for the answer: ERR_OK and the number, or ERR_AUDIT. */
static inline enum err ack_wait(struct ack *ack, uint64_t *ret_seq)
{
    while (sem_wait(&ack->told))
        ;
    if (ret_seq)
        *ret_seq = ack->done.seq;
    return ack->done.err;
}

/* Appends n entries one after the other, each durable before the next. */
static inline void record_fill(struct record *r, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct ack ack;
        struct fault f;
        uint64_t seq, before = audit_seq(r->audit);
        assert_int_equal(record_append(r, "desk/lookup", &ack, &f), ERR_OK);
        assert_int_equal(ack_wait(&ack, &seq), ERR_OK);
        assert_true(seq > before);
    }
}

/* The same without waiting for each. */
static inline void record_notes(struct record *r, unsigned n)
{
    uint64_t seq = audit_seq(r->audit) + n;
    struct audit_entry e;
    audit_entry_init(&e, AUDIT_TOOL_RESULT, AUDIT_AI_AGENT);
    e.agent_id = STR("agt_1");
    e.tool = STR("desk/lookup");
    for (unsigned i = 0; i < n; i++)
        audit_note(r->audit, &e);
    assert_true(audit_wait(r->audit, seq - 1, 10000) >= seq);
}

static inline enum err record_verify(const struct record *r, struct log_verdict *ret, struct fault *f)
{
    struct note_verifiers keys;
    if (note_verifiers_read(r->keys, &keys, f))
        fail_msg("no keys: %s", f->text);
    const struct log_verify how = {.dir = r->dir, .verifiers = &keys};
    enum err e = log_verify(&how, ret, f);
    note_verifiers_done(&keys);
    return e;
}

static inline struct log_verdict record_verified(const struct record *r)
{
    struct log_verdict v = {0};
    struct fault f = {.text = ""};
    if (record_verify(r, &v, &f))
        fail_msg("the record does not verify: %s", f.text);
    return v;
}

/* How many entries the reader gives, which must be numbered without a gap. */
static inline uint64_t record_read(const struct record *r, uint64_t from, void (*entry)(void *ctx, struct str json),
                                   void *ctx)
{
    struct audit_reader *reader;
    struct fault f = {.text = ""};
    struct str json;
    uint64_t seq, count = 0;
    enum err e;
    assert_int_equal(audit_reader_open(r->dir, &reader, &f), ERR_OK);
    assert_int_equal(audit_reader_seek(reader, from, &f), ERR_OK);
    while ((e = audit_reader_next(reader, &json, &seq, &f)) == ERR_OK) {
        assert_int_equal(seq, from + count++);
        if (entry)
            entry(ctx, json);
    }
    assert_int_equal(e, ERR_NOT_FOUND);
    audit_reader_close(reader);
    return count;
}

/* The segment with number i, in order of their first entries. */
static inline void record_segment(const struct record *r, unsigned i, char ret[512])
{
    struct dirent **names;
    int n = scandir(r->dir, &names, NULL, alphasort);
    ret[0] = 0;
    for (int k = 0; k < n; k++) {
        if (str_ends(str_of(names[k]->d_name), STR(".seg")) && i-- == 0)
            snprintf(ret, 512, "%s/%s", r->dir, names[k]->d_name);
        free(names[k]);
    }
    free(names);
    assert_true(ret[0]);
}

/* The whole file, to be freed. */
static inline char *record_bytes(const char *path, size_t *ret_n)
{
    struct stat st;
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    char *p = malloc((size_t)st.st_size + 1);
    assert_int_equal(read(fd, p, (size_t)st.st_size), st.st_size);
    close(fd);
    *ret_n = (size_t)st.st_size;
    return p;
}

static inline void record_overwrite(const char *path, off_t at, const void *p, size_t n)
{
    int fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, p, n, at), n);
    close(fd);
}

/* Where the frame of entry `seq` begins in a segment whose first entry is `first`, and its length. */
static inline off_t record_frame(const char *path, uint64_t first, uint64_t seq, size_t *ret_n)
{
    size_t n, at = 64;
    char *p = record_bytes(path, &n);
    for (;; first++) {
        uint32_t payload;
        memcpy(&payload, p + at, 4);
        *ret_n = (24 + payload + 7) / 8 * 8;
        assert_true(payload && at + *ret_n <= n);
        if (first == seq)
            break;
        at += *ret_n;
    }
    free(p);
    return (off_t)at;
}

#endif
