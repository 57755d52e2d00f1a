#include "audit/mask.h"

#define MASKED "[masked]"

/* Names are compared in lower case and without '-', '_' and spaces: "X-Api-Key", "api_key" and "apiKey" are one. */
static const char *const mask_names[] = {
    "*password*",
    "*passwd*",
    "pwd",
    "*passphrase*",
    "*secret*",
    "token",
    "*accesstoken*",
    "*refreshtoken*",
    "*authtoken*",
    "*bearertoken*",
    "*sessiontoken*",
    "idtoken",
    "*apikey*",
    "*apitoken*",
    "*accesskey*",
    "*privatekey*",
    "*credential*",
    "authorization",
    "cookie",
    "setcookie",
    "*cardnumber*",
    "cvv",
    "cvc",
    "pin",
    "ssn",
    "otp",
};

/* What a value begins with that is a credential whatever its member is called. */
static const char *const mask_values[] = {
    "-----BEGIN ", "Bearer ",     "Basic ", "sk-",   "sk_live_", "rk_live_",   "ghp_", "gho_",
    "ghs_",        "github_pat_", "glpat-", "xoxb-", "xoxp-",    "xapp-",      "AKIA", "ASIA",
    "AIza",        "ya29.",       "npm_",   "pypi-", "SG.",      "eyJhbGciOi",
};

static struct str mask_fold(struct str name, char *out, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < name.n && n < max; i++) {
        char c = name.p[i];
        if (c == '-' || c == '_' || c == ' ' || c == '.')
            continue;
        out[n++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    return (struct str){out, n};
}

/* '*' for any run; slashes mean nothing in a member's name. */
static bool mask_match(struct str pattern, struct str name)
{
    size_t p = 0, s = 0, star = SIZE_MAX, from = 0;
    while (s < name.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            from = s;
        } else if (p < pattern.n && pattern.p[p] == name.p[s]) {
            p++;
            s++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            s = ++from;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*')
        p++;
    return p == pattern.n;
}

static bool mask_name(const struct conf_strings *extra, struct str name)
{
    char folded[128], wanted[128];
    struct str n = mask_fold(name, folded, sizeof(folded));
    for (size_t i = 0; i < sizeof(mask_names) / sizeof(mask_names[0]); i++)
        if (mask_match(str_of(mask_names[i]), n))
            return true;
    for (size_t i = 0; i < extra->n; i++)
        if (mask_match(mask_fold(extra->v[i], wanted, sizeof(wanted)), n))
            return true;
    return false;
}

static bool mask_value(struct str raw)
{
    struct str s = str_skip(raw, 1); /* behind the quote */
    for (size_t i = 0; i < sizeof(mask_values) / sizeof(mask_values[0]); i++)
        if (str_starts(s, str_of(mask_values[i])))
            return true;
    return false;
}

/* Is node i, the key or a string value, one to be masked? */
static bool mask_wanted(const struct conf_strings *extra, const struct json *j, uint32_t key, uint32_t value,
                        struct arena *a)
{
    if (key && mask_name(extra, json_str(j, key, a)))
        return true;
    return json_type(j, value) == JSON_STRING && mask_value(json_raw(j, value));
}

static void mask_write(const struct conf_strings *extra, const struct json *j, uint32_t i, struct json_out *o,
                       struct arena *a)
{
    switch (json_type(j, i)) {
    case JSON_OBJECT:
        json_open(o, '{');
        JSON_PAIRS(j, i, k, v)
        {
            json_key(o, json_str(j, k, a));
            if (mask_wanted(extra, j, k, v, a))
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
    for (uint32_t i = 0; i < j->count; i++) {
        if (json_type(j, i) == JSON_OBJECT) {
            JSON_PAIRS(j, i, k, v)
            {
                if (mask_wanted(extra, j, k, v, a))
                    return true;
            }
        } else if (json_type(j, i) == JSON_STRING && mask_value(json_raw(j, i))) {
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
    mask_write(extra, &j, 0, &o, arena);
    if (buf_failed(scratch) || arena_failed(arena))
        return STR("\"" MASKED "\"");
    return buf_view(scratch);
}
