/* What of an entry is sealed, and what stands in its place. */
#include "audit/names.h"
#include "audit/seal_inner.h"

/* Values of a member that are sealed each by itself, and bytes of the list; of more, all of the member is one value: an
 * entry does not grow beyond measure. */
enum { SEAL_EACH = 128, SEAL_LIST = 16 << 10, SEAL_MARKS = 128 };

static const struct json_limits seal_limits = {.depth = 2 * JSON_DEPTH, .nodes = 2 * JSON_NODES};

struct seal_walk {
    struct seals *s;
    const struct seal_ask *ask;
    struct arena *a;
    struct json j;
    uint32_t mark[SEAL_MARKS]; /* nodes of j that paths lead to */
    size_t marks;
    bool all;        /* of the whole member one value */
    uint32_t values; /* of the entry */
    uint32_t here;   /* of the member */
    struct json_out list;
    const struct seal_keys *keys; /* or NULL: not needed yet */
    const unsigned char *id;
    struct fault *f;
    enum err err;
};

static bool walk_keys(struct seal_walk *w)
{
    if (!w->keys && !w->err)
        w->err = seal_cache_get(&w->s->cache, &w->s->root, w->ask->subject, &w->keys, &w->id, w->f);
    return !w->err;
}

/* Puts a value, whose path is in s->path, into the queue and its commitment into the list. */
static void walk_seal(struct seal_walk *w, struct str value)
{
    unsigned char salt[SEAL_SALT], commitment[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1], head[SEAL_AAD_HEAD];
    struct str aad[SEAL_AAD], path = buf_view(&w->s->path);
    struct buf *q = &w->s->queue;
    size_t at, n = SEAL_SALT + value.n + SEAL_TAG;
    if (!walk_keys(w))
        return;
    struct seal_frame frame = {.seq = w->ask->seq, .index = w->values};
    memcpy(frame.id, w->id, SEAL_ID);
    enc_random(frame.nonce, SEAL_NONCE);
    enc_random(salt, sizeof(salt));
    seal_hmac(salt, sizeof(salt), value, commitment);
    seal_aad(w->ask->seq, path, w->ask->subject, head, aad);
    const struct str plain[] = {{(const char *)salt, SEAL_SALT}, value};
    bool ok = !buf_failed(&w->s->path) && seal_frame_begin(q, &frame, n, &at) &&
              seal_encrypt(w->keys->value, frame.nonce, aad, SEAL_AAD, plain, 2, (unsigned char *)q->p + at) == ERR_OK;
    secret_wipe(salt, sizeof(salt));
    if (!ok) {
        w->err = fault_set(w->f, ERR_NOMEM, "no memory to seal a value");
        return;
    }
    seal_frame_end(q, at, n);
    enc_hex(commitment, sizeof(commitment), hex);
    json_open(&w->list, '{');
    json_kv_z(&w->list, "commitment", hex);
    json_kv_str(&w->list, "path", path);
    json_kv_str(&w->list, "subject", w->ask->subject);
    json_close(&w->list, '}');
    w->values++;
    w->here++;
}

/* Are there more than are sealed each by itself? */
static bool walk_is_full(const struct seal_walk *w)
{
    return w->here > SEAL_EACH || w->list.b->n > SEAL_LIST;
}

static bool walk_marked(const struct seal_walk *w, uint32_t node)
{
    for (size_t i = 0; i < w->marks; i++)
        if (w->mark[i] == node)
            return true;
    return false;
}

static size_t walk_enter(struct seal_walk *w, struct str key)
{
    struct buf *p = &w->s->path;
    size_t from = p->n;
    buf_char(p, '/');
    for (size_t i = 0; i < key.n; i++)
        if (key.p[i] == '~' || key.p[i] == '/')
            buf_z(p, key.p[i] == '~' ? "~0" : "~1");
        else
            buf_char(p, key.p[i]);
    return from;
}

static void walk_value(struct seal_walk *w, uint32_t i, bool marked, struct json_out *o);

static void walk_object(struct seal_walk *w, uint32_t object, struct json_out *o)
{
    const struct json *j = &w->j;
    const struct conf_strings *names = w->ask->names;
    bool labelled = names->n && name_labelled(j, object, seal_name, names, w->a);
    json_open(o, '{');
    JSON_PAIRS(j, object, k, v)
    {
        struct str key = json_str(j, k, w->a);
        bool marked = seal_name(names, key) || (labelled && str_is(key, "value"));
        size_t from = walk_enter(w, key);
        json_key(o, key);
        walk_value(w, v, marked, o);
        w->s->path.n = from;
    }
    json_close(o, '}');
}

static void walk_value(struct seal_walk *w, uint32_t i, bool marked, struct json_out *o)
{
    uint64_t n = 0;
    if (w->err || walk_is_full(w))
        return;
    if (marked || walk_marked(w, i)) {
        walk_seal(w, json_raw(&w->j, i)); /* of a canonical text each value is canonical */
        json_put_str(o, STR(SEALED));
    } else if (json_type(&w->j, i) == JSON_OBJECT) {
        walk_object(w, i, o);
    } else if (json_type(&w->j, i) == JSON_ARRAY) {
        json_open(o, '[');
        JSON_EACH(&w->j, i, v)
        {
            size_t from = w->s->path.n;
            buf_char(&w->s->path, '/');
            buf_u64(&w->s->path, n++);
            walk_value(w, v, false, o);
            w->s->path.n = from;
        }
        json_close(o, ']');
    } else {
        json_put_raw(o, json_raw(&w->j, i));
    }
}

/* A mark that cannot be followed marks everything. */
static void walk_find_marks(struct seal_walk *w, uint32_t root)
{
    struct json paths;
    w->marks = 0;
    w->all = false;
    if (!w->ask->paths.n)
        return;
    if (json_parse(&paths, w->ask->paths, w->a, NULL, NULL) || json_type(&paths, JSON_ROOT) != JSON_ARRAY) {
        w->all = true;
        return;
    }
    JSON_EACH(&paths, JSON_ROOT, v)
    {
        struct str pointer = json_str(&paths, v, w->a);
        bool right = json_type(&paths, v) == JSON_STRING && (!pointer.n || pointer.p[0] == '/');
        uint32_t node = right ? seal_point(&w->j, root, pointer, w->a) : 0;
        if (!right || w->marks == SEAL_MARKS)
            w->all = true;
        else if (node)
            w->mark[w->marks++] = node;
    }
}

/* A member of the entry: `root` of w->j, which is at `path`, with what is marked in it replaced. *ret is what it was
 * (raw) when nothing is. */
static enum err walk_member(struct seal_walk *w, uint32_t root, const char *path, struct str *ret)
{
    struct buf text CLEANUP(buf_done) = {0};
    struct str raw = json_raw(&w->j, root);
    size_t queued = w->s->queue.n, listed = w->list.b->n;
    uint32_t values = w->values;
    struct json_out o = json_out(&text);
    buf_init(&text, raw.n * 6 + 4096);
    walk_find_marks(w, root);
    w->here = 0;
    buf_clear(&w->s->path);
    buf_z(&w->s->path, path);
    if (!w->all)
        walk_value(w, root, false, &o);
    if (!w->err && (w->all || walk_is_full(w))) {
        w->s->queue.n = queued;
        w->list.b->n = listed;
        w->list.comma = values != 0;
        w->values = values;
        buf_clear(&text);
        o = json_out(&text);
        buf_clear(&w->s->path);
        buf_z(&w->s->path, path);
        walk_seal(w, raw);
        json_put_str(&o, STR(SEALED));
    }
    if (!w->err && (buf_failed(&text) || arena_failed(w->a)))
        w->err = fault_set(w->f, ERR_NOMEM, "no memory to seal a value");
    if (w->err || w->values == values)
        return w->err;
    *ret = arena_buf(w->a, &text);
    return ret->p ? ERR_OK : (w->err = fault_set(w->f, ERR_NOMEM, "no memory to seal a value"));
}

static enum err walk_parse(struct seal_walk *w, struct str text, const char *what)
{
    enum err e = json_parse(&w->j, text, w->a, &seal_limits, NULL);
    if (e)
        w->err = e == ERR_NOMEM
                     ? fault_set(w->f, e, "no memory to seal %s", what)
                     : fault_set(w->f, ERR_AUDIT, "%s cannot be looked through for what is to be sealed", what);
    return w->err;
}

static struct str walk_digest(struct seal_walk *w, struct str digest)
{
    unsigned char hash[SHA256_BYTES];
    char hex[2 * SHA256_BYTES + 1];
    if (!digest.n || !walk_keys(w))
        return digest;
    seal_hmac(w->keys->digest, SEAL_KEY, digest, hash);
    enc_hex(hash, sizeof(hash), hex);
    struct str ret = arena_str(w->a, str_of(hex));
    if (!ret.p)
        w->err = fault_set(w->f, ERR_NOMEM, "no memory to seal a digest");
    return ret;
}

/* {"changed":…,"digest":…,"judged":…}: the arguments before policies changed them. */
static enum err walk_details(struct seal_walk *w, struct sealed *ret)
{
    struct buf text CLEANUP(buf_done) = {0};
    TRY(walk_parse(w, w->ask->details, "details"));
    uint32_t judged = json_get(&w->j, JSON_ROOT, STR("judged"));
    if (!judged)
        return ERR_OK;
    struct str now = json_raw(&w->j, judged);
    TRY(walk_member(w, judged, "/details/judged", &now));
    if (!w->values && !w->ask->call)
        return ERR_OK;
    buf_init(&text, w->ask->details.n + now.n + 4096);
    struct json_out o = json_out(&text);
    json_open(&o, '{');
    JSON_PAIRS(&w->j, JSON_ROOT, k, v)
    {
        json_key(&o, json_str(&w->j, k, w->a));
        if (v == judged)
            json_put_raw(&o, now);
        else if (json_str_is(&w->j, k, STR("digest")))
            json_put_str(&o, walk_digest(w, json_str(&w->j, v, w->a)));
        else
            json_put_raw(&o, json_raw(&w->j, v));
    }
    json_close(&o, '}');
    TRY(w->err);
    ret->details = arena_buf(w->a, &text);
    return ret->details.p ? ERR_OK : fault_set(w->f, ERR_NOMEM, "no memory to seal details");
}

static void walk_reasoning(struct seal_walk *w, struct sealed *ret)
{
    struct buf text CLEANUP(buf_done) = {0};
    struct str words = w->ask->reasoning;
    if (!words.n)
        return;
    buf_init(&text, words.n * 6 + 16);
    struct json_out o = json_out(&text);
    json_put_str(&o, words);
    buf_clear(&w->s->path);
    buf_z(&w->s->path, "/reasoning");
    if (buf_failed(&text))
        w->err = fault_set(w->f, ERR_NOMEM, "no memory to seal a reasoning");
    else
        walk_seal(w, buf_view(&text));
    ret->reasoning = STR(SEALED);
}

static enum err walk_entry(struct seal_walk *w, struct sealed *ret)
{
    const struct seal_ask *ask = w->ask;
    json_open(&w->list, '[');
    if (ask->parameters.n) {
        TRY(walk_parse(w, ask->parameters, "parameters"));
        TRY(walk_member(w, JSON_ROOT, "/parameters", &ret->parameters));
    }
    if (ask->details.n)
        TRY(walk_details(w, ret));
    if (!w->values && !ask->call)
        return ERR_OK;
    ret->any = true;
    walk_reasoning(w, ret);
    ret->digest = walk_digest(w, ask->digest);
    ret->result_digest = walk_digest(w, ask->result_digest);
    json_close(&w->list, ']');
    TRY(w->err);
    if (w->values)
        ret->list = arena_buf(w->a, w->list.b);
    return w->values && !ret->list.p ? fault_set(w->f, ERR_NOMEM, "no memory for what is sealed") : ERR_OK;
}

static bool seal_may(const struct seal_ask *ask, struct arena *a)
{
    if (ask->call || ask->paths.n)
        return true;
    if (!ask->names->n)
        return false;
    return (ask->parameters.n > 2 && (!ask->doc || seal_needed(ask->names, STR_NONE, ask->doc, ask->node, a))) ||
           (ask->details.n && memmem(ask->details.p, ask->details.n, "\"judged\":", 9));
}

enum err seal_values(struct seals *s, const struct seal_ask *ask, struct arena *a, struct sealed *ret, struct fault *f)
{
    struct sealed r = {.parameters = ask->parameters,
                       .details = ask->details,
                       .reasoning = ask->reasoning,
                       .digest = ask->digest,
                       .result_digest = ask->result_digest};
    if (!seal_may(ask, a)) {
        *ret = r;
        return ERR_OK;
    }
    if (!s || !ask->subject.p)
        return fault_set(f, ERR_AUDIT, "what is to be sealed cannot be: %s", s ? "no memory" : "there is no seal.key");
    size_t queued = s->queue.n;
    buf_clear(&s->list);
    struct seal_walk w = {.s = s, .ask = ask, .a = a, .list = json_out(&s->list), .f = f};
    pthread_mutex_lock(&s->lock);
    enum err e = walk_entry(&w, &r);
    pthread_mutex_unlock(&s->lock);
    if (e) {
        s->queue.failed = false;
        s->queue.n = queued;
        return e;
    }
    *ret = r;
    return ERR_OK;
}

void seal_masked(const struct seal_ask *ask, struct sealed *ret)
{
    bool judged = ask->details.n && memmem(ask->details.p, ask->details.n, "\"judged\"", 8);
    *ret = (struct sealed){.any = true, .details = judged ? STR_NONE : ask->details};
    ret->parameters = ask->parameters.n ? STR("\"[masked]\"") : STR_NONE;
    ret->reasoning = ask->reasoning.n ? STR("[masked]") : STR_NONE;
}

struct str seal_subject(const struct audit_entry *e, struct arena *a)
{
    return e->user.n ? ARENA_JOIN(a, STR("user:"), e->user) : ARENA_JOIN(a, STR("agent:"), e->agent_id);
}
