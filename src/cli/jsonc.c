/* Reading JSONC: what JSON does not have becomes white space. */
#include "cli/jsonc.h"

static bool jsonc_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Blanks n bytes; newlines stay, so that line numbers stay. */
static size_t jsonc_fill(struct str text, size_t at, size_t n, char *out)
{
    for (size_t i = at; i < at + n; i++)
        out[i] = text.p[i] == '\n' || text.p[i] == '\r' ? text.p[i] : ' ';
    return n;
}

/* The comment at `at`, its length; 0: there is none. */
static size_t jsonc_comment(struct str text, size_t at)
{
    struct str rest = str_skip(text, at);
    size_t n = 2;
    if (str_starts(rest, STR("//"))) {
        while (n < rest.n && rest.p[n] != '\n')
            n++;
        return n;
    }
    if (!str_starts(rest, STR("/*")))
        return 0;
    const char *end = memmem(rest.p + 2, rest.n - 2, "*/", 2);
    return end ? (size_t)(end - rest.p) + 2 : rest.n;
}

static size_t jsonc_string(struct str text, size_t at)
{
    size_t i = at + 1;
    while (i < text.n && text.p[i] != '"' && text.p[i] != '\n')
        i += text.p[i] == '\\' && i + 1 < text.n ? 2 : 1;
    return (i < text.n ? i + 1 : text.n) - at;
}

void jsonc_blank(struct str text, bool commas, char *out)
{
    size_t at = str_starts(text, STR("\xef\xbb\xbf")) ? jsonc_fill(text, 0, 3, out) : 0;
    size_t comma = SIZE_MAX; /* a comma with nothing but space behind it so far */
    bool value = false;      /* something stands before it that a comma may follow */
    while (at < text.n) {
        char c = text.p[at];
        size_t n = jsonc_comment(text, at);
        if (n) {
            at += jsonc_fill(text, at, n, out);
            continue;
        }
        n = c == '"' ? jsonc_string(text, at) : 1;
        memcpy(out + at, text.p + at, n);
        if (commas && (c == '}' || c == ']') && comma != SIZE_MAX)
            out[comma] = ' ';
        if (!jsonc_space(c)) {
            comma = c == ',' && value ? at : SIZE_MAX;
            value = c != ',' && c != '{' && c != '[' && c != ':';
        }
        at += n;
    }
}

enum err jsonc_parse(struct json *ret, struct str text, struct arena *a, struct fault *f)
{
    char *copy = arena_raw(a, text.n + 1, 1);
    if (!copy)
        return fault_set(f, ERR_NOMEM, "no memory for JSON of %zu bytes", text.n);
    jsonc_blank(text, true, copy);
    copy[text.n] = 0;
    return json_parse(ret, (struct str){copy, text.n}, a, NULL, f);
}
