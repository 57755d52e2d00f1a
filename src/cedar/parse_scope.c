/* What stands in the brackets behind permit and forbid: principal, action, resource. */
#include "cedar/parser.h"

static struct str path_text(struct cedar_parser *p, uint32_t from, uint32_t to)
{
    struct str whole = {p->text.p + from, to - from};
    bool plain = true;
    for (size_t i = 0; i < whole.n; i++)
        plain &= whole.p[i] > ' ' && whole.p[i] != '/';
    if (plain)
        return whole;
    char *name = cedar_parser_alloc(p, whole.n); /* white space or comments within it */
    size_t n = 0;
    if (!name)
        return STR("");
    for (struct cedar_token t = cedar_lex(p->text, from); t.at < to; t = cedar_lex(p->text, t.end)) {
        memcpy(name + n, p->text.p + t.at, t.end - t.at);
        n += t.end - t.at;
    }
    return (struct str){name, n};
}

bool cedar_parse_path(struct cedar_parser *p, struct str *ret_name, const struct cedar_uid **ret_uid)
{
    uint32_t from = p->tok.at, to;
    struct str part;
    const char *what = "a name";
    *ret_uid = NULL;
    do {
        if (!cedar_take_ident(p, what, "choose another name", &part))
            return false;
        to = p->end;
        if (!cedar_at(p, CEDAR_TOK_COLONS))
            break;
        cedar_advance(p);
        what = "a name or an id in double quotes";
    } while (!cedar_at(p, CEDAR_TOK_TEXT));
    *ret_name = path_text(p, from, to);
    if (!cedar_at(p, CEDAR_TOK_TEXT) || to == p->end)
        return true;
    struct cedar_uid *uid = cedar_parser_alloc(p, sizeof(*uid));
    struct str id = cedar_take_text(p);
    if (!uid)
        return false;
    *uid = cedar_uid(*ret_name, id);
    *ret_uid = uid;
    return true;
}

/* ---- entities ---- */

/* What the scope of a variable may name, in words. */
struct scope_rule {
    const char *entity; /* what may stand behind == and in */
    const char *slot;   /* NULL: none */
    bool list, action;
};
static const struct scope_rule principal_rule = {"an entity like User::\"alice\", or ?principal", "?principal", false,
                                                 false};
static const struct scope_rule resource_rule = {"an entity like Album::\"trip\", or ?resource", "?resource", false,
                                                false};
static const struct scope_rule action_eq_rule = {"an action like Action::\"view\"", NULL, false, true};
static const struct scope_rule action_in_rule = {"an action like Action::\"view\", or several in [ ]", NULL, true,
                                                 true};

static bool action_type(struct str type)
{
    return str_is(type, "Action") || str_ends(type, STR("::Action"));
}

/* Round brackets may stand around an entity, any number of them. */
static uint32_t open_rounds(struct cedar_parser *p)
{
    uint32_t n = 0;
    while (cedar_take(p, CEDAR_TOK_ROUND))
        n++;
    return n;
}

static bool close_rounds(struct cedar_parser *p, uint32_t n)
{
    while (n--)
        if (!cedar_expect(p, CEDAR_TOK_ROUND_END, "`)`"))
            return false;
    return true;
}

static bool parse_uid(struct cedar_parser *p, const struct scope_rule *rule, const struct cedar_uid **ret)
{
    struct str name;
    uint32_t at = p->tok.at;
    if (!cedar_at(p, CEDAR_TOK_IDENT))
        return cedar_parser_expected(p, rule->entity);
    if (!cedar_parse_path(p, &name, ret))
        return false;
    if (!*ret) {
        cedar_parser_fault(p, at, "`" STR_FMT "` is only a type: expected %s%s", STR_ARG(cedar_cut(name)), rule->entity,
                           rule->action ? "" : " (to ask for the type, write `is`)");
        return false;
    }
    if (rule->action && !action_type((*ret)->type))
        cedar_parser_fault(p, at, "actions are of the type `Action`, perhaps in a namespace, not `" STR_FMT "`",
                           STR_ARG(cedar_cut((*ret)->type)));
    return true;
}

static bool parse_slot(struct cedar_parser *p, const struct scope_rule *rule, struct cedar_scope *s)
{
    struct str slot = cedar_token_text(p, &p->tok);
    if (!rule->slot)
        return cedar_parser_expected(p, rule->entity);
    if (!str_is(slot, rule->slot))
        cedar_parser_fault(p, p->tok.at, "the slot here is %s, not " STR_FMT, rule->slot, STR_ARG(cedar_cut(slot)));
    cedar_advance(p);
    s->slot = true;
    return true;
}

static bool parse_list(struct cedar_parser *p, struct cedar_scope *s)
{
    struct cedar_uid *list = NULL;
    uint32_t n = 0;
    cedar_advance(p); /* [ */
    while (!cedar_at(p, CEDAR_TOK_SQUARE_END)) {
        const struct cedar_uid *uid;
        uint32_t rounds = open_rounds(p);
        if (!parse_uid(p, &action_eq_rule, &uid) || !close_rounds(p, rounds) ||
            !(list = cedar_parser_grown(p, list, sizeof(*list), n)))
            return false;
        list[n++] = *uid;
        if (!cedar_take(p, CEDAR_TOK_COMMA) && !cedar_at(p, CEDAR_TOK_SQUARE_END))
            return cedar_parser_expected(p, "`,` or `]`");
    }
    cedar_advance(p);
    s->uid = list;
    s->n = n;
    s->kind = n == 1 ? CEDAR_IN : CEDAR_IN_ANY; /* one in a list is one */
    return true;
}

static bool parse_target(struct cedar_parser *p, const struct scope_rule *rule, struct cedar_scope *s)
{
    uint32_t rounds = open_rounds(p);
    if (cedar_at(p, CEDAR_TOK_SQUARE) && rule->list) {
        if (!parse_list(p, s))
            return false;
    } else if (cedar_at(p, CEDAR_TOK_QUESTION)) {
        if (!parse_slot(p, rule, s))
            return false;
    } else {
        if (!parse_uid(p, rule, &s->uid))
            return false;
        s->n = 1;
    }
    return close_rounds(p, rounds);
}

/* ---- one variable ---- */

static bool parse_is(struct cedar_parser *p, bool action, struct cedar_scope *s)
{
    const struct cedar_uid *uid;
    if (action) {
        cedar_parser_fault(p, p->tok.at, "`is` cannot be asked of an action here: ask it in `when { }`");
        return false;
    }
    cedar_advance(p); /* is */
    uint32_t at = p->tok.at;
    if (!cedar_at(p, CEDAR_TOK_IDENT))
        return cedar_parser_expected(p, "a type of entities like User behind `is`");
    if (!cedar_parse_path(p, &s->type, &uid))
        return false;
    if (uid) {
        cedar_parser_fault(p, at, "behind `is` stands a type like `" STR_FMT "`; for one entity, write `==`",
                           STR_ARG(cedar_cut(uid->type)));
        return false;
    }
    s->kind = CEDAR_IS;
    return true;
}

static bool parse_constraint(struct cedar_parser *p, const struct scope_rule *eq, const struct scope_rule *in,
                             struct cedar_scope *s)
{
    if (cedar_at(p, CEDAR_TOK_COLON)) {
        cedar_parser_fault(p, p->tok.at, "a type is asked for with `is`, not with `:`");
        return false;
    }
    if (cedar_at_word(p, CEDAR_W_IS) && !parse_is(p, eq->action, s))
        return false;
    bool is = s->kind == CEDAR_IS;
    if (cedar_at(p, CEDAR_TOK_EQ) && !is) {
        cedar_advance(p);
        s->kind = CEDAR_EQ;
        return parse_target(p, eq, s);
    }
    if (cedar_at_word(p, CEDAR_W_IN)) {
        cedar_advance(p);
        s->kind = is ? CEDAR_IS_IN : CEDAR_IN;
        return parse_target(p, in, s);
    }
    return true;
}

static bool parse_scope(struct cedar_parser *p, enum cedar_word word, const struct scope_rule *eq,
                        const struct scope_rule *in, struct cedar_scope *s)
{
    static const char *const names[] = {
        [CEDAR_W_PRINCIPAL] = "`principal`", [CEDAR_W_ACTION] = "`action`", [CEDAR_W_RESOURCE] = "`resource`"};
    static const char *const next[] = {[CEDAR_W_PRINCIPAL] = "`,`, or one of ==, in, is",
                                       [CEDAR_W_ACTION] = "`,`, or one of ==, in",
                                       [CEDAR_W_RESOURCE] = "`)`, or one of ==, in, is"};
    *s = (struct cedar_scope){.at = p->tok.at};
    if (!cedar_at_word(p, word))
        return cedar_parser_expected(p, names[word]);
    cedar_advance(p);
    if (!parse_constraint(p, eq, in, s))
        return false;
    if (cedar_take(p, CEDAR_TOK_COMMA) || (word == CEDAR_W_RESOURCE && cedar_at(p, CEDAR_TOK_ROUND_END)))
        return true;
    if (s->kind == CEDAR_ANY)
        return cedar_parser_expected(p, next[word]);
    return cedar_parser_expected(p, word == CEDAR_W_RESOURCE ? "`)`; what else is asked stands in `when { }`"
                                                             : "`,`; what else is asked stands in `when { }`");
}

bool cedar_parse_scopes(struct cedar_parser *p, struct cedar_policy *policy)
{
    return cedar_expect(p, CEDAR_TOK_ROUND, "`(`") &&
           parse_scope(p, CEDAR_W_PRINCIPAL, &principal_rule, &principal_rule, &policy->principal) &&
           parse_scope(p, CEDAR_W_ACTION, &action_eq_rule, &action_in_rule, &policy->action) &&
           parse_scope(p, CEDAR_W_RESOURCE, &resource_rule, &resource_rule, &policy->resource) &&
           cedar_expect(p, CEDAR_TOK_ROUND_END, "`)`: principal, action and resource are all that stands here");
}
