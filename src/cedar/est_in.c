/* Policies as JSON: reading. What is not known is refused: a policy must not say more than is done. */
#include "cedar/est_in.h"
#include "cedar/lex.h"
#include "cedar/parse.h"

#include <stdlib.h>

#define PATH(parent, name) (&(struct cedar_path){.up = (parent), .key = STR(name), .keyed = true})

enum err cedar_est_members(struct cedar_est *s, uint32_t at, const struct cedar_path *path,
                           const struct cedar_member *table, uint32_t *ret)
{
    uint32_t n = 0;
    if (json_type(s->j, at) != JSON_OBJECT)
        return cedar_path_fault(s->f, path, "must be an object, but is %s", json_type_name(json_type(s->j, at)));
    for (; table[n].key; n++) {
        ret[n] = json_get(s->j, at, str_of(table[n].key));
        if (!ret[n] && !table[n].optional)
            return cedar_path_fault(s->f, path, "\"%s\" is missing", table[n].key);
    }
    JSON_PAIRS(s->j, at, k, v)
    {
        uint32_t i = 0;
        while (i < n && ret[i] != v)
            i++;
        if (i == n)
            return cedar_path_fault(s->f, path, "there is no member " STR_FMT " here",
                                    STR_ARG(cedar_cut(json_raw(s->j, k))));
    }
    return ERR_OK;
}

enum err cedar_est_str(struct cedar_est *s, uint32_t at, const struct cedar_path *path, struct str *ret)
{
    if (json_type(s->j, at) != JSON_STRING)
        return cedar_path_fault(s->f, path, "must be a string, but is %s", json_type_name(json_type(s->j, at)));
    *ret = json_str(s->j, at, s->tree.arena);
    return arena_failed(s->tree.arena) ? fault_set(s->f, ERR_NOMEM, "no memory for the policies") : ERR_OK;
}

enum err cedar_est_type(struct cedar_est *s, uint32_t at, const struct cedar_path *path, struct str *ret)
{
    TRY(cedar_est_str(s, at, path, ret));
    if (!cedar_name_valid(*ret))
        return cedar_path_fault(s->f, path, "`" STR_FMT "` is no type: a name, perhaps with namespaces (Shop::User)",
                                STR_ARG(cedar_cut(*ret)));
    return ERR_OK;
}

/* One of several words. */
static enum err read_word(struct cedar_est *s, uint32_t at, const struct cedar_path *path, const char *const *words,
                          const char *wanted, unsigned *ret)
{
    struct str word;
    TRY(cedar_est_str(s, at, path, &word));
    for (unsigned i = 0; words[i]; i++) {
        if (str_is(word, words[i])) {
            *ret = i;
            return ERR_OK;
        }
    }
    return cedar_path_fault(s->f, path, "must be %s, but is \"" STR_FMT "\"", wanted, STR_ARG(cedar_cut(word)));
}

/* ---- scopes ---- */

static enum err read_uid(struct cedar_est *s, uint32_t at, const struct cedar_path *path, bool action,
                         struct cedar_uid *ret)
{
    uint32_t inner = json_get(s->j, at, STR("__entity"));
    at = inner ? inner : at;
    if (!cedar_json_is_uid(s->j, at))
        return cedar_path_fault(s->f, path, "must be an entity: {\"type\": \"User\", \"id\": \"alice\"}");
    TRY(cedar_uid_read(s->j, at, path, s->tree.arena, ret, s->f));
    if (action && !str_is(ret->type, "Action") && !str_ends(ret->type, STR("::Action")))
        return cedar_path_fault(s->f, path,
                                "actions are of the type `Action`, perhaps in a namespace, not `" STR_FMT "`",
                                STR_ARG(cedar_cut(ret->type)));
    return ERR_OK;
}

static enum err read_uids(struct cedar_est *s, uint32_t at, uint32_t n, const struct cedar_path *path,
                          struct cedar_scope *ret)
{
    struct cedar_uid *list = arena_alloc(s->tree.arena, sizeof(*list) * (n ? n : 1));
    uint32_t i = 0;
    if (!list)
        return fault_set(s->f, ERR_NOMEM, "no memory for the policies");
    JSON_EACH(s->j, at, item)
    {
        TRY(read_uid(s, item, &(struct cedar_path){.up = path, .index = i}, true, &list[i]));
        i++;
    }
    ret->uid = list;
    ret->n = n;
    return ERR_OK;
}

/* {"entity"} or {"slot"}: what == and in name. */
static enum err read_target(struct cedar_est *s, uint32_t entity, uint32_t slot, const struct cedar_path *path,
                            enum cedar_var var, struct cedar_scope *ret)
{
    static const char *const slots[] = {[CEDAR_PRINCIPAL] = "?principal", [CEDAR_RESOURCE] = "?resource"};
    if (!entity == !slot)
        return cedar_path_fault(s->f, path, "must have \"entity\" or \"slot\", and one of them only");
    if (slot && var == CEDAR_ACTION)
        return cedar_path_fault(s->f, path, "an action has no slot: name an entity");
    if (slot) {
        if (!json_str_is(s->j, slot, str_of(slots[var])))
            return cedar_path_fault(s->f, path, "the slot here is \"%s\"", slots[var]);
        ret->slot = true;
        return ERR_OK;
    }
    struct cedar_uid *uid = arena_alloc(s->tree.arena, sizeof(*uid));
    if (!uid)
        return fault_set(s->f, ERR_NOMEM, "no memory for the policies");
    ret->uid = uid;
    ret->n = 1;
    return read_uid(s, entity, PATH(path, "entity"), var == CEDAR_ACTION, uid);
}

static enum err read_is(struct cedar_est *s, uint32_t at, const struct cedar_path *path, enum cedar_var var,
                        struct cedar_scope *ret)
{
    static const struct cedar_member table[] = {{"op"}, {"entity_type"}, {"in", true}, {NULL}};
    static const struct cedar_member in_table[] = {{"entity", true}, {"slot", true}, {NULL}};
    uint32_t m[3], in[2];
    TRY(cedar_est_members(s, at, path, table, m));
    TRY(cedar_est_type(s, m[1], PATH(path, "entity_type"), &ret->type));
    ret->kind = CEDAR_IS;
    if (!m[2] || json_type(s->j, m[2]) == JSON_NULL)
        return ERR_OK;
    ret->kind = CEDAR_IS_IN;
    TRY(cedar_est_members(s, m[2], PATH(path, "in"), in_table, in));
    return read_target(s, in[0], in[1], PATH(path, "in"), var, ret);
}

static enum err read_in_list(struct cedar_est *s, uint32_t at, const struct cedar_path *path, struct cedar_scope *ret)
{
    static const struct cedar_member table[] = {{"op"}, {"entities"}, {NULL}};
    uint32_t m[2];
    TRY(cedar_est_members(s, at, path, table, m));
    if (json_type(s->j, m[1]) != JSON_ARRAY)
        return cedar_path_fault(s->f, PATH(path, "entities"), "must be an array of entities");
    TRY(read_uids(s, m[1], s->j->node[m[1]].size, PATH(path, "entities"), ret));
    ret->kind = ret->n == 1 ? CEDAR_IN : CEDAR_IN_ANY; /* as the parser has it */
    return ERR_OK;
}

static enum err read_scope(struct cedar_est *s, uint32_t at, const struct cedar_path *path, enum cedar_var var,
                           struct cedar_scope *ret)
{
    static const char *const ops[] = {"All", "all", "==", "in", "is", NULL};
    static const struct cedar_member any_table[] = {{"op"}, {NULL}};
    static const struct cedar_member table[] = {{"op"}, {"entity", true}, {"slot", true}, {NULL}};
    unsigned op;
    uint32_t m[3];
    if (json_type(s->j, at) != JSON_OBJECT)
        return cedar_path_fault(s->f, path, "must be an object like {\"op\": \"All\"}");
    TRY(read_word(s, json_get(s->j, at, STR("op")), PATH(path, "op"), ops,
                  "one of \"All\", \"==\", \"in\" and \"is\" (not of an action)", &op));
    if (op < 2)
        return cedar_est_members(s, at, path, any_table, m);
    if (op == 4 && var == CEDAR_ACTION)
        return cedar_path_fault(s->f, path, "\"is\" cannot be asked of an action here: ask it in a condition");
    if (op == 4)
        return read_is(s, at, path, var, ret);
    if (op == 3 && var == CEDAR_ACTION && json_get(s->j, at, STR("entities")))
        return read_in_list(s, at, path, ret);
    TRY(cedar_est_members(s, at, path, table, m));
    ret->kind = op == 2 ? CEDAR_EQ : CEDAR_IN;
    return read_target(s, m[1], m[2], path, var, ret);
}

/* ---- policies ---- */

static enum err read_conditions(struct cedar_est *s, uint32_t at, const struct cedar_path *path, struct cedar_policy *p)
{
    static const struct cedar_member table[] = {{"kind"}, {"body"}, {NULL}};
    static const char *const kinds[] = {"when", "unless", NULL};
    if (json_type(s->j, at) != JSON_ARRAY)
        return cedar_path_fault(s->f, path, "must be an array of conditions, perhaps empty");
    struct cedar_condition *list = arena_alloc(s->tree.arena, sizeof(*list) * (s->j->node[at].size + 1));
    if (!list)
        return fault_set(s->f, ERR_NOMEM, "no memory for the policies");
    JSON_EACH(s->j, at, item)
    {
        struct cedar_path here = {.up = path, .index = p->conditions};
        struct cedar_piece body;
        uint32_t m[2];
        unsigned kind;
        TRY(cedar_est_members(s, item, &here, table, m));
        TRY(read_word(s, m[0], PATH(&here, "kind"), kinds, "\"when\" or \"unless\"", &kind));
        TRY(cedar_est_expr(s, m[1], PATH(&here, "body"), &body));
        list[p->conditions++] = (struct cedar_condition){.unless = kind == 1, .expr = body.e};
    }
    p->condition = list;
    return ERR_OK;
}

static enum err read_annotations(struct cedar_est *s, uint32_t at, const struct cedar_path *path,
                                 struct cedar_policy *p)
{
    if (!at)
        return ERR_OK;
    if (json_type(s->j, at) != JSON_OBJECT)
        return cedar_path_fault(s->f, path, "must be an object of strings");
    struct cedar_annotation *list = arena_alloc(s->tree.arena, sizeof(*list) * (s->j->node[at].size + 1));
    if (!list)
        return fault_set(s->f, ERR_NOMEM, "no memory for the policies");
    JSON_PAIRS(s->j, at, k, v)
    {
        struct cedar_annotation *a = &list[p->annotations++];
        TRY(cedar_est_str(s, k, path, &a->name));
        struct cedar_token word = cedar_lex(a->name, 0); /* any word, reserved ones too */
        if (word.kind != CEDAR_TOK_IDENT || word.at || word.end != a->name.n)
            return cedar_path_fault(s->f, path,
                                    "\"" STR_FMT "\" is no name of an annotation: letters, digits and _ are",
                                    STR_ARG(cedar_cut(a->name)));
        a->value = STR("");
        a->bare = json_type(s->j, v) == JSON_NULL;
        if (!a->bare)
            TRY(cedar_est_str(s, v, &(struct cedar_path){.up = path, .key = a->name, .keyed = true}, &a->value));
    }
    p->annotation = list;
    return ERR_OK;
}

static enum err read_policy(struct cedar_est *s, uint32_t at, const struct cedar_path *path, struct cedar_policy *p)
{
    enum { EFFECT, PRINCIPAL, ACTION, RESOURCE, CONDITIONS, ANNOTATIONS, MEMBERS };
    static const struct cedar_member table[] = {{"effect"},     {"principal"},         {"action"}, {"resource"},
                                                {"conditions"}, {"annotations", true}, {NULL}};
    static const char *const effects[] = {[CEDAR_FORBID] = "forbid", [CEDAR_PERMIT] = "permit", NULL};
    uint32_t m[MEMBERS];
    unsigned effect;
    TRY(cedar_est_members(s, at, path, table, m));
    TRY(read_word(s, m[EFFECT], PATH(path, "effect"), effects, "\"permit\" or \"forbid\"", &effect));
    p->effect = (enum cedar_effect)effect;
    TRY(read_scope(s, m[PRINCIPAL], PATH(path, "principal"), CEDAR_PRINCIPAL, &p->principal));
    TRY(read_scope(s, m[ACTION], PATH(path, "action"), CEDAR_ACTION, &p->action));
    TRY(read_scope(s, m[RESOURCE], PATH(path, "resource"), CEDAR_RESOURCE, &p->resource));
    TRY(read_conditions(s, m[CONDITIONS], PATH(path, "conditions"), p));
    TRY(read_annotations(s, m[ANNOTATIONS], PATH(path, "annotations"), p));
    p->is_template = p->principal.slot || p->resource.slot;
    return ERR_OK;
}

static enum err add_policy(struct cedar_policies *ps, struct cedar_est *s, uint32_t at, struct str id,
                           const struct cedar_path *path, struct cedar_policy **ret)
{
    struct cedar_policy *p = arena_alloc(&ps->arena, sizeof(*p));
    id = arena_str(&ps->arena, id);
    if (!p || !id.p)
        return fault_set(s->f, ERR_NOMEM, "no memory for the policies");
    p->id = id;
    p->source = UINT32_MAX; /* it has no text */
    TRY(read_policy(s, at, path, p));
    *ret = p;
    return cedar_policies_add(ps, p, s->f);
}

/* ---- sets ---- */

static enum err read_policies(struct cedar_policies *ps, struct cedar_est *s, uint32_t at,
                              const struct cedar_path *path, bool templates)
{
    if (at && json_type(s->j, at) != JSON_OBJECT)
        return cedar_path_fault(s->f, path, "must be an object: {\"id\": policy ...}");
    JSON_PAIRS(s->j, at, k, v)
    {
        struct cedar_policy *p;
        struct str id;
        TRY(cedar_est_str(s, k, path, &id));
        struct cedar_path here = {.up = path, .key = id, .keyed = true};
        TRY(add_policy(ps, s, v, id, &here, &p));
        if (p->is_template != templates)
            return cedar_path_fault(s->f, &here, "%s",
                                    templates ? "has no slot: it belongs to \"staticPolicies\""
                                              : "has a slot: it belongs to \"templates\"");
    }
    return ERR_OK;
}

static enum err read_link(struct cedar_policies *ps, struct cedar_est *s, uint32_t at, const struct cedar_path *path)
{
    static const struct cedar_member table[] = {{"templateId"}, {"newId"}, {"values"}, {NULL}};
    static const struct cedar_member slots[] = {{"?principal", true}, {"?resource", true}, {NULL}};
    uint32_t m[3], slot[2];
    struct str template_id, id;
    struct cedar_uid principal, resource;
    TRY(cedar_est_members(s, at, path, table, m));
    TRY(cedar_est_str(s, m[0], PATH(path, "templateId"), &template_id));
    TRY(cedar_est_str(s, m[1], PATH(path, "newId"), &id));
    TRY(cedar_est_members(s, m[2], PATH(path, "values"), slots, slot));
    if (slot[0])
        TRY(read_uid(s, slot[0], PATH(PATH(path, "values"), "?principal"), false, &principal));
    if (slot[1])
        TRY(read_uid(s, slot[1], PATH(PATH(path, "values"), "?resource"), false, &resource));
    enum err e =
        cedar_policies_link(ps, template_id, id, slot[0] ? &principal : NULL, slot[1] ? &resource : NULL, s->f);
    if (e == ERR_NOT_FOUND) /* in a document, that is a fault of the document */
        return cedar_path_fault(s->f, path, "there is no template `" STR_FMT "`", STR_ARG(cedar_cut(template_id)));
    return e;
}

static enum err read_set(struct cedar_policies *ps, struct cedar_est *s)
{
    static const struct cedar_member table[] = {
        {"templates", true}, {"staticPolicies", true}, {"templateLinks", true}, {NULL}};
    static const struct cedar_path root = {.key = {"policies", 8}, .keyed = true};
    uint32_t m[3], i = 0;
    TRY(cedar_est_members(s, JSON_ROOT, &root, table, m));
    TRY(read_policies(ps, s, m[0], PATH(&root, "templates"), true));
    TRY(read_policies(ps, s, m[1], PATH(&root, "staticPolicies"), false));
    if (m[2] && json_type(s->j, m[2]) != JSON_ARRAY)
        return cedar_path_fault(s->f, PATH(&root, "templateLinks"), "must be an array of links");
    JSON_EACH(s->j, m[2], link)
    {
        TRY(read_link(ps, s, link, &(struct cedar_path){.up = PATH(&root, "templateLinks"), .index = i++}));
    }
    return ERR_OK;
}

/* ---- entries ---- */

static enum err begin(struct cedar_policies *ps, struct cedar_est *s, struct json *j, struct str text, struct fault *f)
{
    /* two levels of JSON for one of an expression: what recursion there is, is bounded by that */
    static const struct json_limits limits = {.depth = 2 * CEDAR_DEPTH + 32, .nodes = CEDAR_TEXT_MAX};
    *s = (struct cedar_est){.j = j, .f = f};
    if (text.n > CEDAR_TEXT_MAX)
        return fault_set(f, ERR_LIMIT, "%zu bytes are more than the %d that policies in JSON may have", text.n,
                         CEDAR_TEXT_MAX);
    if (!(text = arena_str(&ps->arena, text)).p)
        return fault_set(f, ERR_NOMEM, "no memory for the policies");
    cedar_tree_init(&s->tree, &ps->arena);
    return json_parse(j, text, &ps->arena, &limits, f);
}

enum err cedar_est_read(struct cedar_policies *ps, struct str id, struct str text, struct fault *f)
{
    static const struct cedar_path root = {.key = {"policy", 6}, .keyed = true};
    struct cedar_policy *p;
    struct cedar_est s;
    struct json j;
    enum err e = begin(ps, &s, &j, text, f);
    if (!e)
        e = add_policy(ps, &s, JSON_ROOT, id, &root, &p);
    free(s.items.v);
    return e;
}

enum err cedar_est_read_set(struct cedar_policies *ps, struct str text, struct fault *f)
{
    uint32_t n = ps->n;
    struct cedar_est s;
    struct json j;
    enum err e = begin(ps, &s, &j, text, f);
    if (!e)
        e = read_set(ps, &s);
    if (e)
        cedar_policies_cut(ps, n);
    free(s.items.v);
    return e;
}
