/* Expressions as text, on one line. */
#include "cedar/lex.h"
#include "cedar/print.h"
#include "cedar/tree.h"

/* What binds tighter is higher; an operand that is looser than its place allows gets brackets. */
enum level { LEVEL_IF, LEVEL_OR, LEVEL_AND, LEVEL_RELATION, LEVEL_SUM, LEVEL_PRODUCT, LEVEL_UNARY, LEVEL_MEMBER };

enum { IN_A_ROW = 4 }; /* of ! or - */

static bool negative(const struct cedar_expr *e)
{
    return e->op == CEDAR_OP_LIT && e->lit.kind == CEDAR_LONG && e->lit.i < 0;
}

static enum level level_of(const struct cedar_expr *e)
{
    switch ((enum cedar_op)e->op) {
    case CEDAR_OP_IF: return LEVEL_IF;
    case CEDAR_OP_OR: return LEVEL_OR;
    case CEDAR_OP_AND: return e->sub ? LEVEL_RELATION : LEVEL_AND;
    case CEDAR_OP_EQ:
    case CEDAR_OP_NE:
    case CEDAR_OP_LT:
    case CEDAR_OP_LE:
    case CEDAR_OP_GT:
    case CEDAR_OP_GE:
    case CEDAR_OP_IN:
    case CEDAR_OP_IS:
    case CEDAR_OP_HAS:
    case CEDAR_OP_LIKE: return LEVEL_RELATION;
    case CEDAR_OP_ADD:
    case CEDAR_OP_SUB: return LEVEL_SUM;
    case CEDAR_OP_MUL: return LEVEL_PRODUCT;
    case CEDAR_OP_NOT:
    case CEDAR_OP_NEG: return LEVEL_UNARY;
    default: return negative(e) ? LEVEL_UNARY : LEVEL_MEMBER;
    }
}

static void print(const struct cedar_expr *e, enum level at_least, struct buf *out);

static void print_two(const struct cedar_expr *e, enum level a, const char *mark, enum level b, struct buf *out)
{
    print(e->a, a, out);
    buf_z(out, mark);
    print(e->b, b, out);
}

/* A chain that the parser would lay out in halves gets brackets, so that it does not. */
static void print_chain(const struct cedar_expr *e, enum level level, const char *mark, struct buf *out)
{
    uint32_t n = 1;
    for (const struct cedar_expr *l = e; l->op == e->op && !l->sub; l = l->a)
        n++;
    print_two(e, n > CEDAR_CHAIN ? level + 1 : level, mark, level + 1, out);
}

static void print_name(struct str name, struct buf *out)
{
    if (cedar_ident_valid(name))
        buf_str(out, name);
    else
        cedar_string_print(name, out);
}

/* a has x, or the chain of ands that a has x.y.z became */
static void print_has(const struct cedar_expr *e, struct buf *out)
{
    if (e->op == CEDAR_OP_AND) {
        print_has(e->a, out);
        buf_char(out, '.');
        print_name(e->b->name, out);
        return;
    }
    print(e->of, LEVEL_SUM, out);
    buf_z(out, " has ");
    print_name(e->name, out);
}

static void print_like(const struct cedar_expr *e, struct buf *out)
{
    print(e->of, LEVEL_SUM, out);
    buf_z(out, " like ");
    cedar_pattern_print(e->pattern, out);
}

static void print_is(const struct cedar_expr *e, struct buf *out)
{
    print(e->of, LEVEL_SUM, out);
    buf_z(out, " is ");
    buf_str(out, e->name);
    if (e->in) {
        buf_z(out, " in ");
        print(e->in, LEVEL_SUM, out);
    }
}

static void print_unary(const struct cedar_expr *e, struct buf *out)
{
    unsigned run = 0;
    const struct cedar_expr *a = e;
    for (; a->op == e->op && run < IN_A_ROW; run++, a = a->a)
        buf_char(out, e->op == CEDAR_OP_NOT ? '!' : '-');
    bool number = e->op == CEDAR_OP_NEG && a->op == CEDAR_OP_LIT && a->lit.kind == CEDAR_LONG;
    if (number && a->lit.i < 0 && run < IN_A_ROW) {
        print(a, LEVEL_UNARY, out);
    } else if (number) { /* without brackets it would be a negative number */
        buf_char(out, '(');
        print(a, LEVEL_IF, out);
        buf_char(out, ')');
    } else {
        print(a, LEVEL_MEMBER, out);
    }
}

static void print_get(const struct cedar_expr *e, struct buf *out)
{
    bool ident = cedar_ident_valid(e->name);
    print(e->of, LEVEL_MEMBER, out);
    buf_char(out, ident ? '.' : '[');
    print_name(e->name, out);
    if (!ident)
        buf_char(out, ']');
}

static void print_method(const struct cedar_expr *e, const char *name, struct buf *out)
{
    print(e->a, LEVEL_MEMBER, out);
    buf_fmt(out, ".%s(", name);
    if (e->op != CEDAR_OP_IS_EMPTY)
        print(e->b, LEVEL_IF, out);
    buf_char(out, ')');
}

static void print_items(const struct cedar_expr *e, uint32_t from, const char *open, char close, struct buf *out)
{
    buf_z(out, open);
    for (uint32_t i = from; i < e->n; i++) {
        if (i > from)
            buf_z(out, ", ");
        if (e->op == CEDAR_OP_RECORD) {
            print_name(e->key[i], out);
            buf_z(out, ": ");
        }
        print(e->item[i], LEVEL_IF, out);
    }
    buf_char(out, close);
}

static void print_call(const struct cedar_expr *e, struct buf *out)
{
    const struct cedar_ext_info *info = cedar_ext_info((enum cedar_ext)e->sub);
    bool method = info->style == CEDAR_METHOD && e->n;
    if (method) {
        print(e->item[0], LEVEL_MEMBER, out);
        buf_char(out, '.');
    }
    buf_z(out, info->name);
    print_items(e, method, "(", ')', out);
}

static void print_if(const struct cedar_expr *e, struct buf *out)
{
    buf_z(out, "if ");
    print(e->a, LEVEL_IF, out);
    buf_z(out, " then ");
    print(e->b, LEVEL_IF, out);
    buf_z(out, " else ");
    print(e->c, LEVEL_IF, out);
}

static void print_bare(const struct cedar_expr *e, struct buf *out)
{
    static const char *const vars[] = {"principal", "action", "resource", "context"};
    switch ((enum cedar_op)e->op) {
    case CEDAR_OP_LIT: cedar_value_print(e->lit, out); break;
    case CEDAR_OP_SLOT: buf_char(out, '?'); __attribute__((fallthrough));
    case CEDAR_OP_VAR: buf_z(out, vars[e->sub]); break;
    case CEDAR_OP_NOT:
    case CEDAR_OP_NEG: print_unary(e, out); break;
    case CEDAR_OP_IF: print_if(e, out); break;
    case CEDAR_OP_AND:
        if (e->sub)
            print_has(e, out);
        else
            print_chain(e, LEVEL_AND, " && ", out);
        break;
    case CEDAR_OP_OR: print_chain(e, LEVEL_OR, " || ", out); break;
    case CEDAR_OP_EQ: print_two(e, LEVEL_SUM, " == ", LEVEL_SUM, out); break;
    case CEDAR_OP_NE: print_two(e, LEVEL_SUM, " != ", LEVEL_SUM, out); break;
    case CEDAR_OP_LT: print_two(e, LEVEL_SUM, " < ", LEVEL_SUM, out); break;
    case CEDAR_OP_LE: print_two(e, LEVEL_SUM, " <= ", LEVEL_SUM, out); break;
    case CEDAR_OP_GT: print_two(e, LEVEL_SUM, " > ", LEVEL_SUM, out); break;
    case CEDAR_OP_GE: print_two(e, LEVEL_SUM, " >= ", LEVEL_SUM, out); break;
    case CEDAR_OP_ADD: print_two(e, LEVEL_SUM, " + ", LEVEL_PRODUCT, out); break;
    case CEDAR_OP_SUB: print_two(e, LEVEL_SUM, " - ", LEVEL_PRODUCT, out); break;
    case CEDAR_OP_MUL: print_two(e, LEVEL_PRODUCT, " * ", LEVEL_UNARY, out); break;
    case CEDAR_OP_IN: print_two(e, LEVEL_SUM, " in ", LEVEL_SUM, out); break;
    case CEDAR_OP_IS: print_is(e, out); break;
    case CEDAR_OP_HAS: print_has(e, out); break;
    case CEDAR_OP_GET: print_get(e, out); break;
    case CEDAR_OP_LIKE: print_like(e, out); break;
    case CEDAR_OP_CONTAINS: print_method(e, "contains", out); break;
    case CEDAR_OP_CONTAINS_ALL: print_method(e, "containsAll", out); break;
    case CEDAR_OP_CONTAINS_ANY: print_method(e, "containsAny", out); break;
    case CEDAR_OP_IS_EMPTY: print_method(e, "isEmpty", out); break;
    case CEDAR_OP_HAS_TAG: print_method(e, "hasTag", out); break;
    case CEDAR_OP_GET_TAG: print_method(e, "getTag", out); break;
    case CEDAR_OP_SET: print_items(e, 0, "[", ']', out); break;
    case CEDAR_OP_RECORD: print_items(e, 0, "{", '}', out); break;
    case CEDAR_OP_CALL: print_call(e, out); break;
    }
}

static void print(const struct cedar_expr *e, enum level at_least, struct buf *out)
{
    bool brackets = level_of(e) < at_least;
    if (brackets)
        buf_char(out, '(');
    print_bare(e, out);
    if (brackets)
        buf_char(out, ')');
}

void cedar_print_expr(const struct cedar_expr *e, struct buf *out)
{
    print(e, LEVEL_IF, out);
}
