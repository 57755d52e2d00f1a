#include "identity/passkeys.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/enc.h"
#include "base/hash.h"

enum { PASSKEYS_BUCKETS = 1024, PASSKEY_STRINGS = 5 };

struct passkey_row {
    struct store_passkey is; /* of the bytes */
    struct passkey_row *next, *next_hash;
    char bytes[];
};

struct passkeys {
    struct store *store;
    struct people *people;
    pthread_mutex_t change;   /* one change of the store at a time */
    pthread_rwlock_t lock;    /* of what follows */
    struct passkey_row *row;  /* the oldest first */
    struct passkey_row **end; /* where the next one goes */
    struct passkey_row *bucket[PASSKEYS_BUCKETS];
};

static void passkey_strings(struct store_passkey *k, struct str *ret[PASSKEY_STRINGS])
{
    ret[0] = &k->id;
    ret[1] = &k->person;
    ret[2] = &k->rp;
    ret[3] = &k->jwk;
    ret[4] = &k->name;
}

static struct passkey_row *row_new(const struct store_passkey *k)
{
    struct store_passkey copy = *k;
    struct str *s[PASSKEY_STRINGS];
    size_t n = 0;
    passkey_strings(&copy, s);
    for (int i = 0; i < PASSKEY_STRINGS; i++)
        n += s[i]->n;
    struct passkey_row *row = calloc(1, sizeof(*row) + n);
    if (!row)
        return NULL;
    char *at = row->bytes;
    for (int i = 0; i < PASSKEY_STRINGS; i++) {
        if (s[i]->n)
            memcpy(at, s[i]->p, s[i]->n);
        *s[i] = (struct str){at, s[i]->n};
        at += s[i]->n;
    }
    row->is = copy;
    return row;
}

static enum err row_copy(const struct passkey_row *row, struct arena *a, struct store_passkey *ret)
{
    struct store_passkey copy = row->is;
    struct str *s[PASSKEY_STRINGS];
    passkey_strings(&copy, s);
    for (int i = 0; i < PASSKEY_STRINGS; i++)
        *s[i] = arena_str(a, *s[i]);
    if (arena_failed(a))
        return ERR_NOMEM;
    *ret = copy;
    return ERR_OK;
}

/* ---- the list; with the lock held, or `change` where nothing is changed ---- */

static struct passkey_row **passkeys_bucket(struct passkeys *p, struct str id)
{
    return &p->bucket[str_hash(id) % PASSKEYS_BUCKETS];
}

static struct passkey_row *passkeys_row(struct passkeys *p, struct str id)
{
    struct passkey_row *row = *passkeys_bucket(p, id);
    while (row && !str_eq(row->is.id, id))
        row = row->next_hash;
    return row;
}

static void passkeys_link(struct passkeys *p, struct passkey_row *row)
{
    struct passkey_row **bucket = passkeys_bucket(p, row->is.id);
    pthread_rwlock_wrlock(&p->lock);
    *p->end = row;
    p->end = &row->next;
    row->next_hash = *bucket;
    *bucket = row;
    pthread_rwlock_unlock(&p->lock);
}

static void passkeys_unlink(struct passkeys *p, struct passkey_row **at)
{
    struct passkey_row *row = *at, **bucket = passkeys_bucket(p, row->is.id);
    while (*bucket != row)
        bucket = &(*bucket)->next_hash;
    *bucket = row->next_hash;
    *at = row->next;
    if (p->end == &row->next)
        p->end = at;
    free(row);
}

/* Those of the person; with an id only that one. */
static void passkeys_remove(struct passkeys *p, struct str person, struct str id)
{
    pthread_rwlock_wrlock(&p->lock);
    for (struct passkey_row **at = &p->row; *at;) {
        const struct store_passkey *k = &(*at)->is;
        if (str_eq(k->person, person) && (!id.n || str_eq(k->id, id)))
            passkeys_unlink(p, at);
        else
            at = &(*at)->next;
    }
    pthread_rwlock_unlock(&p->lock);
}

/* ---- looking ---- */

enum err passkeys_find(struct passkeys *p, struct str rp, struct str id, struct arena *a, struct store_passkey *ret,
                       struct fault *f)
{
    pthread_rwlock_rdlock(&p->lock);
    const struct passkey_row *row = passkeys_row(p, id);
    enum err e = row && str_eq(row->is.rp, rp) ? row_copy(row, a, ret) : ERR_NOT_FOUND;
    pthread_rwlock_unlock(&p->lock);
    if (e == ERR_NOT_FOUND)
        return fault_set(f, e, "this passkey is not known here");
    return e ? fault_set(f, e, "no memory for a passkey") : ERR_OK;
}

void passkeys_each(struct passkeys *p, struct str person, struct str rp,
                   void (*one)(void *ctx, const struct store_passkey *k), void *ctx)
{
    pthread_rwlock_rdlock(&p->lock);
    for (const struct passkey_row *row = p->row; row; row = row->next)
        if (str_eq(row->is.person, person) && (!rp.n || str_eq(row->is.rp, rp)))
            one(ctx, &row->is);
    pthread_rwlock_unlock(&p->lock);
}

void passkeys_user(struct str person, unsigned char ret[PASSKEYS_USER])
{
    struct str part[] = {STR("doorward passkey user\n"), person};
    enc_sha256_parts(part, 2, ret);
}

/* ---- changes ---- */

static enum err passkey_name_check(struct str name, struct fault *f)
{
    bool ok = name.n && name.n <= PASSKEYS_NAME && str_utf8_valid(name);
    for (size_t i = 0; ok && i < name.n; i++)
        ok = (unsigned char)name.p[i] >= 0x20 && name.p[i] != 0x7f;
    return ok ? ERR_OK
              : fault_set(f, ERR_PARAMS, "name: 1 to %d bytes of text, without control characters", PASSKEYS_NAME);
}

static void passkey_counted(void *ctx, const struct store_passkey *k)
{
    (void)k;
    ++*(int *)ctx;
}

static enum err passkeys_room(struct passkeys *p, const struct store_passkey *k, struct fault *f)
{
    int n = 0;
    passkeys_each(p, k->person, k->rp, passkey_counted, &n);
    if (passkeys_row(p, k->id))
        return fault_set(f, ERR_EXISTS, "this passkey is enrolled already");
    if (n >= PASSKEYS_OF_PERSON)
        return fault_set(f, ERR_LIMIT, STR_FMT " has %d passkeys, which is the most there may be: remove one first",
                         STR_ARG(k->person), PASSKEYS_OF_PERSON);
    return ERR_OK;
}

/* Who is dropped meanwhile is no more in the store, or comes behind this change to passkeys_dropped. */
enum err passkeys_put(struct passkeys *p, const struct store_passkey *wish, int64_t *ret_created, struct fault *f)
{
    struct store_passkey is = *wish;
    TRY(passkey_name_check(is.name, f));
    is.created = clock_wall_ms();
    is.used = 0;
    struct passkey_row *row = row_new(&is);
    if (!row)
        return fault_set(f, ERR_NOMEM, "no memory for a passkey");
    pthread_mutex_lock(&p->change);
    enum err e = passkeys_room(p, &is, f);
    if (!e)
        e = p->store->ops->passkey_put(p->store, &is, f);
    if (!e)
        passkeys_link(p, row);
    pthread_mutex_unlock(&p->change);
    if (e)
        free(row);
    else if (ret_created)
        *ret_created = is.created;
    return e;
}

enum err passkeys_drop(struct passkeys *p, struct str person, struct str id, struct fault *f)
{
    pthread_mutex_lock(&p->change);
    const struct passkey_row *row = passkeys_row(p, id);
    enum err e = row && str_eq(row->is.person, person)
                     ? p->store->ops->passkey_drop(p->store, id, f)
                     : fault_set(f, ERR_NOT_FOUND, STR_FMT " has no such passkey", STR_ARG(person));
    if (!e)
        passkeys_remove(p, person, id);
    pthread_mutex_unlock(&p->change);
    return e;
}

/* In memory; the store's are gone with the person. */
static void passkeys_dropped(void *ctx, struct str name)
{
    struct passkeys *p = ctx;
    pthread_mutex_lock(&p->change);
    passkeys_remove(p, name, STR_NONE);
    pthread_mutex_unlock(&p->change);
}

/* ---- proving ---- */

static enum err passkey_judge(const struct store_passkey *k, const struct passkey_party *party, struct str challenge,
                              const struct passkey_proof *proof, struct arena *a, uint32_t *ret_count, struct fault *f)
{
    struct jose_key *key CLEANUP(jose_key_freep) = NULL;
    struct fault inner = {0};
    unsigned char user[PASSKEYS_USER];
    passkeys_user(k->person, user);
    if (proof->user_handle.n && !str_eq(proof->user_handle, (struct str){(const char *)user, sizeof(user)}))
        return fault_set(f, ERR_PASSKEY, "userHandle is not of the person whose passkey this is");
    enum err e = jose_key_parse(k->jwk, true, &key, &inner);
    if (e)
        return fault_set(f, e == ERR_NOMEM ? e : ERR_STORE, "store: a passkey's key: %s", inner.text);
    struct passkey_known known = {.key = key, .count = (uint32_t)k->count, .may_back_up = k->may_back_up};
    return passkey_assert(party, challenge, &known, proof, a, ret_count, f);
}

/* Between the judgement and here somebody else may have used it, or it was removed: the row that is there now decides.
 */
static enum err passkeys_used(struct passkeys *p, struct store_passkey *k, int64_t count, struct fault *f)
{
    struct passkey_row *row = passkeys_row(p, k->id);
    if (!row || !str_eq(row->is.jwk, k->jwk) || !str_eq(row->is.person, k->person))
        return fault_set(f, ERR_PASSKEY, "this passkey was removed");
    if ((count || row->is.count) && count <= row->is.count)
        return fault_set(f, ERR_PASSKEY, "the passkey's count of signatures did not grow");
    k->count = count;
    k->used = clock_wall_ms();
    TRY(p->store->ops->passkey_used(p->store, k->id, k->count, k->used, f));
    pthread_rwlock_wrlock(&p->lock);
    row->is.count = k->count;
    row->is.used = k->used;
    pthread_rwlock_unlock(&p->lock);
    return ERR_OK;
}

enum err passkeys_prove(struct passkeys *p, const struct passkey_party *party, struct str challenge, struct str id,
                        const struct passkey_proof *proof, struct arena *a, struct store_passkey *ret, struct fault *f)
{
    struct store_passkey k;
    uint32_t count;
    enum err e = passkeys_find(p, party->id, id, a, &k, f);
    if (e == ERR_NOT_FOUND)
        return fault_set(f, ERR_PASSKEY, "this passkey is not known here, or it is for another name of the gateway");
    TRY(e);
    TRY(passkey_judge(&k, party, challenge, proof, a, &count, f));
    pthread_mutex_lock(&p->change);
    e = passkeys_used(p, &k, count, f);
    pthread_mutex_unlock(&p->change);
    TRY(e);
    *ret = k;
    return ERR_OK;
}

/* ---- life ---- */

struct passkeys_loading {
    struct passkeys *p;
    bool failed;
};

static void passkeys_load_one(void *ctx, const struct store_passkey *is)
{
    struct passkeys_loading *l = ctx;
    struct passkey_row *row = row_new(is);
    if (row)
        passkeys_link(l->p, row);
    else
        l->failed = true;
}

enum err passkeys_new(struct store *store, struct people *people, struct passkeys **ret, struct fault *f)
{
    struct passkeys *p = calloc(1, sizeof(*p));
    struct passkeys_loading l = {.p = p};
    if (!p)
        return fault_set(f, ERR_NOMEM, "no memory for passkeys");
    p->store = store;
    p->people = people;
    p->end = &p->row;
    pthread_mutex_init(&p->change, NULL);
    pthread_rwlock_init(&p->lock, NULL);
    people_watch(people, passkeys_dropped, p);
    enum err e = store->ops->passkeys_load(store, passkeys_load_one, &l, f);
    if (!e && l.failed)
        e = fault_set(f, ERR_NOMEM, "no memory for passkeys");
    if (e)
        passkeys_free(p);
    else
        *ret = p;
    return e;
}

void passkeys_free(struct passkeys *p)
{
    if (!p)
        return;
    people_watch(p->people, NULL, NULL);
    while (p->row) {
        struct passkey_row *next = p->row->next;
        free(p->row);
        p->row = next;
    }
    pthread_mutex_destroy(&p->change);
    pthread_rwlock_destroy(&p->lock);
    free(p);
}
