/*
 * Keys of subjects that are in use. New ones are made as they are needed, and flushed all together before what is
 * sealed with them: a batch of calls for many new users waits for the disk once.
 */
#include <errno.h>
#include <string.h>

#include "audit/seal_inner.h"

/* Sets of four: a name has four places it may lie in. */
enum { CACHE_WAYS = 4 };

static struct seal_slot *cache_find(struct seal_cache *c, const unsigned char name[SHA256_BYTES], bool *ret_hit)
{
    size_t set = ((size_t)name[0] << 8 | name[1]) % (SEAL_CACHE / CACHE_WAYS) * CACHE_WAYS;
    struct seal_slot *oldest = &c->slot[set];
    *ret_hit = false;
    for (size_t i = set; i < set + CACHE_WAYS; i++) {
        if (c->slot[i].used && memcmp(c->slot[i].name, name, SHA256_BYTES) == 0) {
            *ret_hit = true;
            return &c->slot[i];
        }
        if (c->slot[i].used < oldest->used)
            oldest = &c->slot[i];
    }
    return oldest;
}

static struct seal_keys *cache_keys(struct seal_cache *c, const struct seal_slot *s)
{
    return (struct seal_keys *)(void *)(uintptr_t)secret_bytes(c->bytes) + (s - c->slot);
}

static void cache_clear(struct seal_cache *c, struct seal_slot *s)
{
    s->used = 0;
    secret_wipe(cache_keys(c, s), sizeof(struct seal_keys));
}

static struct seal_slot *cache_of(struct seal_cache *c, const unsigned char name[SHA256_BYTES])
{
    bool hit;
    struct seal_slot *s = cache_find(c, name, &hit);
    return hit ? s : NULL;
}

enum err seal_cache_flush(struct seal_cache *c, const struct seal_root *r, struct fault *f)
{
    size_t n = c->made;
    c->made = 0;
    if (!c->failed && (!n || seal_subjects_flush(r, c->new, n)))
        return ERR_OK;
    int why = errno;
    c->failed = true;
    for (size_t i = 0; i < n; i++) { /* whether they are there for good nobody can say any more */
        struct seal_slot *s = cache_of(c, c->new[i]);
        seal_subject_undo(r, c->new[i]);
        if (s)
            cache_clear(c, s);
    }
    return fault_set(f, ERR_AUDIT, "keys of subjects cannot be flushed: %s", strerror(why));
}

enum err seal_cache_get(struct seal_cache *c, const struct seal_root *r, struct str subject,
                        const struct seal_keys **ret, const unsigned char **ret_id, struct fault *f)
{
    unsigned char name[SHA256_BYTES];
    bool hit;
    if (c->made == SEAL_NEW)
        TRY(seal_cache_flush(c, r, f)); /* when it fails, the batch's flush does as well: what is queued is nothing */
    seal_subject_name(r, subject, name);
    struct seal_slot *s = cache_find(c, name, &hit);
    if (!hit) {
        cache_clear(c, s);
        enum err e = seal_subject_read(r, name, s->id, cache_keys(c, s), f);
        if (e == ERR_NOT_FOUND) {
            TRY(seal_subject_make(r, name, s->id, cache_keys(c, s), f));
            memcpy(c->new[c->made++], name, SHA256_BYTES);
        } else if (e) {
            return e;
        }
        memcpy(s->name, name, SHA256_BYTES);
    }
    s->used = ++c->turn;
    *ret = cache_keys(c, s);
    *ret_id = s->id;
    return ERR_OK;
}

void seal_cache_drop(struct seal_cache *c, const struct seal_root *r, struct str subject)
{
    unsigned char name[SHA256_BYTES];
    seal_subject_name(r, subject, name);
    struct seal_slot *s = cache_of(c, name);
    if (s)
        cache_clear(c, s);
}
