#include "connect/pins.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "connect/inner.h"

/* PINS_PER_SERVER: a server that lists other names each time must not fill the store. */
enum { PIN_SLOTS = 16384, PINS_PER_SERVER = 20000 };

struct pin {
    struct pin *next;
    char hash[65];      /* empty: seen, but not pinned */
    enum tool_pin told; /* what was told last … */
    char told_hash[65]; /* … of which definition */
    int64_t first_seen;
    struct str id; /* behind this */
};

struct pin_server { /* how many tools of a server there are in the map */
    struct pin_server *next;
    size_t count;
    struct str name; /* behind this */
};

struct pins {
    struct store *store;
    pin_told *told;
    void *ctx;
    pthread_mutex_t change; /* one change at a time: the store first, then the map */
    pthread_rwlock_t lock;  /* of the map */
    struct pin_server *servers;
    struct pin *slot[PIN_SLOTS];
};

const char *pin_word(enum tool_pin pin)
{
    static const char *const words[] = {"unjudged", NULL, "changed", "new", "unpinned"};
    return words[pin];
}

const char *pin_reason(enum tool_pin pin)
{
    static const char *const reasons[] = {"its definition was not judged yet", "",
                                          ("its definition is not the one that was pinned; an operator can look at the "
                                           "difference and accept it"),
                                          "it is new, and no operator has accepted it yet",
                                          "its definition could not be pinned; this is tried again"};
    return reasons[pin];
}

struct str pin_details(const char *hash, struct str before, char *ret, size_t n)
{
    bool had = before.n > 0;
    int length = snprintf(ret, n, "{\"hash\":\"%s\",\"pinned\":%s" STR_FMT "%s}", hash, had ? "\"" : "",
                          STR_ARG(had ? before : STR("null")), had ? "\"" : "");
    return (struct str){ret, (size_t)length < n ? (size_t)length : n - 1};
}

/* ---- the map ---- */

static struct pin **pins_slot(struct pins *p, struct str id)
{
    return &p->slot[str_hash(id) % PIN_SLOTS];
}

static struct pin *pins_find(struct pins *p, struct str id)
{
    struct pin *pin = *pins_slot(p, id);
    while (pin && !str_eq(pin->id, id))
        pin = pin->next;
    return pin;
}

static struct str pin_server_name(struct str id)
{
    struct str name;
    str_cut(&id, '/', &name);
    return name;
}

static struct pin_server *pins_server(struct pins *p, struct str name)
{
    struct pin_server *s = p->servers;
    while (s && !str_eq(s->name, name))
        s = s->next;
    if (s || !(s = malloc(sizeof(*s) + name.n)))
        return s;
    memcpy(s + 1, name.p, name.n);
    *s = (struct pin_server){p->servers, 0, {(const char *)(s + 1), name.n}};
    p->servers = s;
    return s;
}

/* With the lock held for writing. NULL: no memory, or the server has too many. */
static struct pin *pins_enter(struct pins *p, struct str id, int64_t first_seen)
{
    struct pin *pin = pins_find(p, id), **slot = pins_slot(p, id);
    struct pin_server *s = pin ? NULL : pins_server(p, pin_server_name(id));
    if (pin || !s || s->count >= PINS_PER_SERVER || !(pin = malloc(sizeof(*pin) + id.n)))
        return pin;
    memcpy(pin + 1, id.p, id.n);
    *pin = (struct pin){.next = *slot, .first_seen = first_seen, .id = {(const char *)(pin + 1), id.n}};
    *slot = pin;
    s->count++;
    return pin;
}

static bool pin_set(struct pin *pin, struct str hash)
{
    if (!pin || hash.n != sizeof(pin->hash) - 1)
        return false;
    memcpy(pin->hash, hash.p, hash.n);
    pin->told = TOOL_SERVED;
    return true;
}

static enum tool_pin pin_verdict(const struct pin *pin, const struct tool *t, bool strict)
{
    if (!pin || !pin->hash[0])
        return strict ? TOOL_NEW : TOOL_UNPINNED;
    return memcmp(pin->hash, t->hash, sizeof(pin->hash)) == 0 ? TOOL_SERVED : TOOL_CHANGED;
}

/* ---- from the store ---- */

struct pins_loading {
    struct pins *p;
    bool failed;
};

static void pins_load_one(void *ctx, const struct store_pin *s)
{
    struct pins_loading *l = ctx;
    l->failed = l->failed || !pin_set(pins_enter(l->p, s->tool, s->first_seen), s->hash);
}

enum err pins_new(struct store *store, pin_told *told, void *ctx, struct pins **ret, struct fault *f)
{
    struct pins *p = calloc(1, sizeof(*p));
    struct pins_loading l = {p, false};
    if (!p)
        return fault_set(f, ERR_NOMEM, "no memory for pins");
    p->store = store;
    p->told = told;
    p->ctx = ctx;
    pthread_mutex_init(&p->change, NULL);
    pthread_rwlock_init(&p->lock, NULL);
    enum err e = store->ops->pins_load(store, pins_load_one, &l, f);
    if (!e && l.failed)
        e = fault_set(f, ERR_STORE, "the store's pins of tools cannot be read, or there is no memory for them");
    if (e) {
        pins_free(p);
        return e;
    }
    *ret = p;
    return ERR_OK;
}

void pins_free(struct pins *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < PIN_SLOTS; i++)
        for (struct pin *pin = p->slot[i], *next; pin; pin = next) {
            next = pin->next;
            free(pin);
        }
    for (struct pin_server *s = p->servers, *next; s; s = next) {
        next = s->next;
        free(s);
    }
    pthread_mutex_destroy(&p->change);
    pthread_rwlock_destroy(&p->lock);
    free(p);
}

struct pins_reading {
    struct arena *arena;
    struct store_pin *ret;
};

static void pins_read_one(void *ctx, const struct store_pin *s)
{
    struct pins_reading *r = ctx;
    *r->ret = *s;
    r->ret->tool = arena_str(r->arena, s->tool);
    r->ret->hash = arena_str(r->arena, s->hash);
    r->ret->definition = arena_str(r->arena, s->definition);
    r->ret->accepted_by = arena_str(r->arena, s->accepted_by);
}

enum err pins_read(struct pins *p, struct str tool, struct arena *a, struct store_pin *ret, struct fault *f)
{
    struct pins_reading r = {a, ret};
    TRY(p->store->ops->pin_read(p->store, tool, pins_read_one, &r, f));
    return arena_failed(a) ? fault_set(f, ERR_NOMEM, "no memory for a definition") : ERR_OK;
}

/* ---- a list has come in ---- */

bool pins_lack(struct pins *p, const struct tool_set *set)
{
    bool lack = false;
    pthread_rwlock_rdlock(&p->lock);
    for (size_t i = 0; i < set->count && !lack; i++) {
        const struct pin *pin = pins_find(p, set->tool[i].id);
        lack = !pin || !pin->hash[0];
    }
    pthread_rwlock_unlock(&p->lock);
    return lack;
}

void pins_judge(struct pins *p, struct tool_set *set, bool strict)
{
    pthread_rwlock_rdlock(&p->lock);
    for (size_t i = 0; i < set->count; i++)
        set->tool[i].pin = pin_verdict(pins_find(p, set->tool[i].id), &set->tool[i], strict);
    pthread_rwlock_unlock(&p->lock);
}

void pins_judge_one(struct pins *p, struct tool *t)
{
    pthread_rwlock_rdlock(&p->lock);
    t->pin = pin_verdict(pins_find(p, t->id), t, true);
    pthread_rwlock_unlock(&p->lock);
}

/* What is to be told of this tool, if anything, and the pinned hash; from then on it has been told. */
static bool pins_news(struct pins *p, const struct tool *t, bool strict, enum pin_event *ret, char ret_before[65])
{
    pthread_rwlock_wrlock(&p->lock);
    struct pin *pin = pins_find(p, t->id);
    enum tool_pin v = pin_verdict(pin, t, strict);
    if (!pin && v == TOOL_NEW)
        pin = pins_enter(p, t->id, clock_wall_ms());
    bool same = !pin || (pin->told == v && (v == TOOL_SERVED || memcmp(pin->told_hash, t->hash, 65) == 0));
    bool news = !same && v != TOOL_UNPINNED && (v != TOOL_SERVED || pin->told == TOOL_CHANGED);
    *ret = v == TOOL_NEW ? PIN_NEW : v == TOOL_CHANGED ? PIN_CHANGED : PIN_RESTORED;
    if (!same) {
        pin->told = v;
        memcpy(pin->told_hash, t->hash, 65);
        memcpy(ret_before, pin->hash, 65);
    }
    pthread_rwlock_unlock(&p->lock);
    return news;
}

void pins_tell(struct pins *p, const struct tool_set *set, bool strict)
{
    for (size_t i = 0; i < set->count; i++) {
        enum pin_event event;
        char before[65];
        if (pins_news(p, &set->tool[i], strict, &event, before))
            p->told(p->ctx, event, &set->tool[i], str_of(before));
    }
}

/* ---- changes ---- */

static struct store_pin pin_row(const struct tool *t, int64_t now)
{
    return (struct store_pin){.tool = t->id, .hash = str_of(t->hash), .definition = t->definition, .first_seen = now};
}

/* Places for rows[0..n) in the map, so that nothing can fail once they are in the store. */
static bool pins_room(struct pins *p, const struct store_pin *rows, size_t n)
{
    bool room = true;
    pthread_rwlock_wrlock(&p->lock);
    for (size_t i = 0; i < n && room; i++)
        room = pins_enter(p, rows[i].tool, rows[i].first_seen) != NULL;
    pthread_rwlock_unlock(&p->lock);
    return room;
}

/* The store first, then the map; with `change` held. */
static enum err pins_write(struct pins *p, const struct store_pin *rows, size_t n, struct fault *f)
{
    if (!pins_room(p, rows, n))
        return fault_set(f, ERR_LIMIT, "no memory, or the server has had more than %d tools", PINS_PER_SERVER);
    TRY(p->store->ops->pins_put(p->store, rows, n, f));
    pthread_rwlock_wrlock(&p->lock);
    for (size_t i = 0; i < n; i++)
        pin_set(pins_find(p, rows[i].tool), rows[i].hash);
    pthread_rwlock_unlock(&p->lock);
    return ERR_OK;
}

enum err pins_first(struct pins *p, const struct tool_set *set, struct fault *f)
{
    struct store_pin *rows = calloc(set->count + 1, sizeof(*rows));
    size_t *at = calloc(set->count + 1, sizeof(*at)), n = 0;
    if (!rows || !at) {
        free(rows);
        free(at);
        return fault_set(f, ERR_NOMEM, "no memory for pins");
    }
    int64_t now = clock_wall_ms();
    pthread_mutex_lock(&p->change);
    pthread_rwlock_rdlock(&p->lock);
    for (size_t i = 0; i < set->count; i++) {
        const struct pin *pin = pins_find(p, set->tool[i].id);
        if (pin && pin->hash[0])
            continue;
        at[n] = i;
        rows[n] = pin_row(&set->tool[i], pin ? pin->first_seen : now);
        n++;
    }
    pthread_rwlock_unlock(&p->lock);
    enum err e = n ? pins_write(p, rows, n, f) : ERR_OK;
    pthread_mutex_unlock(&p->change);
    for (size_t i = 0; i < n && !e; i++)
        p->told(p->ctx, PIN_PINNED, &set->tool[at[i]], STR_NONE);
    free(rows);
    free(at);
    return e;
}

enum err pins_accept(struct pins *p, const struct tool *t, struct str by, char ret_before[65], struct fault *f)
{
    char before[65] = "";
    int64_t now = clock_wall_ms();
    struct store_pin row = pin_row(t, now);
    row.accepted = now;
    row.accepted_by = by;
    pthread_mutex_lock(&p->change);
    pthread_rwlock_rdlock(&p->lock);
    const struct pin *pin = pins_find(p, t->id);
    if (pin) {
        row.first_seen = pin->first_seen;
        memcpy(before, pin->hash, sizeof(before));
    }
    pthread_rwlock_unlock(&p->lock);
    enum err e = pins_write(p, &row, 1, f);
    pthread_mutex_unlock(&p->change);
    if (!e)
        memcpy(ret_before, before, sizeof(before));
    return e;
}
