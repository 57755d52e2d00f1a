/*
 * ECMA-262 regular expressions (22.2.1, with the u flag, as JSON Schema 6.4 recommends) rewritten to PCRE2's syntax.
 * Every construct is either known to mean the same, rewritten, or refused: nothing of PCRE2's own syntax passes through
 * by accident.
 *
 * Taken beyond the u flag, because it is common and can mean one thing only: an escaped ASCII punctuation mark, and
 * braces, `]` and `-` that stand where they can only be themselves.
 */
#include "schema/inner.h"

#define ECMA_SPACE                                                                                                     \
    "\\x{9}-\\x{d}\\x{20}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}"
#define ECMA_NOT_SPACE                                                                                                 \
    "\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}"                \
    "\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}"
#define ECMA_REPEAT_MAX 65535 /* PCRE2's */
#define ECMA_NAME_MAX   32    /* PCRE2's */

struct ecma {
    struct str s; /* what is left */
    struct str whole;
    struct buf *out;
    struct schema_ecma *info;
    struct fault *f;
    unsigned open;   /* groups */
    bool atom;       /* what was written last can be repeated */
    uint64_t groups; /* bit: the group at this nesting can be repeated (not an assertion) */
};

static enum err ecma_bad(struct ecma *x, const char *what)
{
    return fault_set(x->f, ERR_SCHEMA_UNUSABLE, "the pattern cannot be used: %s at character %zu", what,
                     schema_code_points((struct str){x->whole.p, x->whole.n - x->s.n}) + 1);
}

static char ecma_peek(const struct ecma *x, size_t ahead)
{
    return ahead < x->s.n ? x->s.p[ahead] : 0;
}

static bool ecma_take(struct ecma *x, const char *z)
{
    if (!str_starts(x->s, str_of(z)))
        return false;
    x->s = str_skip(x->s, strlen(z));
    return true;
}

static void ecma_put_char(struct ecma *x, uint32_t c)
{
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
        buf_char(x->out, (char)c);
    else
        buf_fmt(x->out, "\\x{%x}", c);
}

static uint32_t ecma_utf8(struct ecma *x)
{
    const unsigned char *p = (const unsigned char *)x->s.p;
    unsigned n = p[0] < 0x80 ? 1 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (n > x->s.n)
        n = (unsigned)x->s.n;
    uint32_t c = n == 1 ? p[0] : p[0] & (0x7fu >> n);
    for (unsigned i = 1; i < n; i++)
        c = c << 6 | (p[i] & 0x3f);
    x->s = str_skip(x->s, n);
    return c;
}

static bool ecma_hex(struct ecma *x, unsigned digits, uint32_t *ret)
{
    uint32_t v = 0;
    for (unsigned i = 0; i < digits; i++) {
        char c = ecma_peek(x, i);
        unsigned d = c >= '0' && c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 32) - 'a' + 10);
        if (d > 15)
            return false;
        v = v << 4 | d;
    }
    x->s = str_skip(x->s, digits);
    *ret = v;
    return true;
}

/* \u0041, \ud83d\udc32 or \u{1f432}; the \u is already taken. */
static enum err ecma_unicode(struct ecma *x, uint32_t *ret)
{
    uint32_t c = 0, low;
    if (ecma_take(x, "{")) {
        for (bool first = true; first || !ecma_take(x, "}"); first = false) {
            uint32_t d;
            if (!ecma_hex(x, 1, &d) || (c = c << 4 | d) > 0x10ffff)
                return ecma_bad(x, "\\u{...} wants a code point in hex digits");
        }
    } else {
        if (!ecma_hex(x, 4, &c))
            return ecma_bad(x, "\\u wants four hex digits");
        if (c >= 0xd800 && c <= 0xdbff && ecma_take(x, "\\u")) {
            if (!ecma_hex(x, 4, &low) || low < 0xdc00 || low > 0xdfff)
                return ecma_bad(x, "half a surrogate pair");
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        }
    }
    if (c >= 0xd800 && c <= 0xdfff)
        return ecma_bad(x, "half a surrogate pair");
    *ret = c;
    return ERR_OK;
}

/* PropertyValueAliases.txt of the Unicode Character Database, gc: PCRE2 10.42 knows the short names only. */
static const char *const ecma_category[][2] = {
    {"Other", "C"},
    {"Control", "Cc"},
    {"cntrl", "Cc"},
    {"Format", "Cf"},
    {"Unassigned", "Cn"},
    {"Private_Use", "Co"},
    {"Surrogate", "Cs"},
    {"Letter", "L"},
    {"Cased_Letter", "L&"},
    {"LC", "L&"},
    {"Lowercase_Letter", "Ll"},
    {"Modifier_Letter", "Lm"},
    {"Other_Letter", "Lo"},
    {"Titlecase_Letter", "Lt"},
    {"Uppercase_Letter", "Lu"},
    {"Mark", "M"},
    {"Combining_Mark", "M"},
    {"Spacing_Mark", "Mc"},
    {"Enclosing_Mark", "Me"},
    {"Nonspacing_Mark", "Mn"},
    {"Number", "N"},
    {"Decimal_Number", "Nd"},
    {"digit", "Nd"},
    {"Letter_Number", "Nl"},
    {"Other_Number", "No"},
    {"Punctuation", "P"},
    {"punct", "P"},
    {"Connector_Punctuation", "Pc"},
    {"Dash_Punctuation", "Pd"},
    {"Close_Punctuation", "Pe"},
    {"Final_Punctuation", "Pf"},
    {"Initial_Punctuation", "Pi"},
    {"Other_Punctuation", "Po"},
    {"Open_Punctuation", "Ps"},
    {"Symbol", "S"},
    {"Currency_Symbol", "Sc"},
    {"Modifier_Symbol", "Sk"},
    {"Math_Symbol", "Sm"},
    {"Other_Symbol", "So"},
    {"Separator", "Z"},
    {"Line_Separator", "Zl"},
    {"Paragraph_Separator", "Zp"},
    {"Space_Separator", "Zs"},
};

/* \p{...} or \P{...}; the letter is already taken. Valid in a class and outside. */
static enum err ecma_property(struct ecma *x, char letter)
{
    struct str name;
    if (!ecma_take(x, "{"))
        return ecma_bad(x, "\\p wants a property in braces");
    const char *close = memchr(x->s.p, '}', x->s.n);
    if (!close)
        return ecma_bad(x, "\\p wants a property in braces");
    name = (struct str){x->s.p, (size_t)(close - x->s.p)};
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '='))
            return ecma_bad(x, "no such property");
    }
    x->s = str_skip(x->s, name.n + 1);
    struct str value = name, key;
    if (str_cut(&value, '=', &key)) {
        if (str_is(key, "General_Category") || str_is(key, "gc"))
            name = value;
        else if (str_is(key, "Script") || str_is(key, "sc"))
            key = STR("sc");
        else if (str_is(key, "Script_Extensions") || str_is(key, "scx"))
            key = STR("scx");
        else
            return ecma_bad(x, "no such property");
        if (name.p != value.p) {
            buf_fmt(x->out, "\\%c{" STR_FMT ":" STR_FMT "}", letter, STR_ARG(key), STR_ARG(value));
            return ERR_OK;
        }
    }
    if (str_is(name, "Assigned")) {
        buf_fmt(x->out, "\\%c{Cn}", letter == 'p' ? 'P' : 'p');
        return ERR_OK;
    }
    for (size_t i = 0; i < sizeof(ecma_category) / sizeof(ecma_category[0]); i++)
        if (str_is(name, ecma_category[i][0]))
            name = str_of(ecma_category[i][1]);
    buf_fmt(x->out, "\\%c{" STR_FMT "}", letter, STR_ARG(name));
    return ERR_OK;
}

static bool ecma_punctuation(char c)
{
    return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~') ||
           c == ' ';
}

/* An escape that stands for one character, the same in a class and outside; the backslash is taken, the letter is not.
 */
static enum err ecma_char_escape(struct ecma *x, uint32_t *ret)
{
    static const char letters[] = "tnvfr", values[] = "\t\n\v\f\r";
    char c = ecma_peek(x, 0);
    if (x->s.n == 0)
        return ecma_bad(x, "a lone backslash");
    const char *l = c ? strchr(letters, c) : NULL;
    x->s = str_skip(x->s, 1);
    if (l) {
        *ret = (uint32_t)values[l - letters];
        return ERR_OK;
    }
    if (c == 'u')
        return ecma_unicode(x, ret);
    if (c == 'x')
        return ecma_hex(x, 2, ret) ? ERR_OK : ecma_bad(x, "\\x wants two hex digits");
    if (c == '0' && !(ecma_peek(x, 0) >= '0' && ecma_peek(x, 0) <= '9')) {
        *ret = 0;
        return ERR_OK;
    }
    if (c == 'c') {
        char letter = ecma_peek(x, 0);
        if (!((letter | 32) >= 'a' && (letter | 32) <= 'z'))
            return ecma_bad(x, "\\c wants a letter");
        x->s = str_skip(x->s, 1);
        *ret = (uint32_t)letter & 31;
        return ERR_OK;
    }
    if (!ecma_punctuation(c))
        return ecma_bad(x, "an escape that ECMA-262 does not have");
    *ret = (uint32_t)c;
    return ERR_OK;
}

/* One member of a class. ret_char is set when it is a character, and nothing is written; a set like \d is written. */
static enum err ecma_class_member(struct ecma *x, bool *ret_is_char, uint32_t *ret_char)
{
    *ret_is_char = true;
    if (!ecma_take(x, "\\")) {
        *ret_char = ecma_utf8(x);
        return ERR_OK;
    }
    char c = ecma_peek(x, 0);
    if (c == 'b') {
        x->s = str_skip(x->s, 1);
        *ret_char = 8;
        return ERR_OK;
    }
    if (!c || !strchr("dDwWsSpP", c))
        return ecma_char_escape(x, ret_char);
    *ret_is_char = false;
    x->s = str_skip(x->s, 1);
    if (c == 'p' || c == 'P')
        return ecma_property(x, c);
    if (c == 's' || c == 'S')
        buf_z(x->out, c == 's' ? ECMA_SPACE : ECMA_NOT_SPACE);
    else
        buf_fmt(x->out, "\\%c", c);
    return ERR_OK;
}

static enum err ecma_class(struct ecma *x)
{
    bool negated = ecma_take(x, "^");
    x->atom = true;
    if (ecma_take(x, "]")) { /* nothing, or anything */
        buf_z(x->out, negated ? "[\\x{0}-\\x{10ffff}]" : "(?!)");
        return ERR_OK;
    }
    buf_z(x->out, negated ? "[^" : "[");
    while (!ecma_take(x, "]")) {
        bool is_char, is_last;
        uint32_t from = 0, to = 0;
        if (x->s.n == 0)
            return ecma_bad(x, "a class without its ]");
        TRY(ecma_class_member(x, &is_char, &from));
        if (!is_char)
            continue;
        ecma_put_char(x, from);
        if (ecma_peek(x, 0) != '-' || ecma_peek(x, 1) == ']' || x->s.n < 2)
            continue;
        struct str before = x->s;
        size_t written = x->out->n;
        x->s = str_skip(x->s, 1);
        TRY(ecma_class_member(x, &is_last, &to));
        if (!is_last) { /* "a-\d": the dash can only be itself */
            x->s = before;
            x->out->n = written;
            x->s = str_skip(x->s, 1);
            ecma_put_char(x, '-');
            continue;
        }
        if (to < from)
            return ecma_bad(x, "a range that runs backwards");
        buf_char(x->out, '-');
        ecma_put_char(x, to);
    }
    buf_char(x->out, ']');
    return ERR_OK;
}

static bool ecma_name(struct ecma *x, struct str *ret)
{
    size_t n = 0;
    for (char c; (c = ecma_peek(x, n)) && c != '>'; n++)
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (n && c >= '0' && c <= '9')))
            return false;
    if (n == 0 || n > ECMA_NAME_MAX || ecma_peek(x, n) != '>')
        return false;
    *ret = (struct str){x->s.p, n};
    x->s = str_skip(x->s, n + 1);
    return true;
}

static enum err ecma_escape(struct ecma *x)
{
    char c = ecma_peek(x, 0);
    x->atom = true;
    if (c == 'b' || c == 'B') {
        x->atom = false;
        buf_fmt(x->out, "\\%c", c);
    } else if (c && strchr("dDwW", c)) {
        buf_fmt(x->out, "\\%c", c);
    } else if (c == 's' || c == 'S') {
        buf_z(x->out, c == 's' ? "[" ECMA_SPACE "]" : "[^" ECMA_SPACE "]");
    } else if (c == 'p' || c == 'P') {
        x->s = str_skip(x->s, 1);
        return ecma_property(x, c);
    } else if (c == 'k') {
        struct str name;
        x->s = str_skip(x->s, 1);
        if (!ecma_take(x, "<") || !ecma_name(x, &name))
            return ecma_bad(x, "\\k wants the name of a group (letters, digits, _)");
        buf_fmt(x->out, "\\k<" STR_FMT ">", STR_ARG(name));
        x->info->backreference = true;
        return ERR_OK;
    } else if (c >= '1' && c <= '9') {
        unsigned v = 0;
        while ((c = ecma_peek(x, 0)) >= '0' && c <= '9' && v < 1000) {
            v = v * 10 + (unsigned)(c - '0');
            x->s = str_skip(x->s, 1);
        }
        buf_fmt(x->out, "\\g{%u}", v);
        x->info->backreference = true;
        return ERR_OK;
    } else {
        uint32_t value = 0;
        TRY(ecma_char_escape(x, &value));
        ecma_put_char(x, value);
        return ERR_OK;
    }
    x->s = str_skip(x->s, 1);
    return ERR_OK;
}

static enum err ecma_group(struct ecma *x)
{
    static const char *const heads[] = {"?:", "?=", "?!", "?<=", "?<!"};
    bool repeatable = true;
    buf_char(x->out, '(');
    if (ecma_peek(x, 0) == '?') {
        size_t i = 0;
        while (i < 5 && !ecma_take(x, heads[i]))
            i++;
        struct str name;
        repeatable = i == 0 || i == 5;
        if (i < 5)
            buf_z(x->out, heads[i]);
        else if (ecma_take(x, "?<") && ecma_name(x, &name))
            buf_fmt(x->out, "?<" STR_FMT ">", STR_ARG(name));
        else
            return ecma_bad(x, "a group that ECMA-262 does not have");
    }
    if (x->open == 64)
        return ecma_bad(x, "groups nested deeper than 64");
    x->groups = (x->groups & ~(1ull << x->open)) | (uint64_t)repeatable << x->open;
    x->open++;
    x->atom = false;
    return ERR_OK;
}

static bool ecma_number(struct str *s, uint64_t *ret)
{
    size_t n = 0;
    while (n < s->n && s->p[n] >= '0' && s->p[n] <= '9')
        n++;
    struct str digits = {s->p, n};
    *s = str_skip(*s, n);
    if (n && !str_u64(digits, ret))
        *ret = UINT64_MAX;
    return n > 0;
}

/* {n}, {n,} or {n,m}; false when the brace can only be itself. */
static bool ecma_braces(struct ecma *x, uint64_t *ret_min, uint64_t *ret_max)
{
    struct str s = str_skip(x->s, 1), head;
    if (!ecma_number(&s, ret_min))
        return false;
    *ret_max = *ret_min;
    if (s.n && s.p[0] == ',') {
        s = str_skip(s, 1);
        if (!ecma_number(&s, ret_max))
            *ret_max = SIZE_MAX - 1; /* no bound */
    }
    if (!str_cut(&s, '}', &head) || head.n)
        return false;
    x->s = s;
    return true;
}

static enum err ecma_quantifier(struct ecma *x, char c)
{
    uint64_t min = c == '+', max = c == '?' ? 1 : SIZE_MAX - 1;
    struct str before = x->s;
    if (c == '{') {
        if (!ecma_braces(x, &min, &max)) {
            x->s = str_skip(x->s, 1);
            ecma_put_char(x, '{');
            x->atom = true;
            return ERR_OK;
        }
    } else {
        x->s = str_skip(x->s, 1);
    }
    if (!x->atom) {
        x->s = before;
        return ecma_bad(x, "nothing that could be repeated");
    }
    if (min > max)
        return ecma_bad(x, "a repetition with its bounds in the wrong order");
    if (min > ECMA_REPEAT_MAX || (max > ECMA_REPEAT_MAX && max != SIZE_MAX - 1))
        return ecma_bad(x, "a repetition of more than 65535");
    if (min > x->info->repeat)
        x->info->repeat = (uint32_t)min;
    if (max == SIZE_MAX - 1)
        buf_fmt(x->out, "{%u,}", (unsigned)min);
    else
        buf_fmt(x->out, "{%u,%u}", (unsigned)min, (unsigned)max);
    if (ecma_take(x, "?"))
        buf_char(x->out, '?');
    x->atom = false;
    return ERR_OK;
}

static enum err ecma_one(struct ecma *x)
{
    char c = x->s.p[0];
    if (c == '*' || c == '+' || c == '?' || c == '{')
        return ecma_quantifier(x, c);
    if (c == ')') {
        if (x->open == 0)
            return ecma_bad(x, "a ) without its (");
        x->s = str_skip(x->s, 1);
        x->open--;
        x->atom = x->groups >> x->open & 1;
        buf_char(x->out, ')');
        return ERR_OK;
    }
    if (ecma_take(x, "\\"))
        return ecma_escape(x);
    if (ecma_take(x, "["))
        return ecma_class(x);
    if (ecma_take(x, "("))
        return ecma_group(x);
    x->atom = false;
    if (ecma_take(x, "^"))
        buf_char(x->out, '^');
    else if (ecma_take(x, "$"))
        buf_char(x->out, '$');
    else if (ecma_take(x, "|"))
        buf_char(x->out, '|');
    else {
        x->atom = true;
        if (ecma_take(x, "."))
            buf_z(x->out, "[^\\n\\r\\x{2028}\\x{2029}]");
        else
            ecma_put_char(x, ecma_utf8(x));
    }
    return ERR_OK;
}

enum err schema_ecma_translate(struct str source, struct buf *out, struct schema_ecma *ret, struct fault *f)
{
    struct schema_ecma info = {0};
    struct ecma x = {.s = source, .whole = source, .out = out, .info = &info, .f = f};
    while (x.s.n)
        TRY(ecma_one(&x));
    if (x.open)
        return ecma_bad(&x, "a ( without its )");
    if (buf_failed(out))
        return fault_set(f, ERR_NOMEM, "no memory for a pattern");
    *ret = info;
    return ERR_OK;
}
