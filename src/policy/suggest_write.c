/* What was seen, as policies. */
#include "base/clock.h"
#include "cedar/ext.h"
#include "policy/suggest_inner.h"

/* ---- words ---- */

/* "context.input.filter.max"; a member that is no identifier in brackets. */
struct suggest_path {
    const struct suggest_path *of; /* NULL: the arguments */
    struct str name;
};

static void path_write(const struct suggest_path *p, struct buf *out)
{
    if (!p->of) {
        buf_z(out, "context.input");
        return;
    }
    path_write(p->of, out);
    if (cedar_ident_valid(p->name)) {
        buf_char(out, '.');
        buf_str(out, p->name);
        return;
    }
    buf_char(out, '[');
    cedar_string_print(p->name, out);
    buf_char(out, ']');
}

static void has_write(const struct suggest_path *p, struct buf *out)
{
    path_write(p->of, out);
    buf_z(out, " has ");
    if (cedar_ident_valid(p->name))
        buf_str(out, p->name);
    else
        cedar_string_print(p->name, out);
}

static void number_write(const struct suggest_node *n, int64_t i, struct buf *out)
{
    if (n->shape->kind == SHAPE_LONG)
        buf_i64(out, i);
    else
        cedar_ext_text((struct cedar_value){.kind = CEDAR_DECIMAL, .i = i}, out);
}

static void values_write(const struct suggest_node *n, struct buf *out)
{
    for (size_t i = 0; i < n->values; i++) {
        buf_z(out, i ? ", " : "");
        cedar_string_print(n->value[i], out);
    }
}

/* ---- conditions on one member ---- */

static bool node_strings(const struct suggest_node *n)
{
    return n->values && !n->more && n->present >= SUGGEST_EACH * n->values;
}

/* Does what was seen of it support a condition? */
static bool node_says(const struct suggest_node *n)
{
    if (n->any || n->present < SUGGEST_ENOUGH)
        return false;
    switch (n->shape->kind) {
    case SHAPE_BOOL: return n->yes != n->no;
    case SHAPE_LONG:
    case SHAPE_DECIMAL: return true;
    case SHAPE_STRING:
    case SHAPE_SET: return node_strings(n);
    default: return false;
    }
}

static void range_write(const struct suggest_node *n, const struct suggest_path *p, struct buf *out)
{
    bool whole = n->shape->kind == SHAPE_LONG;
    const char *end = whole ? "" : "\"))";
    path_write(p, out);
    if (n->least == n->most) {
        buf_z(out, whole ? " == " : " == decimal(\"");
        number_write(n, n->least, out);
        buf_z(out, whole ? "" : "\")");
        return;
    }
    buf_z(out, whole ? " >= " : ".greaterThanOrEqual(decimal(\"");
    number_write(n, n->least, out);
    buf_z(out, end);
    buf_z(out, " && ");
    path_write(p, out);
    buf_z(out, whole ? " <= " : ".lessThanOrEqual(decimal(\"");
    number_write(n, n->most, out);
    buf_z(out, end);
}

static void value_write(const struct suggest_node *n, const struct suggest_path *p, struct buf *out)
{
    bool set = n->shape->kind == SHAPE_SET;
    if (n->shape->kind == SHAPE_BOOL) {
        buf_z(out, n->yes ? "" : "!");
        path_write(p, out);
    } else if (n->shape->kind != SHAPE_STRING && !set) {
        range_write(n, p, out);
    } else if (n->values == 1 && !set) {
        path_write(p, out);
        buf_z(out, " == ");
        values_write(n, out);
    } else {
        buf_char(out, '[');
        values_write(n, out);
        buf_z(out, set ? "].containsAll(" : "].contains(");
        path_write(p, out);
        buf_char(out, ')');
    }
}

static void and_write(struct buf *out, size_t from)
{
    if (out->n > from)
        buf_z(out, " && ");
}

static void node_write(const struct suggest_node *n, const struct suggest_path *p, struct buf *out);

static void child_write(const struct suggest_node *n, const struct suggest_path *p, uint64_t of, struct buf *out)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, CEDAR_TEXT_MAX);
    node_write(n, p, &b);
    bool never = !n->present && !n->any && of >= SUGGEST_ENOUGH && !n->field->required;
    if (never) {
        buf_z(out, "!(");
        has_write(p, out);
        buf_char(out, ')');
    } else if (b.n && n->field->required) {
        buf_str(out, buf_view(&b));
    } else if (b.n && n->present == of) {
        has_write(p, out);
        buf_z(out, " && ");
        buf_str(out, buf_view(&b));
    } else if (b.n) {
        buf_z(out, "(if "); /* behind `!has ||` the validator would not know that it is there */
        has_write(p, out);
        buf_z(out, " then ");
        buf_str(out, buf_view(&b));
        buf_z(out, " else true)");
    }
    if (buf_failed(&b))
        out->failed = true;
}

/* Conditions with && between them; nothing where nothing is to be said. */
static void node_write(const struct suggest_node *n, const struct suggest_path *p, struct buf *out)
{
    if (n->shape->kind != SHAPE_RECORD) {
        if (node_says(n))
            value_write(n, p, out);
        return;
    }
    size_t from = out->n;
    for (size_t i = 0; i < n->children && !n->any; i++) {
        const struct suggest_path of = {p, n->child[i].field->name};
        struct buf b CLEANUP(buf_done);
        buf_init(&b, CEDAR_TEXT_MAX);
        child_write(&n->child[i], &of, n->present, &b);
        if (b.n)
            and_write(out, from);
        buf_str(out, buf_view(&b));
        out->failed = out->failed || buf_failed(&b);
    }
}

/* ---- where from, and when ---- */

static void nets_write(const struct suggest_tool *t, struct buf *out)
{
    char text[CEDAR_EXT_TEXT];
    if (t->nets_any || !t->nets)
        return;
    and_write(out, 0);
    buf_z(out, t->nets > 1 ? "context.session has source && (" : "context.session has source && ");
    for (size_t i = 0; i < t->nets; i++) {
        struct str net = cedar_ext_write((struct cedar_value){.kind = CEDAR_IP, .ip = &t->net[i]}, text);
        buf_z(out, i ? " || " : "");
        buf_fmt(out, "context.session.source.isInRange(ip(\"" STR_FMT "\"))", STR_ARG(net));
    }
    buf_z(out, t->nets > 1 ? ")" : "");
}

/* The window that all hours lie in: what is left of the day without the longest time in which nothing was seen. */
static bool hours_window(const struct suggest_tool *t, unsigned *ret_from, unsigned *ret_to)
{
    unsigned longest = 0, end = 0;
    for (unsigned start = 0; start < 24; start++) {
        unsigned n = 0;
        while (n < 24 && !(t->hours >> (start + n) % 24 & 1))
            n++;
        if (n > longest) {
            longest = n;
            end = (start + n) % 24;
        }
    }
    *ret_from = end;
    *ret_to = (end + 23 - longest) % 24;
    return t->days >= SUGGEST_DAYS && t->calls >= 2 * SUGGEST_ENOUGH && 24 - longest <= SUGGEST_HOURS;
}

static void hours_write(const struct suggest_tool *t, struct buf *out)
{
    unsigned from, to;
    if (!hours_window(t, &from, &to))
        return;
    and_write(out, 0);
    buf_fmt(out,
            from <= to ? "context.time.hour >= %u && context.time.hour <= %u"
                       : "(context.time.hour >= %u || context.time.hour <= %u)",
            from, to);
}

/* ---- comments ---- */

static void comment_values(const struct suggest_node *n, struct buf *out)
{
    buf_z(out, ", ");
    if (n->shape->kind == SHAPE_BOOL) {
        buf_z(out, n->yes ? "true" : "false");
    } else if (n->shape->kind == SHAPE_STRING || n->shape->kind == SHAPE_SET) {
        values_write(n, out);
    } else {
        number_write(n, n->least, out);
        buf_z(out, n->least < n->most ? " to " : "");
        if (n->least < n->most)
            number_write(n, n->most, out);
    }
}

static void comment_node(const struct suggest_node *n, const struct suggest_path *p, uint64_t of, struct buf *out)
{
    if (n->shape->kind == SHAPE_RECORD && n->present && !n->any) {
        for (size_t i = 0; i < n->children; i++)
            comment_node(&n->child[i], &(const struct suggest_path){p, n->child[i].field->name}, n->present, out);
        return;
    }
    buf_z(out, "//   ");
    path_write(p, out);
    if (!n->present && !n->any)
        buf_z(out, ": never given");
    else
        buf_fmt(out, ": in %llu of %llu calls", (unsigned long long)n->present, (unsigned long long)of);
    if (node_says(n))
        comment_values(n, out);
    else if (n->any)
        buf_z(out, ", in forms that are not to be compared: any is permitted");
    else if (n->present)
        buf_z(out, n->present < SUGGEST_ENOUGH ? ", too few to tell: any is permitted"
                                               : ", too many different values to name: any is permitted");
    buf_char(out, '\n');
}

static void comment_around(const struct suggest_tool *t, struct buf *out)
{
    char text[CEDAR_EXT_TEXT];
    unsigned from, to;
    for (size_t i = 0; i < t->nets && !t->nets_any; i++)
        buf_fmt(out, i ? ", " STR_FMT : "//   from " STR_FMT,
                STR_ARG(cedar_ext_write((struct cedar_value){.kind = CEDAR_IP, .ip = &t->net[i]}, text)));
    buf_z(out, t->nets_any ? "//   from anywhere, or the record does not say\n" : t->nets ? "\n" : "");
    if (hours_window(t, &from, &to))
        buf_fmt(out, "//   between %u:00 and %u:59, on %u days\n", from, to, t->days);
}

static void comment_write(const struct suggest_tool *t, struct buf *out)
{
    char first[CLOCK_RFC3339], last[CLOCK_RFC3339];
    clock_format(t->first_ms, first);
    clock_format(t->last_ms, last);
    if (t->calls == 1)
        buf_fmt(out, "// " STR_FMT ": 1 call, at %s.\n", STR_ARG(t->tool->fact.id), first);
    else
        buf_fmt(out, "// " STR_FMT ": %llu calls, from %s to %s.\n", STR_ARG(t->tool->fact.id),
                (unsigned long long)t->calls, first, last);
    if (t->plain) {
        buf_z(out, "// No condition that could be said of them holds of all of them.\n");
    } else if (t->calls < SUGGEST_ENOUGH) {
        buf_fmt(out, "// Fewer than %d calls: too few for conditions.\n", SUGGEST_ENOUGH);
    } else {
        comment_node(&t->input, &(const struct suggest_path){0}, t->calls, out);
        comment_around(t, out);
    }
}

/* ---- policies ---- */

static void tool_write(const struct suggest *g, const struct suggest_tool *t, struct buf *out)
{
    struct buf when CLEANUP(buf_done), id CLEANUP(buf_done);
    struct str who = g->agent.n ? g->agent : g->type;
    buf_init(&when, CEDAR_TEXT_MAX);
    buf_init(&id, 65536);
    comment_write(t, out);
    buf_fmt(&id, STR_FMT ": " STR_FMT, STR_ARG(who), STR_ARG(t->tool->fact.id));
    buf_z(out, "@id(");
    cedar_string_print(buf_view(&id), out);
    buf_z(out, g->agent.n ? ")\npermit (\n    principal == Agent::" : ")\npermit (\n    principal in AgentType::");
    cedar_string_print(who, out);
    buf_z(out, ",\n    action == Action::");
    cedar_string_print(g->s->action[t->tool->action].name, out);
    buf_z(out, ",\n    resource == Tool::");
    cedar_string_print(t->tool->fact.id, out);
    buf_z(out, "\n)");
    if (!t->plain && t->calls >= SUGGEST_ENOUGH) {
        node_write(&t->input, &(const struct suggest_path){0}, &when);
        nets_write(t, &when);
        hours_write(t, &when);
    }
    if (when.n) {
        buf_z(out, "\nwhen { ");
        buf_str(out, buf_view(&when));
        buf_z(out, " }");
    }
    buf_z(out, ";\n\n");
    out->failed = out->failed || buf_failed(&when) || buf_failed(&id);
}

void suggest_write(const struct suggest *g, struct buf *out)
{
    for (const struct suggest_tool *t = g->tool; t; t = t->next)
        tool_write(g, t, out);
}
