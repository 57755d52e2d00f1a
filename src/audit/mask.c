#include "audit/mask.h"

#include <pthread.h>

#define MASKED "[masked]"

/* Names are compared in lower case and by their letters and digits alone: "X-Api-Key", "api_key" and "apiKey" are one.
 */
static const char *const mask_names[] = {
    "*password*",
    "*passwd*",
    "pwd",
    "*passphrase*",
    "*secret*",
    "*passcode*",
    "*token",
    "*accesstoken*",
    "*refreshtoken*",
    "*authtoken*",
    "*bearertoken*",
    "*sessiontoken*",
    "jwt",
    "*apikey*",
    "*apitoken*",
    "*accesskey*",
    "*privatekey*",
    "*signingkey*",
    "*encryptionkey*",
    "*credential*",
    "*connectionstring*",
    "*authorization*",
    "*cookie*",
    "*cardnumber*",
    "cvv",
    "cvc",
    "pin",
    "ssn",
    "otp",
};

/* What a credential begins with, wherever it stands in a value and whatever its member is called, and how many
 * characters of a token must follow: "sk-SK" is a language. */
static const struct mask_mark {
    const char *text;
    size_t run;
} mask_marks[] = {
    {"-----BEGIN ", 0}, {"Bearer ", 8},   {"sk-", 16},  {"sk_live_", 8},    {"rk_live_", 8},   {"ghp_", 16},
    {"gho_", 16},       {"ghs_", 16},     {"ghu_", 16}, {"github_pat_", 8}, {"glpat-", 8},     {"xoxb-", 8},
    {"xoxp-", 8},       {"xapp-", 8},     {"AKIA", 16}, {"ASIA", 16},       {"AIza", 16},      {"ya29.", 8},
    {"npm_", 16},       {"pypi-AgE", 16}, {"SG.", 16},  {"eyJhbGciOi", 8},  {"eyJ0eXAiOi", 8}, {"eyJraWQiOi", 8},
};

static bool mask_alnum(char c)
{
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

/* False: longer than any name that is known. */
static bool mask_fold(struct str name, bool pattern, char *out, size_t max, struct str *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool kept = mask_alnum(c) || (unsigned char)c >= 0x80 || (pattern && c == '*');
        if (!kept)
            continue;
        if (n == max)
            return false;
        out[n++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    *ret = (struct str){out, n};
    return true;
}

static bool mask_name(const struct conf_strings *extra, struct str name)
{
    char folded[256], wanted[256];
    struct str n, pattern;
    if (!mask_fold(name, false, folded, sizeof(folded), &n))
        return true; /* what is too long to be compared is not shown to be harmless */
    for (size_t i = 0; i < sizeof(mask_names) / sizeof(mask_names[0]); i++)
        if (str_match(str_of(mask_names[i]), n))
            return true;
    for (size_t i = 0; i < extra->n; i++)
        if (mask_fold(extra->v[i], true, wanted, sizeof(wanted), &pattern) && str_match(pattern, n))
            return true;
    return false;
}

static size_t mask_run(struct str s)
{
    size_t n = 0;
    while (n < s.n && (mask_alnum(s.p[n]) || memchr("-_.~+/=", s.p[n], 7)))
        n++;
    return n;
}

/* "Basic " and user:password in base64 (RFC 7617). */
static size_t mask_basic(struct str s)
{
    unsigned char plain[256];
    size_t n = 6, bytes;
    if (s.n <= n || !str_ieq((struct str){s.p, n}, STR("Basic ")))
        return 0;
    struct str run = {s.p + n, mask_run(str_skip(s, n))};
    if (run.n > 300)
        return n + run.n;
    return run.n && !enc_unb64(run, plain, sizeof(plain), &bytes) && memchr(plain, ':', bytes) ? n + run.n : 0;
}

/* "://user:password@" */
static size_t mask_userinfo(struct str s)
{
    size_t n = 3, colon = 0;
    if (!str_starts(s, STR("://")))
        return 0;
    for (; n < s.n && !memchr("/ ?#\"'<>", s.p[n], 8); n++) {
        if (s.p[n] == ':' && !colon)
            colon = n;
        if (s.p[n] == '@')
            return colon && colon + 1 < n ? n : 0;
    }
    return 0;
}

/* The length of the credential that s begins with; 0: none. */
static size_t mask_here(struct str s)
{
    for (size_t i = 0; i < sizeof(mask_marks) / sizeof(mask_marks[0]); i++) {
        struct str mark = str_of(mask_marks[i].text);
        bool same =
            mark.p[mark.n - 1] == ' ' && s.n >= mark.n ? str_ieq((struct str){s.p, mark.n}, mark) : str_starts(s, mark);
        if (!same)
            continue;
        size_t run = mask_run(str_skip(s, mark.n));
        if (run >= mask_marks[i].run)
            return mask_marks[i].run ? mark.n + run : s.n; /* of a key in PEM nothing is shown */
    }
    return mask_basic(s);
}

/* What a credential may begin with: most bytes of a text are none of these, and every argument is looked through. */
static bool mask_first[256];
static pthread_once_t mask_first_once = PTHREAD_ONCE_INIT;

static void mask_first_fill(void)
{
    for (const char *c = ":Bb"; *c; c++) /* user info; "Basic " */
        mask_first[(unsigned char)*c] = true;
    for (size_t i = 0; i < sizeof(mask_marks) / sizeof(mask_marks[0]); i++) {
        unsigned char c = (unsigned char)mask_marks[i].text[0];
        mask_first[c] = mask_first[mask_alnum((char)c) ? c ^ 32 : c] = true; /* some are known in either case */
    }
}

/* The first credential in a text. */
static bool mask_find(struct str s, size_t *ret_at, size_t *ret_n)
{
    pthread_once(&mask_first_once, mask_first_fill);
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!mask_first[(unsigned char)c] || (c != ':' && i && mask_alnum(s.p[i - 1])))
            continue;
        size_t n = c == ':' ? mask_userinfo(str_skip(s, i)) : mask_here(str_skip(s, i));
        if (n) {
            *ret_at = i;
            *ret_n = n;
            return true;
        }
    }
    return false;
}

void mask_text(struct str text, struct buf *out)
{
    size_t at, n;
    while (mask_find(text, &at, &n)) {
        buf_put(out, text.p, at);
        buf_z(out, MASKED);
        text = str_skip(text, at + n);
    }
    buf_str(out, text);
}

static bool mask_value(const struct json *j, uint32_t i, struct arena *a)
{
    size_t at, n;
    return json_type(j, i) == JSON_STRING && mask_find(json_str(j, i, a), &at, &n);
}

/* Is node i, the key or a string value, one to be masked? */
static bool mask_wanted(const struct conf_strings *extra, const struct json *j, uint32_t key, uint32_t value,
                        struct arena *a)
{
    return (key && mask_name(extra, json_str(j, key, a))) || mask_value(j, value, a);
}

/* {"name": "Authorization", "value": …}: headers and variables are often written so. */
static bool mask_named(const struct conf_strings *extra, const struct json *j, uint32_t object, struct arena *a)
{
    static const char *const names[] = {"name", "key", "header", "variable"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        uint32_t name = json_get(j, object, str_of(names[i]));
        if (json_type(j, name) == JSON_STRING && mask_name(extra, json_str(j, name, a)))
            return json_get(j, object, STR("value")) != 0;
    }
    return false;
}

static void mask_write(const struct conf_strings *extra, const struct json *j, uint32_t i, struct json_out *o,
                       struct arena *a)
{
    bool named;
    switch (json_type(j, i)) {
    case JSON_OBJECT:
        json_open(o, '{');
        named = mask_named(extra, j, i, a);
        JSON_PAIRS(j, i, k, v)
        {
            json_key(o, json_str(j, k, a));
            if ((named && json_str_is(j, k, STR("value"))) || mask_wanted(extra, j, k, v, a))
                json_put_str(o, STR(MASKED));
            else
                mask_write(extra, j, v, o, a);
        }
        json_close(o, '}');
        break;
    case JSON_ARRAY:
        json_open(o, '[');
        JSON_EACH(j, i, v)
        {
            if (mask_wanted(extra, j, 0, v, a))
                json_put_str(o, STR(MASKED));
            else
                mask_write(extra, j, v, o, a);
        }
        json_close(o, ']');
        break;
    default: json_put_raw(o, json_raw(j, i));
    }
}

static bool mask_needed(const struct conf_strings *extra, const struct json *j, struct arena *a)
{
    for (uint32_t i = JSON_ROOT; i < j->count; i++) {
        if (json_type(j, i) == JSON_OBJECT) {
            if (mask_named(extra, j, i, a))
                return true;
            JSON_PAIRS(j, i, k, v)
            {
                if (mask_wanted(extra, j, k, v, a))
                    return true;
            }
        } else if (mask_value(j, i, a)) {
            return true;
        }
    }
    return false;
}

struct str mask_apply(const struct conf_strings *extra, struct str canonical, struct arena *arena, struct buf *scratch)
{
    struct json j;
    if (canonical.n <= 2) /* {} */
        return canonical;
    buf_clear(scratch);
    struct json_out o = json_out(scratch);
    if (json_parse(&j, canonical, arena, NULL, NULL)) {
        json_put_str(&o, STR(MASKED)); /* what cannot be read cannot be shown to hold no secret */
        return buf_view(scratch);
    }
    if (!mask_needed(extra, &j, arena) && !arena_failed(arena))
        return canonical;
    if (mask_value(&j, JSON_ROOT, arena))
        json_put_str(&o, STR(MASKED));
    else
        mask_write(extra, &j, JSON_ROOT, &o, arena);
    if (buf_failed(scratch) || arena_failed(arena))
        return STR("\"" MASKED "\"");
    return buf_view(scratch);
}

bool audit_is_secret(struct str name, struct str value)
{
    static const struct conf_strings none;
    size_t at, n;
    return mask_name(&none, name) || mask_find(value, &at, &n);
}
