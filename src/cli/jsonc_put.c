/* Changing JSONC: a member or an element is put in, and whatever else stands in the file keeps its bytes. */
#include "cli/jsonc.h"

enum { PUT_MAX = 64 << 20 };

/* Where something is put in. */
struct place {
    struct str text;
    struct json j;
    const char *bare; /* the text without its comments */
    size_t open, close;
    size_t last; /* the end of its last element; 0: it is empty */
    bool comma;  /* a comma stands behind that element */
    struct str margin, inner;
    bool alone; /* the closing bracket stands alone on its line */
};

/* The white space that the line of `at` begins with. */
static struct str put_margin(struct str text, size_t at)
{
    size_t from = at, to;
    while (from && text.p[from - 1] != '\n')
        from--;
    for (to = from; to < at && (text.p[to] == ' ' || text.p[to] == '\t');)
        to++;
    return (struct str){text.p + from, to - from};
}

static enum err put_read(struct place *p, struct str text, struct arena *a, struct fault *f)
{
    char *bare = arena_raw(a, text.n + 1, 1);
    p->text = text;
    p->bare = bare;
    if (!bare)
        return fault_set(f, ERR_NOMEM, "no memory for JSON of %zu bytes", text.n);
    jsonc_blank(text, false, bare);
    TRY(jsonc_parse(&p->j, text, a, f));
    return json_type(&p->j, JSON_ROOT) == JSON_OBJECT
               ? ERR_OK
               : fault_set(f, ERR_CONFLICT, "the file holds %s: must hold an object",
                           json_type_name(json_type(&p->j, JSON_ROOT)));
}

static void put_at(struct place *p, uint32_t container, struct arena *a)
{
    const struct json_node *n = &p->j.node[container];
    uint32_t first = json_first(&p->j, container);
    p->open = n->off;
    p->close = n->off + n->len - 1;
    p->last = 0;
    for (uint32_t v = first; v; v = json_next(&p->j, container, v))
        p->last = p->j.node[v].off + p->j.node[v].len;
    p->comma = p->last && memchr(p->bare + p->last, ',', p->close - p->last);
    struct str before = put_margin(p->text, p->close);
    p->alone = before.p + before.n == p->text.p + p->close && p->close > p->open + 1;
    p->margin = put_margin(p->text, p->open);
    struct str child = first ? put_margin(p->text, p->j.node[first].off) : STR_NONE;
    bool own_line = first && child.p + child.n == p->text.p + p->j.node[first].off;
    p->inner = own_line ? child : arena_fmt(a, STR_FMT "  ", STR_ARG(p->margin));
}

/* "name": value, its lines moved to the right. */
static void put_entry(struct buf *b, struct str margin, const char *name, struct str value)
{
    if (name) {
        struct json_out o = json_out(b);
        json_put_str(&o, str_of(name));
        buf_z(b, ": ");
    }
    for (size_t i = 0; i < value.n; i++) {
        buf_char(b, value.p[i]);
        if (value.p[i] == '\n')
            buf_str(b, margin);
    }
}

static void put_in(const struct place *p, const char *name, struct str value, struct buf *b)
{
    size_t at = p->alone && p->last ? (size_t)(put_margin(p->text, p->close).p - p->text.p) : p->close;
    buf_put(b, p->text.p, p->last ? p->last : at);
    if (p->last) {
        buf_z(b, p->comma ? "" : ",");
        buf_put(b, p->text.p + p->last, at - p->last);
    }
    if (p->last && p->alone) {
        buf_str(b, p->inner);
        put_entry(b, p->inner, name, value);
        buf_char(b, '\n');
    } else if (p->last) {
        buf_char(b, ' ');
        put_entry(b, p->margin, name, value);
    } else {
        buf_z(b, p->alone ? "  " : "\n"); /* the bracket's own margin stands there already */
        buf_str(b, p->alone ? STR_NONE : p->inner);
        put_entry(b, p->inner, name, value);
        buf_char(b, '\n');
        buf_str(b, p->margin);
    }
    buf_put(b, p->text.p + at, p->text.n - at);
}

static void put_over(const struct place *p, uint32_t v, struct str value, struct buf *b)
{
    const struct json_node *n = &p->j.node[v];
    buf_put(b, p->text.p, n->off);
    put_entry(b, put_margin(p->text, n->off), NULL, value);
    buf_put(b, p->text.p + n->off + n->len, p->text.n - n->off - n->len);
}

static enum err put_done(struct buf *b, struct arena *a, struct str *ret, struct fault *f)
{
    struct str copy = buf_failed(b) ? STR_NONE : arena_str(a, buf_view(b));
    buf_done(b);
    if (!copy.p)
        return fault_set(f, ERR_NOMEM, "no memory for the changed file");
    *ret = copy;
    return ERR_OK;
}

enum err jsonc_put(struct str text, const char *member, const char *name, struct str value, struct arena *a,
                   struct str *ret, struct fault *f)
{
    struct place p;
    struct buf b, whole;
    TRY(put_read(&p, str_trim(text).n ? text : STR("{\n}\n"), a, f));
    uint32_t container = json_get(&p.j, JSON_ROOT, str_of(member));
    if (container && json_type(&p.j, container) != JSON_OBJECT)
        return fault_set(f, ERR_CONFLICT, "%s is %s: must be an object", member,
                         json_type_name(json_type(&p.j, container)));
    uint32_t old = container ? json_get(&p.j, container, str_of(name)) : 0;
    buf_init(&b, PUT_MAX);
    if (old) {
        put_over(&p, old, value, &b);
        return put_done(&b, a, ret, f);
    }
    put_at(&p, container ? container : JSON_ROOT, a);
    if (container) {
        put_in(&p, name, value, &b);
        return put_done(&b, a, ret, f);
    }
    buf_init(&whole, PUT_MAX);
    buf_z(&whole, "{\n  ");
    put_entry(&whole, STR("  "), name, value);
    buf_z(&whole, "\n}");
    put_in(&p, member, buf_view(&whole), &b);
    buf_done(&whole);
    return put_done(&b, a, ret, f);
}
