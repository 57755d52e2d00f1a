#include "identity/people.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/enc.h"
#include "conf/conf.h"

const char *const people_roles[] = {"viewer", "approver", "operator", "admin", NULL};

enum { PEOPLE_TOKEN = 32, PEOPLE_ACCOUNT = 256, PEOPLE_STRINGS = 7 };

struct person_row {
    struct store_person is; /* of the bytes */
    struct person_row *next;
    char bytes[];
};

struct people {
    struct store *store;
    pthread_mutex_t change;   /* one change of the store at a time */
    pthread_rwlock_t lock;    /* of the list */
    struct person_row *first; /* by name */
    size_t count;
    void (*dropped)(void *ctx, struct str name); /* under `change` */
    void *dropped_ctx;
};

static void person_strings(struct store_person *p, struct str *ret[PEOPLE_STRINGS])
{
    ret[0] = &p->name;
    ret[1] = &p->role;
    ret[2] = &p->groups;
    ret[3] = &p->token_hash;
    ret[4] = &p->slack;
    ret[5] = &p->email;
    ret[6] = &p->pagerduty;
}

static struct person_row *person_new(const struct store_person *p)
{
    struct store_person copy = *p;
    struct str *s[PEOPLE_STRINGS];
    size_t n = 0;
    person_strings(&copy, s);
    for (int i = 0; i < PEOPLE_STRINGS; i++)
        n += s[i]->n;
    struct person_row *row = malloc(sizeof(*row) + n);
    if (!row)
        return NULL;
    char *at = row->bytes;
    for (int i = 0; i < PEOPLE_STRINGS; i++) {
        if (s[i]->n)
            memcpy(at, s[i]->p, s[i]->n);
        *s[i] = (struct str){at, s[i]->n};
        at += s[i]->n;
    }
    row->is = copy;
    row->next = NULL;
    return row;
}

static void person_copy(const struct store_person *p, struct arena *a, struct store_person *ret)
{
    struct str *s[PEOPLE_STRINGS];
    *ret = *p;
    person_strings(ret, s);
    for (int i = 0; i < PEOPLE_STRINGS; i++)
        *s[i] = arena_str(a, *s[i]);
}

/* Where it stands in the list, or would. With the lock held. */
static struct person_row **people_at(struct people *p, struct str name)
{
    struct person_row **at = &p->first;
    while (*at && str_cmp((*at)->is.name, name) < 0)
        at = &(*at)->next;
    return at;
}

static struct person_row *people_named(struct people *p, struct str name)
{
    struct person_row *row = *people_at(p, name);
    return row && str_eq(row->is.name, name) ? row : NULL;
}

/* Puts `row`, or nothing, in the place of the one of the name. */
static void people_replace(struct people *p, struct str name, struct person_row *row)
{
    pthread_rwlock_wrlock(&p->lock);
    struct person_row **at = people_at(p, name), *old = *at && str_eq((*at)->is.name, name) ? *at : NULL;
    if (old)
        *at = old->next;
    if (row) {
        row->next = *at;
        *at = row;
    }
    p->count += (size_t)(row != NULL) - (size_t)(old != NULL);
    pthread_rwlock_unlock(&p->lock);
    free(old);
}

/* ---- looking ---- */

/* No role that is known: less than any. */
static int64_t person_role(const struct store_person *p)
{
    for (int i = 0; people_roles[i]; i++)
        if (str_is(p->role, people_roles[i]))
            return i;
    return -1;
}

static enum err people_take(const struct person_row *row, struct arena *a, struct store_person *ret, int64_t *ret_role)
{
    if (!row)
        return ERR_NOT_FOUND;
    struct store_person copy;
    person_copy(&row->is, a, &copy);
    if (arena_failed(a))
        return ERR_NOMEM;
    *ret = copy;
    if (ret_role)
        *ret_role = person_role(&row->is);
    return ERR_OK;
}

enum err people_find(struct people *p, struct str name, struct arena *a, struct store_person *ret, struct fault *f)
{
    pthread_rwlock_rdlock(&p->lock);
    enum err e = people_take(people_named(p, name), a, ret, NULL);
    pthread_rwlock_unlock(&p->lock);
    if (e == ERR_NOT_FOUND)
        return fault_set(f, e, "there is nobody of the name " STR_FMT, STR_ARG(name));
    return e ? fault_set(f, e, "no memory for a person") : ERR_OK;
}

static void people_hash(struct str token, char ret[2 * SHA256_BYTES + 1])
{
    unsigned char hash[SHA256_BYTES];
    enc_sha256(token.p, token.n, hash);
    enc_hex(hash, sizeof(hash), ret);
}

/* What is compared is the hash of a long random token: nothing is learned from how long that takes. */
enum err people_of_token(struct people *p, struct str token, struct arena *a, struct store_person *ret,
                         int64_t *ret_role)
{
    char hash[2 * SHA256_BYTES + 1];
    if (!token.n)
        return ERR_NOT_FOUND;
    people_hash(token, hash);
    pthread_rwlock_rdlock(&p->lock);
    const struct person_row *row = p->first;
    while (row && !(row->is.enabled && str_is(row->is.token_hash, hash)))
        row = row->next;
    enum err e = people_take(row, a, ret, ret_role);
    pthread_rwlock_unlock(&p->lock);
    return e;
}

static struct str person_account(const struct store_person *p, enum people_account account)
{
    return account == PEOPLE_SLACK ? p->slack : account == PEOPLE_EMAIL ? p->email : p->pagerduty;
}

enum err people_of_account(struct people *p, enum people_account account, struct str id, struct arena *a,
                           struct store_person *ret, int64_t *ret_role)
{
    if (!id.n)
        return ERR_NOT_FOUND;
    pthread_rwlock_rdlock(&p->lock);
    const struct person_row *row = p->first;
    while (row && !(row->is.enabled && str_eq(person_account(&row->is, account), id)))
        row = row->next;
    enum err e = people_take(row, a, ret, ret_role);
    pthread_rwlock_unlock(&p->lock);
    return e;
}

void people_each(struct people *p, void (*person)(void *ctx, const struct store_person *p), void *ctx)
{
    pthread_rwlock_rdlock(&p->lock);
    for (const struct person_row *row = p->first; row; row = row->next)
        person(ctx, &row->is);
    pthread_rwlock_unlock(&p->lock);
}

/* ---- changes ---- */

static bool person_name_ok(struct str name)
{
    if (!name.n || name.n > PEOPLE_NAME)
        return false;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!((c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || (i && strchr("._@-", c))))
            return false;
    }
    return true;
}

static enum err person_groups_check(struct str groups, struct fault *f)
{
    struct arena a;
    struct json j;
    arena_init(&a, 1u << 20);
    enum err e = json_parse(&j, groups, &a, NULL, f);
    if (!e && (json_type(&j, JSON_ROOT) != JSON_ARRAY || j.node[JSON_ROOT].size > PEOPLE_GROUPS))
        e = fault_set(f, ERR_PARAMS, "groups must be a list of at most %d names", PEOPLE_GROUPS);
    if (!e)
        JSON_EACH(&j, JSON_ROOT, one)
        {
            struct str s = json_str(&j, one, &a);
            if (!s.n || s.n > PEOPLE_NAME)
                e = fault_set(f, ERR_PARAMS, "groups: names of 1 to %d bytes", PEOPLE_NAME);
        }
    arena_done(&a);
    return e;
}

static enum err person_check(const struct store_person *p, struct fault *f)
{
    if (!person_name_ok(p->name))
        return fault_set(f, ERR_PARAMS, "name: 1 to %d letters, digits, and . _ @ - behind the first one", PEOPLE_NAME);
    if (person_role(p) < 0)
        return fault_set(f, ERR_PARAMS, "role must be viewer, approver, operator or admin, not " STR_FMT,
                         STR_ARG(p->role));
    if (p->slack.n > PEOPLE_ACCOUNT || p->email.n > PEOPLE_ACCOUNT || p->pagerduty.n > PEOPLE_ACCOUNT)
        return fault_set(f, ERR_PARAMS, "slack, email, pagerduty: at most %d bytes", PEOPLE_ACCOUNT);
    return person_groups_check(p->groups, f);
}

static enum err people_write(struct people *p, const struct store_person *is, struct fault *f)
{
    struct person_row *row = person_new(is);
    if (!row)
        return fault_set(f, ERR_NOMEM, "no memory for a person");
    enum err e = p->store->ops->person_put(p->store, is, f);
    if (e)
        free(row);
    else
        people_replace(p, is->name, row);
    return e;
}

/* Only who holds `change` changes the list: it may be read here without its lock. */
enum err people_put(struct people *p, const struct store_person *wish, bool replace, struct fault *f)
{
    TRY(person_check(wish, f));
    pthread_mutex_lock(&p->change);
    const struct person_row *old = people_named(p, wish->name);
    struct store_person is = *wish;
    enum err e = ERR_OK;
    is.created = old ? old->is.created : clock_wall_ms();
    is.token_hash = old ? old->is.token_hash : STR_NONE;
    if (old && !replace)
        e = fault_set(f, ERR_EXISTS, "there is somebody of the name " STR_FMT " already", STR_ARG(wish->name));
    else if (!old && replace)
        e = fault_set(f, ERR_NOT_FOUND, "there is nobody of the name " STR_FMT, STR_ARG(wish->name));
    else if (!old && p->count >= PEOPLE_MAX)
        e = fault_set(f, ERR_LIMIT, "there are %d people, which is the most there may be", PEOPLE_MAX);
    if (!e)
        e = people_write(p, &is, f);
    pthread_mutex_unlock(&p->change);
    return e;
}

enum err people_drop(struct people *p, struct str name, struct fault *f)
{
    pthread_mutex_lock(&p->change);
    enum err e = people_named(p, name)
                     ? p->store->ops->person_drop(p->store, name, f)
                     : fault_set(f, ERR_NOT_FOUND, "there is nobody of the name " STR_FMT, STR_ARG(name));
    if (!e)
        people_replace(p, name, NULL);
    if (!e && p->dropped)
        p->dropped(p->dropped_ctx, name);
    pthread_mutex_unlock(&p->change);
    return e;
}

void people_watch(struct people *p, void (*dropped)(void *ctx, struct str name), void *ctx)
{
    pthread_mutex_lock(&p->change);
    p->dropped = dropped;
    p->dropped_ctx = ctx;
    pthread_mutex_unlock(&p->change);
}

enum err people_token(struct people *p, struct str name, struct secret **ret, struct fault *f)
{
    unsigned char raw[PEOPLE_TOKEN];
    char text[8 + 2 * PEOPLE_TOKEN] = "dwp_", hash[2 * SHA256_BYTES + 1];
    enc_random(raw, sizeof(raw));
    size_t n = 4 + enc_b64url(raw, sizeof(raw), text + 4);
    people_hash((struct str){text, n}, hash);
    struct secret *token = secret_new(text, n);
    secret_wipe(text, sizeof(text));
    secret_wipe(raw, sizeof(raw));
    if (!token)
        return fault_set(f, ERR_NOMEM, "no memory for a token");
    pthread_mutex_lock(&p->change);
    const struct person_row *old = people_named(p, name);
    enum err e = old ? ERR_OK : fault_set(f, ERR_NOT_FOUND, "there is nobody of the name " STR_FMT, STR_ARG(name));
    if (!e) {
        struct store_person is = old->is;
        is.token_hash = str_of(hash);
        e = people_write(p, &is, f);
    }
    pthread_mutex_unlock(&p->change);
    if (e)
        secret_free(token);
    else
        *ret = token;
    return e;
}

/* ---- life ---- */

struct people_loading {
    struct people *p;
    bool failed;
};

static void people_load_one(void *ctx, const struct store_person *is)
{
    struct people_loading *l = ctx;
    struct person_row *row = person_new(is);
    if (row)
        people_replace(l->p, is->name, row);
    else
        l->failed = true;
}

enum err people_new(struct store *store, struct people **ret, struct fault *f)
{
    struct people *p = calloc(1, sizeof(*p));
    struct people_loading l = {.p = p};
    if (!p)
        return fault_set(f, ERR_NOMEM, "no memory for people");
    p->store = store;
    pthread_mutex_init(&p->change, NULL);
    pthread_rwlock_init(&p->lock, NULL);
    enum err e = store->ops->people_load(store, people_load_one, &l, f);
    if (!e && l.failed)
        e = fault_set(f, ERR_NOMEM, "no memory for people");
    if (e)
        people_free(p);
    else
        *ret = p;
    return e;
}

void people_free(struct people *p)
{
    if (!p)
        return;
    while (p->first) {
        struct person_row *next = p->first->next;
        free(p->first);
        p->first = next;
    }
    pthread_mutex_destroy(&p->change);
    pthread_rwlock_destroy(&p->lock);
    free(p);
}
