/* What went wrong in an evaluation, in words: "`context.input` has no attribute `amount`". */
#include "cedar/decide.h"
#include "cedar/path.h"
#include "cedar/print.h"

#define WORDS_MAX ((size_t)1 << 20) /* of an expression; what is longer is not told */

static void quote(struct str s, struct buf *out)
{
    struct str cut = cedar_cut(s);
    buf_char(out, '`');
    buf_str(out, cut);
    buf_z(out, cut.n < s.n ? "...`" : "`");
}

static void quote_expr(const struct cedar_expr *e, struct buf *out)
{
    struct buf b;
    buf_init(&b, WORDS_MAX);
    cedar_print_expr(e, &b);
    quote(buf_failed(&b) ? STR("...") : buf_view(&b), out);
    buf_done(&b);
}

/* What the operator takes; NULL: nothing more is to say. */
static const char *operands(const struct cedar_expr *e)
{
    switch ((enum cedar_op)e->op) {
    case CEDAR_OP_NEG:
    case CEDAR_OP_ADD:
    case CEDAR_OP_SUB:
    case CEDAR_OP_MUL: return "longs are computed with";
    case CEDAR_OP_LT:
    case CEDAR_OP_LE:
    case CEDAR_OP_GT:
    case CEDAR_OP_GE: return "two longs, two datetimes or two durations are compared";
    case CEDAR_OP_IN: return "an entity is in an entity, or in a set of entities";
    case CEDAR_OP_IS: return "an entity is of a type";
    case CEDAR_OP_HAS:
    case CEDAR_OP_GET: return "a record or an entity has attributes";
    case CEDAR_OP_LIKE: return "a string is like a pattern";
    case CEDAR_OP_CONTAINS:
    case CEDAR_OP_IS_EMPTY: return "a set is asked";
    case CEDAR_OP_CONTAINS_ALL:
    case CEDAR_OP_CONTAINS_ANY: return "a set is asked about a set";
    case CEDAR_OP_HAS_TAG:
    case CEDAR_OP_GET_TAG: return "an entity has tags, named by strings";
    default: return NULL;
    }
}

static void put_type(const struct cedar_expr *e, struct buf *out)
{
    const char *what = operands(e);
    const struct cedar_ext_info *call = e->op == CEDAR_OP_CALL ? cedar_ext_info(e->sub) : NULL;
    quote_expr(e, out);
    if (call && call->n != e->n) { /* a method's receiver is no argument to whoever writes it */
        unsigned own = call->style == CEDAR_METHOD;
        buf_fmt(out, ": %s takes %u argument(s), not %u", call->name, call->n - own, e->n - own);
        return;
    }
    buf_z(out, ": an operand is of the wrong kind");
    if (call)
        buf_fmt(out, " (%s takes %s)", call->name, cedar_kind_name(call->arg[0]));
    else if (what)
        buf_fmt(out, " (%s)", what);
}

void cedar_error_text(const struct cedar_error *e, struct buf *out)
{
    switch (e->why) {
    case CEDAR_WHY_NONE: buf_z(out, "nothing is wrong"); break;
    case CEDAR_WHY_TYPE: put_type(e->expr, out); break;
    case CEDAR_WHY_BOOL:
        quote_expr(e->expr, out);
        buf_z(out, " is no bool, and one is wanted here");
        break;
    case CEDAR_WHY_OVERFLOW:
        quote_expr(e->expr, out);
        buf_z(out, " does not fit into 64 bits");
        break;
    case CEDAR_WHY_NO_ATTR:
        quote_expr(e->expr->of, out);
        buf_z(out, " has no attribute ");
        quote(e->expr->name, out);
        break;
    case CEDAR_WHY_NO_TAG:
        quote_expr(e->expr->a, out);
        buf_z(out, " has no such tag: ");
        quote_expr(e->expr->b, out);
        break;
    case CEDAR_WHY_NO_ENTITY:
        quote_expr(e->expr->a, out);
        buf_z(out, " is no entity that is there, so that it has no attributes and tags");
        break;
    case CEDAR_WHY_EXT:
        quote_expr(e->expr, out);
        buf_fmt(out, ": %s does not take this", cedar_ext_info(e->expr->sub)->name);
        break;
    case CEDAR_WHY_DEPTH:
        quote_expr(e->expr, out);
        buf_z(out, " is nested too deeply");
        break;
    case CEDAR_WHY_MEMORY:
        quote_expr(e->expr, out);
        buf_z(out, ": no memory was left");
        break;
    case CEDAR_WHY_SLOT:
        quote_expr(e->expr, out);
        buf_z(out, " is a slot that nothing fills");
        break;
    }
}
