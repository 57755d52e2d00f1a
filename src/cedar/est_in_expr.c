/* Expressions from JSON. */
#include "cedar/est_in.h"
#include "cedar/parse.h"

#define PATH(parent, name) (&(struct cedar_path){.up = (parent), .key = STR(name), .keyed = true})

enum err cedar_est_made(struct cedar_est *s, const struct cedar_path *path, bool good)
{
    if (good)
        return ERR_OK;
    if (s->tree.state == CEDAR_TREE_POOR)
        return fault_set(s->f, ERR_NOMEM, "%s", cedar_tree_words(&s->tree));
    return cedar_path_fault(s->f, path, "%s", cedar_tree_words(&s->tree));
}

enum err cedar_est_push(struct cedar_est *s, struct str key, struct cedar_piece piece)
{
    struct cedar_item item = {.key = key, .piece = piece};
    return cedar_items_push(&s->items, item) ? ERR_OK : fault_set(s->f, ERR_NOMEM, "no memory for the policies");
}

enum err cedar_est_list(struct cedar_est *s, const struct cedar_path *path, struct cedar_expr e, uint32_t base,
                        struct cedar_piece *ret)
{
    bool good = cedar_tree_list(&s->tree, e, cedar_items_from(&s->items, base), s->items.n - base, ret);
    s->items.n = base;
    return cedar_est_made(s, path, good);
}

/* ---- operators ---- */

static const struct {
    const char *name;
    uint8_t op, n;
} operators[] = {
#define ONE(op, name) {name, CEDAR_OP_##op, 1},
#define TWO(op, name) {name, CEDAR_OP_##op, 2},
    TWO(AND, "&&")
#include "cedar/est.def"
#undef ONE
#undef TWO
};

static const struct cedar_member two_table[] = {{"left"}, {"right"}, {NULL}};

static enum err read_one(struct cedar_est *s, uint32_t at, const struct cedar_path *path, enum cedar_op op,
                         struct cedar_piece *ret)
{
    static const struct cedar_member table[] = {{"arg"}, {NULL}};
    uint32_t m;
    struct cedar_piece a;
    TRY(cedar_est_members(s, at, path, table, &m));
    TRY(cedar_est_expr(s, m, PATH(path, "arg"), &a));
    return cedar_est_made(s, path, cedar_tree_one(&s->tree, (struct cedar_expr){.op = (uint8_t)op}, a, ret));
}

static enum err read_two(struct cedar_est *s, uint32_t at, const struct cedar_path *path, enum cedar_op op,
                         struct cedar_piece *ret)
{
    uint32_t m[2];
    struct cedar_piece a, b;
    TRY(cedar_est_members(s, at, path, two_table, m));
    TRY(cedar_est_expr(s, m[0], PATH(path, "left"), &a));
    TRY(cedar_est_expr(s, m[1], PATH(path, "right"), &b));
    return cedar_est_made(s, path, cedar_tree_two(&s->tree, (struct cedar_expr){.op = (uint8_t)op}, a, b, ret));
}

/* The node within {"&&": …}, 0 when it is no such. */
static uint32_t within(const struct json *j, uint32_t at, const char *name)
{
    uint32_t key = json_type(j, at) == JSON_OBJECT && j->node[at].size == 1 ? json_first(j, at) : 0;
    return key && json_str_is(j, key, str_of(name)) ? key + 1 : 0;
}

/* && and ||: what nests to the left is one chain, read from its innermost part on. */
static enum err read_chain(struct cedar_est *s, uint32_t at, const struct cedar_path *path, enum cedar_op op,
                           struct cedar_piece *ret)
{
    const char *name = op == CEDAR_OP_AND ? "&&" : "||";
    uint32_t base = s->items.n, m[2], level = at;
    struct cedar_piece piece;
    struct cedar_path left = {.up = path, .key = STR("left"), .keyed = true};
    for (;;) { /* the parts on the right, from the last one on */
        TRY(cedar_est_members(s, level, level == at ? path : &left, two_table, m));
        TRY(cedar_est_expr(s, m[1], PATH(level == at ? path : &left, "right"), &piece));
        TRY(cedar_est_push(s, STR_NONE, piece));
        uint32_t next = within(s->j, m[0], name);
        if (!next)
            break;
        level = next;
    }
    TRY(cedar_est_expr(s, m[0], &left, &piece));
    TRY(cedar_est_push(s, STR_NONE, piece));
    uint32_t n = s->items.n - base;
    struct cedar_item *item = cedar_items_from(&s->items, base);
    for (uint32_t i = 0; i < n / 2; i++) {
        struct cedar_item swap = item[i];
        item[i] = item[n - 1 - i];
        item[n - 1 - i] = swap;
    }
    bool good = cedar_tree_chain(&s->tree, op, item, n, ret);
    s->items.n = base;
    return cedar_est_made(s, path, good);
}

static enum err read_if(struct cedar_est *s, uint32_t at, const struct cedar_path *path, struct cedar_piece *ret)
{
    static const struct cedar_member table[] = {{"if"}, {"then"}, {"else"}, {NULL}};
    uint32_t m[3];
    struct cedar_piece abc[3];
    TRY(cedar_est_members(s, at, path, table, m));
    for (unsigned i = 0; i < 3; i++)
        TRY(cedar_est_expr(s, m[i], &(struct cedar_path){.up = path, .key = str_of(table[i].key), .keyed = true},
                           &abc[i]));
    return cedar_est_made(s, path, cedar_tree_if(&s->tree, 0, abc, ret));
}

/* ---- attributes, types, patterns ---- */

static enum err read_get(struct cedar_est *s, uint32_t at, const struct cedar_path *path, struct cedar_piece *ret)
{
    static const struct cedar_member table[] = {{"left"}, {"attr"}, {NULL}};
    uint32_t m[2];
    struct cedar_piece of;
    struct cedar_expr e = {.op = CEDAR_OP_GET};
    TRY(cedar_est_members(s, at, path, table, m));
    TRY(cedar_est_expr(s, m[0], PATH(path, "left"), &of));
    TRY(cedar_est_str(s, m[1], PATH(path, "attr"), &e.name));
    return cedar_est_made(s, path, cedar_tree_one(&s->tree, e, of, ret));
}

/* The names of "attr", one or several, as items. */
static enum err push_names(struct cedar_est *s, uint32_t at, const struct cedar_path *path)
{
    struct str name;
    if (json_type(s->j, at) == JSON_STRING) {
        TRY(cedar_est_str(s, at, path, &name));
        return cedar_est_push(s, name, (struct cedar_piece){0});
    }
    if (json_type(s->j, at) != JSON_ARRAY || !s->j->node[at].size)
        return cedar_path_fault(s->f, path, "must be an attribute's name, or an array of some");
    JSON_EACH(s->j, at, item)
    {
        TRY(cedar_est_str(s, item, path, &name));
        TRY(cedar_est_push(s, name, (struct cedar_piece){0}));
    }
    return ERR_OK;
}

static enum err read_has(struct cedar_est *s, uint32_t at, const struct cedar_path *path, struct cedar_piece *ret)
{
    static const struct cedar_member table[] = {{"left"}, {"attr"}, {NULL}};
    uint32_t m[2];
    struct cedar_piece of;
    TRY(cedar_est_members(s, at, path, table, m));
    TRY(cedar_est_expr(s, m[0], PATH(path, "left"), &of));
    uint32_t base = s->items.n;
    TRY(push_names(s, m[1], PATH(path, "attr")));
    bool good = cedar_tree_has(&s->tree, 0, of, cedar_items_from(&s->items, base), s->items.n - base, ret);
    s->items.n = base;
    return cedar_est_made(s, path, good);
}

static enum err read_is(struct cedar_est *s, uint32_t at, const struct cedar_path *path, struct cedar_piece *ret)
{
    static const struct cedar_member table[] = {{"left"}, {"entity_type"}, {"in", true}, {NULL}};
    uint32_t m[3];
    struct cedar_piece of, in;
    struct cedar_expr e = {.op = CEDAR_OP_IS};
    TRY(cedar_est_members(s, at, path, table, m));
    TRY(cedar_est_expr(s, m[0], PATH(path, "left"), &of));
    TRY(cedar_est_type(s, m[1], PATH(path, "entity_type"), &e.name));
    if (!m[2] || json_type(s->j, m[2]) == JSON_NULL)
        return cedar_est_made(s, path, cedar_tree_one(&s->tree, e, of, ret));
    TRY(cedar_est_expr(s, m[2], PATH(path, "in"), &in));
    return cedar_est_made(s, path, cedar_tree_two(&s->tree, e, of, in, ret));
}

/* Room for the pieces of a pattern and for their bytes: as many as there are elements, and as their text is long. */
static enum err pattern_room(struct cedar_est *s, uint32_t at, struct cedar_pattern **ret, char **ret_bytes)
{
    *ret = arena_alloc(s->tree.arena, sizeof(**ret) + sizeof(struct str) * (s->j->node[at].size + 1));
    *ret_bytes = arena_raw(s->tree.arena, s->j->node[at].len + 1, 1);
    return *ret && *ret_bytes ? ERR_OK : fault_set(s->f, ERR_NOMEM, "no memory for the policies");
}

static enum err read_pattern(struct cedar_est *s, uint32_t at, const struct cedar_path *path,
                             const struct cedar_pattern **ret)
{
    struct cedar_pattern *p;
    char *to;
    if (json_type(s->j, at) != JSON_ARRAY)
        return cedar_path_fault(s->f, path, "must be an array of \"Wildcard\" and {\"Literal\": \"text\"}");
    TRY(pattern_room(s, at, &p, &to));
    struct str *piece = &p->piece[0];
    *piece = (struct str){to, 0};
    p->n = 1;
    JSON_EACH(s->j, at, item)
    {
        struct str text;
        uint32_t literal = within(s->j, item, "Literal");
        uint32_t wildcard = within(s->j, item, "Wildcard");
        if (json_str_is(s->j, item, STR("Wildcard")) || (wildcard && json_type(s->j, wildcard) == JSON_NULL)) {
            piece = &p->piece[p->n++];
            *piece = (struct str){to, 0};
            continue;
        }
        if (!literal)
            return cedar_path_fault(s->f, path, "consists of \"Wildcard\" and {\"Literal\": \"text\"}");
        TRY(cedar_est_str(s, literal, path, &text));
        memcpy(to, text.p, text.n);
        to += text.n;
        piece->n += text.n;
    }
    *ret = p;
    return ERR_OK;
}

static enum err read_like(struct cedar_est *s, uint32_t at, const struct cedar_path *path, struct cedar_piece *ret)
{
    static const struct cedar_member table[] = {{"left"}, {"pattern"}, {NULL}};
    uint32_t m[2];
    struct cedar_piece of;
    struct cedar_expr e = {.op = CEDAR_OP_LIKE};
    TRY(cedar_est_members(s, at, path, table, m));
    TRY(cedar_est_expr(s, m[0], PATH(path, "left"), &of));
    TRY(read_pattern(s, m[1], PATH(path, "pattern"), &e.pattern));
    return cedar_est_made(s, path, cedar_tree_one(&s->tree, e, of, ret));
}

/* ---- lists ---- */

static enum err read_items(struct cedar_est *s, uint32_t at, const struct cedar_path *path, struct cedar_expr e,
                           struct cedar_piece *ret)
{
    uint32_t base = s->items.n, i = 0;
    struct cedar_piece piece;
    if (json_type(s->j, at) != JSON_ARRAY)
        return cedar_path_fault(s->f, path, "must be an array of expressions");
    JSON_EACH(s->j, at, item)
    {
        TRY(cedar_est_expr(s, item, &(struct cedar_path){.up = path, .index = i++}, &piece));
        TRY(cedar_est_push(s, STR_NONE, piece));
    }
    if (e.op == CEDAR_OP_CALL && !i && cedar_ext_info((enum cedar_ext)e.sub)->style == CEDAR_METHOD)
        return cedar_path_fault(s->f, path, "must have at least the value whose method it is");
    return cedar_est_list(s, path, e, base, ret);
}

static enum err read_record(struct cedar_est *s, uint32_t at, const struct cedar_path *path, struct cedar_piece *ret)
{
    uint32_t base = s->items.n;
    struct cedar_piece piece;
    struct str key;
    if (json_type(s->j, at) != JSON_OBJECT)
        return cedar_path_fault(s->f, path, "must be an object of expressions");
    JSON_PAIRS(s->j, at, k, v)
    {
        TRY(cedar_est_str(s, k, path, &key));
        TRY(cedar_est_expr(s, v, &(struct cedar_path){.up = path, .key = key, .keyed = true}, &piece));
        TRY(cedar_est_push(s, key, piece));
    }
    return cedar_est_list(s, path, (struct cedar_expr){.op = CEDAR_OP_RECORD}, base, ret);
}

static enum err read_var(struct cedar_est *s, uint32_t at, const struct cedar_path *path, struct cedar_piece *ret)
{
    static const char *const vars[] = {"principal", "action", "resource", "context"};
    struct str name;
    TRY(cedar_est_str(s, at, path, &name));
    for (unsigned i = 0; i < 4; i++)
        if (str_is(name, vars[i]))
            return cedar_est_made(
                s, path, cedar_tree_leaf(&s->tree, (struct cedar_expr){.op = CEDAR_OP_VAR, .sub = (uint8_t)i}, ret));
    return cedar_path_fault(s->f, path,
                            "there are the variables principal, action, resource and context, not \"" STR_FMT "\"",
                            STR_ARG(cedar_cut(name)));
}

/* ---- any ---- */

static const struct {
    const char *name;
    enum err (*read)(struct cedar_est *s, uint32_t at, const struct cedar_path *path, struct cedar_piece *ret);
} forms[] = {
    {"Value", cedar_est_value}, {"Var", read_var}, {"has", read_has},         {".", read_get},
    {"like", read_like},        {"is", read_is},   {"if-then-else", read_if}, {"Record", read_record},
};

static enum err read_named(struct cedar_est *s, struct str name, uint32_t at, const struct cedar_path *path,
                           struct cedar_piece *ret)
{
    struct cedar_expr e = {.op = CEDAR_OP_CALL};
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        if (str_is(name, forms[i].name))
            return forms[i].read(s, at, path, ret);
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
        if (!str_is(name, operators[i].name))
            continue;
        enum cedar_op op = (enum cedar_op)operators[i].op;
        return op == CEDAR_OP_AND || op == CEDAR_OP_OR ? read_chain(s, at, path, op, ret)
               : operators[i].n == 1                   ? read_one(s, at, path, op, ret)
                                                       : read_two(s, at, path, op, ret);
    }
    e.sub = (uint8_t)cedar_ext_find(name, CEDAR_FUNCTION);
    if (!e.sub)
        e.sub = (uint8_t)cedar_ext_find(name, CEDAR_METHOD);
    if (str_is(name, "Set"))
        e.op = CEDAR_OP_SET;
    else if (str_is(name, "Slot"))
        return cedar_path_fault(s->f, path, "a template's slot stands only in the scope: principal or resource");
    else if (!e.sub)
        return cedar_path_fault(s->f, path, "there is no such operator or function; a constant is {\"Value\": ...}");
    return read_items(s, at, path, e, ret);
}

enum err cedar_est_expr(struct cedar_est *s, uint32_t at, const struct cedar_path *path, struct cedar_piece *ret)
{
    struct str name;
    if (json_type(s->j, at) != JSON_OBJECT || s->j->node[at].size != 1)
        return cedar_path_fault(s->f, path,
                                "must be an expression: an object with one member, such as {\"Var\": \"principal\"}");
    uint32_t key = json_first(s->j, at);
    TRY(cedar_est_str(s, key, path, &name));
    return read_named(s, name, key + 1, &(struct cedar_path){.up = path, .key = name, .keyed = true}, ret);
}
