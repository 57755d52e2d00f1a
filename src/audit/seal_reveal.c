/* Sealed values in clear, from files: for an operator who asks for those of one entry. */
#include "audit/seal_inner.h"
#include "base/clock.h"

enum { SHOW_ARENA = 512 << 20, SHOW_VALUES = 4096 };

struct show_item {
    struct str path, subject, value;
    unsigned char commitment[SHA256_BYTES];
    bool found, other; /* other: it was sealed with a key that is no more */
};

struct show {
    const struct seal_root *root;
    uint64_t seq;
    struct show_item *item;
    uint32_t items;
    struct arena *a;
    /* of the subject that was looked up last */
    struct str subject;
    bool known, gone;
    unsigned char id[SEAL_ID];
    struct seal_keys *keys; /* in locked memory */
};

static enum err show_parse(struct show *s, struct str entry, struct fault *f)
{
    static const struct json_limits deep = {.depth = 1024};
    struct json j;
    int64_t seq;
    TRY(json_parse(&j, entry, s->a, &deep, f));
    uint32_t list = json_get(&j, JSON_ROOT, STR("sealed")), n = 0;
    if (!json_i64(&j, json_get(&j, JSON_ROOT, STR("seq")), &seq) || seq <= 0)
        return fault_set(f, ERR_CORRUPT, "this is no entry of the record: it has no number");
    s->seq = (uint64_t)seq;
    s->items = json_type(&j, list) == JSON_ARRAY ? j.node[list].size : 0;
    if (!s->items)
        return fault_set(f, ERR_NOT_FOUND, "entry %llu holds nothing that is sealed", (unsigned long long)seq);
    s->item = s->items > SHOW_VALUES ? NULL : arena_alloc(s->a, s->items * sizeof(*s->item));
    if (!s->item)
        return fault_set(f, ERR_NOMEM, "no memory for so many values");
    JSON_EACH(&j, list, v)
    {
        struct show_item *i = &s->item[n++];
        i->path = json_str(&j, json_get(&j, v, STR("path")), s->a);
        i->subject = json_str(&j, json_get(&j, v, STR("subject")), s->a);
        struct str hex = json_str(&j, json_get(&j, v, STR("commitment")), s->a);
        if (!i->path.p || !i->subject.p || !enc_unhex(hex, i->commitment, SHA256_BYTES))
            return fault_set(f, ERR_CORRUPT, "entry %llu: its member sealed is not what Doorward writes",
                             (unsigned long long)seq);
    }
    return ERR_OK;
}

/* Values of one entry mostly have one subject. */
static enum err show_subject(struct show *s, struct str subject, struct fault *f)
{
    if (s->known && str_eq(s->subject, subject))
        return ERR_OK;
    s->known = false;
    unsigned char name[SHA256_BYTES];
    seal_subject_name(s->root, subject, name);
    enum err e = seal_subject_read(s->root, name, s->id, s->keys, f);
    if (e && e != ERR_NOT_FOUND)
        return e;
    s->gone = e == ERR_NOT_FOUND;
    s->subject = subject;
    s->known = true;
    return ERR_OK;
}

/* Is this frame the value that was committed to? What a stop left behind is not, and is passed over. */
static enum err show_frame(struct show *s, const struct seal_frame *frame, struct fault *f)
{
    struct show_item *i = frame->seq == s->seq && frame->index < s->items ? &s->item[frame->index] : NULL;
    char head[SEAL_AAD_HEAD];
    struct str aad[SEAL_AAD];
    unsigned char commitment[SHA256_BYTES];
    if (!i || i->found || frame->sealed.n < SEAL_SALT + SEAL_TAG)
        return ERR_OK;
    TRY(show_subject(s, i->subject, f));
    if (s->gone || memcmp(s->id, frame->id, SEAL_ID) != 0) {
        i->other = true;
        return ERR_OK;
    }
    unsigned char *plain = arena_alloc(s->a, frame->sealed.n);
    if (!plain)
        return fault_set(f, ERR_NOMEM, "no memory for a sealed value");
    seal_aad(s->seq, i->path, i->subject, head, aad);
    enum err e = seal_decrypt(s->keys->value, frame->nonce, aad, SEAL_AAD, (const unsigned char *)frame->sealed.p,
                              frame->sealed.n, plain);
    if (e == ERR_CORRUPT)
        return ERR_OK;
    if (e)
        return fault_set(f, e, "no memory for a sealed value");
    struct str value = {(const char *)plain + SEAL_SALT, frame->sealed.n - SEAL_SALT - SEAL_TAG};
    seal_hmac(plain, SEAL_SALT, value, commitment);
    i->found = memcmp(commitment, i->commitment, SHA256_BYTES) == 0;
    i->value = value;
    return ERR_OK;
}

static enum err show_read(struct show *s, const char *dir, struct fault *f)
{
    struct seal_file file;
    struct seal_frame frame;
    enum err e = seal_file_open(dir, s->seq, &file, f);
    if (e)
        return e == ERR_NOT_FOUND ? ERR_OK : e;
    while (!e && (e = seal_file_next(&file, &frame, f)) == ERR_OK)
        e = show_frame(s, &frame, f);
    seal_file_close(&file);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err show_write(struct show *s, struct buf *out, struct fault *f)
{
    struct json_out o = json_out(out);
    json_open(&o, '[');
    for (struct show_item *i = s->item; i < s->item + s->items; i++) {
        TRY(show_subject(s, i->subject, f));
        if (!i->found && !i->other && !s->gone)
            return fault_set(f, ERR_CORRUPT, "entry %llu: what was sealed at " STR_FMT " is missing or damaged",
                             (unsigned long long)s->seq, STR_ARG(i->path));
        json_open(&o, '{');
        if (!i->found)
            json_kv_bool(&o, "forgotten", true);
        json_kv_str(&o, "path", i->path);
        json_kv_str(&o, "subject", i->subject);
        if (i->found)
            json_kv_raw(&o, "value", i->value);
        json_close(&o, '}');
    }
    json_close(&o, ']');
    return buf_failed(out) ? fault_set(f, buf_error(out), "no room for what is sealed") : ERR_OK;
}

enum err seal_show(const struct seal_root *r, const char *dir, struct str entry, struct buf *out, struct fault *f)
{
    unsigned char *bytes;
    struct arena a;
    struct secret *keys CLEANUP(secret_freep) = secret_alloc(sizeof(struct seal_keys), &bytes);
    if (!keys)
        return fault_set(f, ERR_NOMEM, "no memory for a subject's key");
    arena_init(&a, SHOW_ARENA);
    struct show s = {.root = r, .a = &a, .keys = (struct seal_keys *)(void *)bytes};
    size_t from = out->n;
    enum err e = show_parse(&s, entry, f);
    if (!e)
        e = show_read(&s, dir, f);
    if (!e)
        e = show_write(&s, out, f);
    if (e && !buf_failed(out))
        out->n = from;
    arena_done(&a);
    return e;
}

/* ---- how many ---- */

enum { COUNT_MS = 2000, COUNT_LOOK = 1024 };

struct show_count {
    unsigned char id[SEAL_ID];
    uint64_t entries, frames;
    int64_t until_ns;
    bool late;
};

/* Frames of one entry stand together. */
static enum err count_file(void *ctx, struct seal_file *file, struct fault *f)
{
    struct show_count *c = ctx;
    struct seal_frame frame;
    uint64_t seq = 0;
    enum err e;
    while (!c->late && (e = seal_file_next(file, &frame, f)) == ERR_OK) {
        if (frame.seq != seq && memcmp(frame.id, c->id, SEAL_ID) == 0) {
            c->entries++;
            seq = frame.seq;
        }
        c->late = ++c->frames % COUNT_LOOK == 0 && clock_mono_ns() > c->until_ns;
    }
    return c->late || e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err seal_count(const struct seal_root *r, const char *dir, struct str subject, uint64_t *ret, bool *ret_all,
                    struct fault *f)
{
    unsigned char *bytes;
    struct show_count c = {.until_ns = clock_mono_ns() + COUNT_MS * INT64_C(1000000)};
    struct secret *keys CLEANUP(secret_freep) = secret_alloc(sizeof(struct seal_keys), &bytes);
    if (!keys)
        return fault_set(f, ERR_NOMEM, "no memory for a subject's key");
    unsigned char name[SHA256_BYTES];
    seal_subject_name(r, subject, name);
    TRY(seal_subject_read(r, name, c.id, (struct seal_keys *)(void *)bytes, f));
    TRY(seal_files(dir, count_file, &c, f));
    *ret = c.entries;
    *ret_all = !c.late;
    return ERR_OK;
}

enum err seals_count(struct seals *s, struct str subject, uint64_t *ret, bool *ret_all, struct fault *f)
{
    return seal_count(&s->root, s->box.dir, subject, ret, ret_all, f);
}

enum err seals_reveal(struct seals *s, struct str entry, struct buf *out, struct fault *f)
{
    return seal_show(&s->root, s->box.dir, entry, out, f);
}

enum err seal_reveal(const char *dir, const struct secret *key, struct str entry, struct buf *out, struct fault *f)
{
    struct seal_root r;
    TRY(seal_root_open(dir, key, false, &r, f));
    enum err e = seal_show(&r, dir, entry, out, f);
    seal_root_done(&r);
    return e;
}
