/* Types of the JSON form. */
#include "cedar/schema_reader.h"

static const struct cedar_form type_form = {"a type",
                                            {"type", "element", "attributes", "additionalAttributes", "name"}};
const struct cedar_form cedar_sj_common_form = {
    "a common type", {"type", "element", "attributes", "additionalAttributes", "name", "annotations"}};
static const struct cedar_form attr_form = {
    "an attribute", {"type", "element", "attributes", "additionalAttributes", "name", "annotations", "required"}};

static enum err read_attr(struct cedar_schema_reader *r, uint32_t k, uint32_t v, unsigned depth,
                          struct cedar_decl_attr *ret)
{
    uint32_t m[CEDAR_MEMBERS];
    ret->name = cedar_sj_str(r, k);
    TRY(cedar_sj_read_type(r, v, &attr_form, depth + 1, m, &ret->type));
    TRY(cedar_sj_notes(r, m[CEDAR_SJ_T_NOTES], &ret->notes));
    if (m[CEDAR_SJ_T_REQUIRED] && cedar_sj_type(r, m[CEDAR_SJ_T_REQUIRED]) != JSON_TRUE &&
        cedar_sj_type(r, m[CEDAR_SJ_T_REQUIRED]) != JSON_FALSE)
        cedar_sj_wanted(r, m[CEDAR_SJ_T_REQUIRED], "`required`", "true or false");
    ret->optional = m[CEDAR_SJ_T_REQUIRED] && !json_bool(&r->j, m[CEDAR_SJ_T_REQUIRED], true);
    return ERR_OK;
}

static enum err read_record(struct cedar_schema_reader *r, const uint32_t m[CEDAR_MEMBERS], unsigned depth,
                            struct cedar_decl_type *t)
{
    uint32_t at = m[CEDAR_SJ_T_ATTRIBUTES];
    t->kind = CEDAR_D_RECORD;
    if (m[CEDAR_SJ_T_OPEN] && cedar_sj_type(r, m[CEDAR_SJ_T_OPEN]) != JSON_FALSE)
        cedar_schema_fault(r->b, cedar_sj_offset(r, m[CEDAR_SJ_T_OPEN]),
                           "`additionalAttributes` is not supported: expected false, or no such member");
    if (cedar_sj_type(r, at) != JSON_OBJECT) {
        cedar_sj_wanted(r, at, "`attributes`", "an object");
        return ERR_OK;
    }
    t->attr = arena_alloc(r->b->a, (r->j.node[at].size + 1) * sizeof(*t->attr));
    if (!t->attr)
        return ERR_NOMEM;
    JSON_PAIRS(&r->j, at, k, v)
    {
        t->attr[t->attrs].order = t->attrs;
        TRY(read_attr(r, k, v, depth, &t->attr[t->attrs]));
        t->attrs++;
    }
    if (arena_failed(r->b->a))
        return ERR_NOMEM;
    cedar_decl_attrs_sort(t);
    return ERR_OK;
}

static enum err read_set(struct cedar_schema_reader *r, const uint32_t m[CEDAR_MEMBERS], unsigned depth,
                         struct cedar_decl_type *t)
{
    uint32_t inner[CEDAR_MEMBERS];
    t->kind = CEDAR_D_SET;
    return cedar_sj_read_type(r, m[CEDAR_SJ_T_ELEMENT], &type_form, depth + 1, inner, &t->element);
}

/* The words of the form, with the one member that each of them needs; every other word is a common type's name. */
static const struct {
    const char *word;
    enum cedar_decl_kind kind;
    int needs; /* member, 0: none */
} kinds[] = {
    {"String", CEDAR_D_STRING, 0},
    {"Long", CEDAR_D_LONG, 0},
    {"Boolean", CEDAR_D_BOOL, 0},
    {"Set", CEDAR_D_SET, CEDAR_SJ_T_ELEMENT},
    {"Record", CEDAR_D_RECORD, CEDAR_SJ_T_ATTRIBUTES},
    {"Entity", CEDAR_D_ENTITY, CEDAR_SJ_T_NAME},
    {"EntityOrCommon", CEDAR_D_NAME, CEDAR_SJ_T_NAME},
    {"Extension", CEDAR_D_EXT, CEDAR_SJ_T_NAME},
};

/* Members that the word does not have. */
static void check_members(struct cedar_schema_reader *r, const uint32_t m[CEDAR_MEMBERS], struct str word, int needs)
{
    for (int i = CEDAR_SJ_T_ELEMENT; i <= CEDAR_SJ_T_NAME; i++)
        if (m[i] && i != needs && !(i == CEDAR_SJ_T_OPEN && needs == CEDAR_SJ_T_ATTRIBUTES))
            cedar_schema_fault(r->b, cedar_sj_offset(r, m[i]), "the type %s has no member `%s`: expected none",
                               cedar_schema_quote(r->b, word), type_form.member[i]);
}

static enum err read_word(struct cedar_schema_reader *r, uint32_t at, const uint32_t m[CEDAR_MEMBERS], unsigned depth,
                          struct cedar_decl_type *t)
{
    struct str word;
    size_t i = 0;
    if (!cedar_sj_string(r, m[CEDAR_SJ_T_TYPE], "`type`", &word))
        return arena_failed(r->b->a) ? ERR_NOMEM : ERR_OK;
    while (i < sizeof(kinds) / sizeof(*kinds) && !str_is(word, kinds[i].word))
        i++;
    bool common = i == sizeof(kinds) / sizeof(*kinds);
    int needs = common ? 0 : kinds[i].needs;
    check_members(r, m, word, needs);
    t->kind = common ? CEDAR_D_COMMON : kinds[i].kind;
    if (needs && !m[needs])
        cedar_sj_missing(r, at, &(struct cedar_form){.what = kinds[i].word}, type_form.member[needs]);
    else if (t->kind == CEDAR_D_SET)
        return read_set(r, m, depth, t);
    else if (t->kind == CEDAR_D_RECORD)
        return read_record(r, m, depth, t);
    else if (t->kind == CEDAR_D_EXT)
        cedar_sj_id(r, m[CEDAR_SJ_T_NAME], "an extension type", &t->name.id);
    else if (common || t->kind == CEDAR_D_ENTITY || t->kind == CEDAR_D_NAME)
        cedar_sj_name(r, common ? m[CEDAR_SJ_T_TYPE] : m[CEDAR_SJ_T_NAME], common ? "a common type" : "a type",
                      &t->name);
    return arena_failed(r->b->a) ? ERR_NOMEM : ERR_OK;
}

enum err cedar_sj_read_type(struct cedar_schema_reader *r, uint32_t at, const struct cedar_form *f, unsigned depth,
                            uint32_t m[CEDAR_MEMBERS], struct cedar_decl_type **ret)
{
    struct cedar_decl_type *t = arena_alloc(r->b->a, sizeof(*t));
    if (!t)
        return ERR_NOMEM;
    *ret = t;
    t->at = cedar_sj_offset(r, at);
    if (!cedar_sj_members(r, at, f, m))
        return ERR_OK;
    if (depth > CEDAR_DEPTH)
        cedar_schema_limit(r->b, t->at, "types are nested too deeply: at most %d levels are understood", CEDAR_DEPTH);
    else if (m[CEDAR_SJ_T_TYPE])
        return read_word(r, at, m, depth, t);
    else
        cedar_sj_missing(r, at, f, "type");
    return ERR_OK;
}

enum err cedar_sj_plain_type(struct cedar_schema_reader *r, uint32_t at, struct cedar_decl_type **ret)
{
    uint32_t m[CEDAR_MEMBERS];
    return at ? cedar_sj_read_type(r, at, &type_form, 0, m, ret) : ERR_OK;
}
