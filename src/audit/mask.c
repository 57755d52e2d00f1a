#include "audit/mask.h"

#include "audit/names.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif
#include <pthread.h>

#define MASKED "[masked]"

/* Folded (names.h). */
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

/* Both tables by the first character, since every argument of every call is looked through. */
#define MASK_COUNT(table) (sizeof(table) / sizeof((table)[0]))
enum { MASK_NONE = 255 };
static struct {
    struct mask_pattern {
        struct str text; /* without its stars */
        bool from_start, to_end;
        unsigned char next; /* another one that begins so */
    } name[MASK_COUNT(mask_names)];
    struct mask_start {
        struct str text;
        unsigned char next;
    } mark[MASK_COUNT(mask_marks)];
    unsigned char name_at[256], mark_at[256];
    bool may_start[256]; /* what a credential may begin with: most bytes of a text are none of these */
} mask_by;
static pthread_once_t mask_once = PTHREAD_ONCE_INIT;

static struct mask_pattern mask_pattern_of(struct str s)
{
    struct mask_pattern p = {.from_start = s.p[0] != '*', .to_end = s.p[s.n - 1] != '*'};
    if (!p.from_start)
        s = str_skip(s, 1);
    if (!p.to_end)
        s.n--;
    p.text = s;
    return p;
}

static void mask_prepare(void)
{
    memset(mask_by.name_at, MASK_NONE, sizeof(mask_by.name_at));
    memset(mask_by.mark_at, MASK_NONE, sizeof(mask_by.mark_at));
    for (size_t i = 0; i < MASK_COUNT(mask_names); i++) {
        struct mask_pattern *p = &mask_by.name[i];
        *p = mask_pattern_of(str_of(mask_names[i]));
        unsigned char *at = &mask_by.name_at[(unsigned char)p->text.p[0]];
        p->next = *at;
        *at = (unsigned char)i;
    }
    for (size_t i = MASK_COUNT(mask_marks); i-- > 0;) { /* in the order of the table */
        mask_by.mark[i].text = str_of(mask_marks[i].text);
        unsigned char c = (unsigned char)mask_marks[i].text[0], *at = &mask_by.mark_at[c];
        mask_by.mark[i].next = *at;
        *at = (unsigned char)i;
        mask_by.may_start[c] = true;
    }
    mask_by.mark_at['b'] = mask_by.mark_at['B']; /* "Bearer " is known in either case */
    for (const char *c = ":Bb"; *c; c++)         /* user info; "Basic " */
        mask_by.may_start[(unsigned char)*c] = true;
}

/* One of our own names, in folded form. */
static bool mask_known_name(struct str n)
{
    pthread_once(&mask_once, mask_prepare);
    for (size_t at = 0; at < n.n; at++)
        for (unsigned char i = mask_by.name_at[(unsigned char)n.p[at]]; i != MASK_NONE; i = mask_by.name[i].next) {
            const struct mask_pattern *p = &mask_by.name[i];
            if ((!p->from_start || at == 0) && str_starts(str_skip(n, at), p->text) &&
                (!p->to_end || at + p->text.n == n.n))
                return true;
        }
    return false;
}

static bool mask_name(const struct conf_strings *extra, struct str name)
{
    char folded[NAME_MAX_FOLDED];
    struct str n;
    if (!name_fold(name, false, folded, &n))
        return true; /* what is too long to be compared is not shown to be harmless */
    return mask_known_name(n) || name_listed(extra, n);
}

static size_t mask_run(struct str s)
{
    size_t n = 0;
    while (n < s.n && (name_alnum(s.p[n]) || memchr("-_.~+/=", s.p[n], 7)))
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
    for (unsigned char i = mask_by.mark_at[(unsigned char)s.p[0]]; i != MASK_NONE; i = mask_by.mark[i].next) {
        struct str mark = mask_by.mark[i].text;
        bool same =
            mark.p[mark.n - 1] == ' ' ? s.n >= mark.n && str_ieq((struct str){s.p, mark.n}, mark) : str_starts(s, mark);
        if (!same)
            continue;
        size_t run = mask_run(str_skip(s, mark.n));
        if (run >= mask_marks[i].run)
            return mask_marks[i].run ? mark.n + run : s.n; /* of a key in PEM nothing is shown */
    }
    return (s.p[0] | 32) == 'b' ? mask_basic(s) : 0;
}

static size_t mask_at(struct str s, size_t i)
{
    char c = s.p[i];
    if (!mask_by.may_start[(unsigned char)c] || (c != ':' && i && name_alnum(s.p[i - 1])))
        return 0;
    return c == ':' ? mask_userinfo(str_skip(s, i)) : mask_here(str_skip(s, i));
}

#ifdef __SSE2__
/* Which of 16 bytes are letters or digits, as bits. */
static unsigned mask_alnum16(__m128i v)
{
    __m128i letter = _mm_sub_epi8(_mm_or_si128(v, _mm_set1_epi8(32)), _mm_set1_epi8('a'));
    __m128i digit = _mm_sub_epi8(v, _mm_set1_epi8('0'));
    __m128i is_letter = _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(25)), letter);
    __m128i is_digit = _mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(9)), digit);
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(is_letter, is_digit));
}
#endif

/* The first credential in a text. One begins where a word begins, or is user info behind a colon or a key in PEM: of 16
 * bytes few have to be looked at. */
static bool mask_find(struct str s, size_t *ret_at, size_t *ret_n)
{
    size_t i = 0;
    pthread_once(&mask_once, mask_prepare);
#ifdef __SSE2__
    const __m128i colon = _mm_set1_epi8(':'), dash = _mm_set1_epi8('-');
    for (unsigned before = 0; i + 16 <= s.n; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(s.p + i));
        unsigned alnum = mask_alnum16(v);
        unsigned other = (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(v, colon), _mm_cmpeq_epi8(v, dash)));
        unsigned starts = (alnum & ~(alnum << 1 | before)) | other;
        before = alnum >> 15;
        for (; starts; starts &= starts - 1) {
            *ret_at = i + (unsigned)__builtin_ctz(starts);
            if ((*ret_n = mask_at(s, *ret_at)))
                return true;
        }
    }
#endif
    for (; i < s.n; i++)
        if ((*ret_n = mask_at(s, i))) {
            *ret_at = i;
            return true;
        }
    return false;
}

bool mask_text_needed(struct str text)
{
    size_t at, n;
    return mask_find(text, &at, &n);
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

static void mask_write(const struct conf_strings *extra, const struct json *j, uint32_t i, struct json_out *o,
                       struct arena *a)
{
    bool named;
    switch (json_type(j, i)) {
    case JSON_OBJECT:
        json_open(o, '{');
        named = name_labelled(j, i, mask_name, extra, a);
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

static bool mask_needed_object(const struct conf_strings *extra, const struct json *j, uint32_t object, struct arena *a)
{
    bool labelled = false;
    JSON_PAIRS(j, object, k, v)
    {
        if (mask_name(extra, json_str(j, k, a)))
            return true;
        labelled = labelled || name_is_label(j, k);
    }
    return labelled && name_labelled(j, object, mask_name, extra, a);
}

bool mask_needed(const struct conf_strings *extra, const struct json *j, uint32_t root, struct arena *a)
{
    for (uint32_t i = root, end = root < j->count ? j->node[root].next : 0; i < end; i++) {
        enum json_type t = json_type(j, i);
        if (t == JSON_OBJECT ? mask_needed_object(extra, j, i, a) : t == JSON_STRING && mask_value(j, i, a))
            return true;
    }
    return arena_failed(a);
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
    if (!mask_needed(extra, &j, JSON_ROOT, arena))
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
