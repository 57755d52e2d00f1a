/* Tokens. */
#include "cedar/lex.h"

static bool ident_first(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Bytes of the white space at p, 0 when there is none. Unicode's White_Space, as the language has it. */
static uint32_t space_length(struct str text, uint32_t at)
{
    unsigned char c = (unsigned char)text.p[at];
    if (c == ' ' || (c >= 9 && c <= 13))
        return 1;
    if (c < 0xc2)
        return 0;
    uint32_t end = at, u = cedar_utf8_get(text, &end);
    bool space = u == 0x85 || u == 0xa0 || u == 0x1680 || (u >= 0x2000 && u <= 0x200a) || u == 0x2028 || u == 0x2029 ||
                 u == 0x202f || u == 0x205f || u == 0x3000;
    return space ? end - at : 0;
}

uint32_t cedar_lex_skip(struct str text, uint32_t at)
{
    while (at < text.n) {
        uint32_t n = space_length(text, at);
        if (!n && text.p[at] == '/' && at + 1 < text.n && text.p[at + 1] == '/') {
            n = 2;
            while (at + n < text.n && text.p[at + n] != '\n' && text.p[at + n] != '\r')
                n++;
        }
        if (!n)
            break;
        at += n;
    }
    return at;
}

enum cedar_word cedar_word(struct str ident)
{
    static const struct str words[CEDAR_W_COUNT] = {
        [CEDAR_W_TRUE] = STR("true"),
        [CEDAR_W_FALSE] = STR("false"),
        [CEDAR_W_IF] = STR("if"),
        [CEDAR_W_THEN] = STR("then"),
        [CEDAR_W_ELSE] = STR("else"),
        [CEDAR_W_IN] = STR("in"),
        [CEDAR_W_IS] = STR("is"),
        [CEDAR_W_HAS] = STR("has"),
        [CEDAR_W_LIKE] = STR("like"),
        [CEDAR_W_CEDAR] = STR("__cedar"),
        [CEDAR_W_PRINCIPAL] = STR("principal"),
        [CEDAR_W_ACTION] = STR("action"),
        [CEDAR_W_RESOURCE] = STR("resource"),
        [CEDAR_W_CONTEXT] = STR("context"),
        [CEDAR_W_PERMIT] = STR("permit"),
        [CEDAR_W_FORBID] = STR("forbid"),
        [CEDAR_W_WHEN] = STR("when"),
        [CEDAR_W_UNLESS] = STR("unless"),
    };
    if (ident.n < 2 || ident.n > 9)
        return CEDAR_W_NONE;
    for (unsigned w = CEDAR_W_TRUE; w < CEDAR_W_COUNT; w++)
        if (words[w].n == ident.n && words[w].p[0] == ident.p[0] && memcmp(words[w].p, ident.p, ident.n) == 0)
            return (enum cedar_word)w;
    return CEDAR_W_NONE;
}

static struct cedar_token text_token(struct str text, uint32_t at)
{
    struct cedar_token t = {.kind = CEDAR_TOK_OPEN_TEXT, .at = at};
    uint32_t i = at + 1;
    while (i < text.n && text.p[i] != '"')
        i += text.p[i] == '\\' ? 2 : 1;
    bool closed = i < text.n && text.p[i] == '"';
    if (closed)
        t.kind = CEDAR_TOK_TEXT;
    t.end = closed ? i + 1 : (uint32_t)text.n;
    return t;
}

static uint32_t ident_end(struct str text, uint32_t at)
{
    while (at < text.n && (ident_first(text.p[at]) || is_digit(text.p[at])))
        at++;
    return at;
}

static const struct {
    char c[3];
    uint8_t kind;
} marks[] = {
    {"::", CEDAR_TOK_COLONS}, {"==", CEDAR_TOK_EQ},        {"!=", CEDAR_TOK_NE},       {"<=", CEDAR_TOK_LE},
    {">=", CEDAR_TOK_GE},     {"||", CEDAR_TOK_OR},        {"&&", CEDAR_TOK_AND},      {"@", CEDAR_TOK_AT},
    {".", CEDAR_TOK_DOT},     {",", CEDAR_TOK_COMMA},      {";", CEDAR_TOK_SEMICOLON}, {":", CEDAR_TOK_COLON},
    {"(", CEDAR_TOK_ROUND},   {")", CEDAR_TOK_ROUND_END},  {"{", CEDAR_TOK_CURLY},     {"}", CEDAR_TOK_CURLY_END},
    {"[", CEDAR_TOK_SQUARE},  {"]", CEDAR_TOK_SQUARE_END}, {"<", CEDAR_TOK_LT},        {">", CEDAR_TOK_GT},
    {"+", CEDAR_TOK_PLUS},    {"-", CEDAR_TOK_MINUS},      {"*", CEDAR_TOK_TIMES},     {"/", CEDAR_TOK_DIVIDE},
    {"%", CEDAR_TOK_MODULO},  {"=", CEDAR_TOK_ASSIGN},     {"!", CEDAR_TOK_NOT},
};

static struct cedar_token mark_token(struct str text, uint32_t at)
{
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        uint32_t n = marks[i].c[1] ? 2 : 1;
        if (marks[i].c[0] == text.p[at] && (n == 1 || (at + 1 < text.n && marks[i].c[1] == text.p[at + 1])))
            return (struct cedar_token){.kind = marks[i].kind, .at = at, .end = at + n};
    }
    uint32_t end = at;
    cedar_utf8_get(text, &end);
    return (struct cedar_token){.kind = CEDAR_TOK_BAD, .at = at, .end = end};
}

struct cedar_token cedar_lex(struct str text, uint32_t at)
{
    at = cedar_lex_skip(text, at);
    struct cedar_token t = {.kind = CEDAR_TOK_END, .at = at, .end = at};
    if (at >= text.n)
        return t;
    char c = text.p[at];
    if (ident_first(c)) {
        t.kind = CEDAR_TOK_IDENT;
        t.end = ident_end(text, at);
        t.word = (uint8_t)cedar_word((struct str){text.p + at, t.end - at});
        return t;
    }
    if (is_digit(c)) {
        t.kind = CEDAR_TOK_NUMBER;
        while (t.end < text.n && is_digit(text.p[t.end]))
            t.end++;
        return t;
    }
    if (c == '"')
        return text_token(text, at);
    if (c == '?' && at + 1 < text.n && ident_first(text.p[at + 1])) {
        t.kind = CEDAR_TOK_QUESTION;
        t.end = ident_end(text, at + 1);
        return t;
    }
    return mark_token(text, at);
}
