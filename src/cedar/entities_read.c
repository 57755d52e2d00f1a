/*
 * Entities from JSON (https://docs.cedarpolicy.com/auth/entities-syntax.html). The list is cut into its elements first,
 * and each is parsed on its own: a million entities need no tape of a hundred million nodes.
 */
#include "cedar/entities_inner.h"
#include "cedar/path.h"
#include "cedar/schema.h"
#include "cedar/typed.h"
#include "cedar/validate.h"

#define ENTITY_MEMORY (256u << 20) /* for one entity at a time */

struct entity_reader {
    struct cedar_entities_new *b;
    const struct cedar_schema *schema;
    const struct json *j;
    struct arena *arena;
    struct fault *f;
};

static enum err wanted(struct entity_reader *r, uint32_t at, const char *name, const char *what)
{
    return at ? fault_set(r->f, ERR_SYNTAX, "\"%s\" is %s, but %s is wanted", name, json_type_name(json_type(r->j, at)),
                          what)
              : fault_set(r->f, ERR_SYNTAX, "\"%s\" is missing", name);
}

/* {"type", "id"}, or that in {"__entity"}. */
static enum err read_uid(struct entity_reader *r, uint32_t at, const char *name, const struct cedar_path *path,
                         struct cedar_uid *ret)
{
    uint32_t inner = json_get(r->j, at, STR("__entity"));
    if (cedar_json_is_uid(r->j, inner))
        at = inner;
    if (!cedar_json_is_uid(r->j, at))
        return wanted(r, at, name, "{\"type\", \"id\"} with two strings");
    return cedar_uid_read(r->j, at, path, r->arena, ret, r->f);
}

static enum err read_parents(struct entity_reader *r, uint32_t at, struct cedar_uid **ret, uint32_t *ret_n)
{
    struct cedar_path list = {.key = STR("parents"), .keyed = true};
    uint32_t i = 0;
    if (json_type(r->j, at) != JSON_ARRAY)
        return wanted(r, at, "parents", "an array");
    struct cedar_uid *uid = arena_raw(r->arena, (r->j->node[at].size + 1) * sizeof(*uid), 16);
    if (!uid)
        return fault_set(r->f, ERR_NOMEM, "no memory for the parents of an entity");
    JSON_EACH(r->j, at, parent)
    {
        TRY(read_uid(r, parent, "parents", &(struct cedar_path){.up = &list, .index = i}, &uid[i]));
        i++;
    }
    *ret = uid;
    *ret_n = i;
    return ERR_OK;
}

/* Of the type that is declared, or as the text says it. */
static enum err read_member(struct entity_reader *r, uint32_t at, const struct cedar_type *t,
                            const struct cedar_path *path, struct cedar_value *ret)
{
    char room[CEDAR_PATH_TEXT];
    if (!t)
        return cedar_value_read_at(r->j, at, path, r->arena, ret, r->f);
    return cedar_typed_read(r->j, at, t, cedar_path_text(path, room), r->arena, ret, r->f);
}

/* The object `name` as a record, member by member: at this place no object is an escape. */
static enum err read_members(struct entity_reader *r, uint32_t at, const char *name, const struct cedar_type *of_all,
                             const struct cedar_type *record, const struct cedar_record **ret)
{
    struct cedar_path path = {.key = str_of(name), .keyed = true};
    struct cedar_value v;
    uint32_t i = 0;
    if (json_type(r->j, at) != JSON_OBJECT)
        return wanted(r, at, name, "an object");
    struct cedar_field *field = arena_raw(r->arena, (r->j->node[at].size + 1) * sizeof(*field), 16);
    if (!field)
        return fault_set(r->f, ERR_NOMEM, "no memory for an entity");
    JSON_PAIRS(r->j, at, k, value)
    {
        field[i].name = json_str(r->j, k, r->arena);
        if (arena_failed(r->arena))
            return fault_set(r->f, ERR_NOMEM, "no memory for an entity");
        const struct cedar_attr *attr = record ? cedar_type_attr(record, field[i].name) : NULL;
        TRY(read_member(r, value, attr ? attr->type : of_all,
                        &(struct cedar_path){.up = &path, .key = field[i].name, .keyed = true}, &field[i].v));
        i++;
    }
    enum err e = cedar_record_of(field, i, r->arena, &v);
    if (e)
        return e == ERR_NOMEM ? fault_set(r->f, e, "no memory for an entity")
                              : cedar_path_fault(r->f, &path, "a name stands here twice");
    *ret = v.record;
    return ERR_OK;
}

/* Everything behind the name. */
static enum err read_content(struct entity_reader *r, const struct cedar_uid *uid)
{
    const struct cedar_record *attrs = NULL, *tags = NULL;
    const struct cedar_entity_type *t = r->schema ? cedar_schema_entity(r->schema, uid->type) : NULL;
    struct cedar_uid *parent = NULL;
    uint32_t parents = 0, at_tags = json_get(r->j, JSON_ROOT, STR("tags"));
    TRY(read_members(r, json_get(r->j, JSON_ROOT, STR("attrs")), "attrs", NULL, t ? t->attrs : NULL, &attrs));
    if (at_tags)
        TRY(read_members(r, at_tags, "tags", t ? t->tags : NULL, NULL, &tags));
    TRY(read_parents(r, json_get(r->j, JSON_ROOT, STR("parents")), &parent, &parents));
    return cedar_entities_add(r->b, uid, attrs, tags, parent, parents, r->f);
}

/* The fault is told of the entity by its name, or of the i-th when it has none. */
static enum err read_entity(struct entity_reader *r, uint32_t i)
{
    struct cedar_uid uid = {0};
    enum err e = ERR_OK;
    if (json_type(r->j, JSON_ROOT) != JSON_OBJECT)
        e = fault_set(r->f, ERR_SYNTAX, "an entity is an object with \"uid\", \"attrs\" and \"parents\", not %s",
                      json_type_name(json_type(r->j, JSON_ROOT)));
    if (!e)
        e = read_uid(r, json_get(r->j, JSON_ROOT, STR("uid")), "uid",
                     &(struct cedar_path){.key = STR("uid"), .keyed = true}, &uid);
    if (e) {
        (void)fault_wrap(r->f, "entity %u of the list", (unsigned)i + 1);
        return e;
    }
    e = read_content(r, &uid);
    if (e == ERR_SYNTAX)
        (void)fault_wrap(r->f, "%s", CEDAR_UID_WORDS(&uid));
    return e;
}

/* The end of the value that begins at `at`, as far as brackets and quotes tell. */
static size_t element_end(struct str text, size_t at)
{
    size_t depth = 0;
    for (; at < text.n; at++) {
        char c = text.p[at];
        if (c == '"') {
            for (at++; at < text.n && text.p[at] != '"'; at++)
                at += text.p[at] == '\\';
        } else if (c == '{' || c == '[') {
            depth++;
        } else if (depth == 0 && (c == ',' || c == ']' || c == '}')) {
            return at;
        } else if (c == '}' || c == ']') {
            depth--;
        }
    }
    return text.n;
}

static size_t skip_space(struct str text, size_t at)
{
    while (at < text.n && (text.p[at] == ' ' || text.p[at] == '\n' || text.p[at] == '\r' || text.p[at] == '\t'))
        at++;
    return at;
}

/* Something is wrong with the JSON itself: the place is told by a parser that sees all of it. False: it has not the
 * memory for that. */
static bool malformed(struct str text, struct fault *f)
{
    static const struct json_limits large = {.nodes = ENTITY_MEMORY / sizeof(struct json_node)};
    struct json j;
    struct arena a;
    struct fault why = {0};
    arena_init(&a, ENTITY_MEMORY);
    enum err e = json_parse(&j, text, &a, &large, &why);
    arena_done(&a);
    if (e == ERR_SYNTAX && f)
        *f = why;
    return e == ERR_SYNTAX;
}

static enum err no_list(struct str text, struct fault *f)
{
    return malformed(text, f) ? ERR_SYNTAX
                              : fault_set(f, ERR_SYNTAX, "an array of entities is wanted, without anything behind it");
}

static enum err read_element(struct entity_reader *r, struct str all, struct str element, uint32_t i)
{
    struct json j;
    enum err e = json_parse(&j, element, r->arena, NULL, r->f);
    if (e && (e != ERR_SYNTAX || !malformed(all, r->f)))
        (void)fault_wrap(r->f, "entity %u of the list", (unsigned)i + 1);
    if (e)
        return e;
    r->j = &j;
    e = read_entity(r, i);
    r->j = NULL;
    return e;
}

static enum err read_list(struct entity_reader *r, struct str text)
{
    size_t at = skip_space(text, 0);
    if (at == text.n || text.p[at] != '[')
        return no_list(text, r->f);
    at = skip_space(text, at + 1);
    for (uint32_t i = 0; at < text.n && (i || text.p[at] != ']'); i++) {
        size_t end = element_end(text, at);
        TRY(read_element(r, text, (struct str){text.p + at, end - at}, i));
        arena_reset(r->arena);
        at = end;
        if (at < text.n && text.p[at] == ']')
            break;
        if (at == text.n || text.p[at] != ',')
            return no_list(text, r->f);
        at++;
    }
    return at < text.n && skip_space(text, at + 1) == text.n ? ERR_OK : no_list(text, r->f);
}

enum err cedar_entities_read(struct cedar_entities_new *b, struct str json, const struct cedar_schema *schema,
                             struct fault *f)
{
    struct arena scratch;
    arena_init(&scratch, ENTITY_MEMORY);
    struct entity_reader r = {.b = b, .schema = schema, .arena = &scratch, .f = f};
    if (schema)
        b->schema = schema;
    enum err e = read_list(&r, json);
    arena_done(&scratch);
    return e;
}
