#include "net/trace.h"

#include "base/enc.h"

enum { TRACE_PARENT = 55 /* "00-<32>-<16>-<2>" */, TRACE_STATE = 512, TRACE_MEMBERS = 32, TRACE_LISTS = 8 };

/* ---- traceparent ---- */

/* Lower-case hex digits only (section 3.2.2). */
static bool trace_hex(struct str s, bool *ret_zero)
{
    *ret_zero = true;
    for (size_t i = 0; i < s.n; i++) {
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
            return false;
        *ret_zero = *ret_zero && s.p[i] == '0';
    }
    return true;
}

void trace_parent(struct str t, struct trace *ret)
{
    static const struct {
        size_t at, n;
        bool zero; /* may be all zeros */
    } parts[] = {{0, 2, true}, {3, 32, false}, {36, 16, false}, {53, 2, true}};
    *ret = (struct trace){0};
    if (t.n < TRACE_PARENT || str_starts(t, STR("ff")))
        return;
    /* A later version may have more behind a hyphen (section 4.3). */
    if (t.n > TRACE_PARENT && (str_starts(t, STR("00")) || t.p[TRACE_PARENT] != '-'))
        return;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        bool zero;
        if (!trace_hex((struct str){t.p + parts[i].at, parts[i].n}, &zero) || (zero && !parts[i].zero) ||
            (i && t.p[parts[i].at - 1] != '-'))
            return;
    }
    memcpy(ret->id, t.p + 3, 32);
    memcpy(ret->parent, t.p + 36, 16);
    char flags = t.p[54];
    ret->sampled = (flags <= '9' ? flags - '0' : flags - 'a' + 10) & 1;
}

/* ---- tracestate ---- */

/* lcalpha, or for a tenant also a digit, then up to the given number of characters (section 3.3.1.3.1). */
static bool trace_key_part(struct str s, size_t most, bool digit_first)
{
    if (s.n == 0 || s.n > most)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool digit = c >= '0' && c <= '9', letter = c >= 'a' && c <= 'z';
        if (!letter && !(digit && (i || digit_first)) && !(i && memchr("_-*/", c, 4)))
            return false;
    }
    return true;
}

static bool trace_key(struct str s)
{
    struct str tenant;
    if (!memchr(s.n ? s.p : "", '@', s.n))
        return trace_key_part(s, 256, false);
    str_cut(&s, '@', &tenant);
    return trace_key_part(tenant, 241, true) && trace_key_part(s, 14, false);
}

static bool trace_value(struct str s)
{
    if (s.n == 0 || s.n > 256 || s.p[s.n - 1] == ' ')
        return false;
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < 0x20 || s.p[i] > 0x7e || s.p[i] == ',' || s.p[i] == '=')
            return false;
    return true;
}

static bool trace_twice(const struct str *key, size_t n, struct str k)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(key[i], k))
            return true;
    return false;
}

void trace_state(const struct str *list, size_t n, struct arena *a, struct trace *ret)
{
    struct str key[TRACE_MEMBERS], member, k;
    char text[TRACE_STATE];
    size_t count = 0, at = 0;
    if (!ret->id[0])
        return;
    for (size_t i = 0; i < n; i++)
        for (struct str rest = list[i]; rest.n;) {
            str_cut(&rest, ',', &member);
            member = str_trim(member);
            struct str value = member;
            if (!member.n)
                continue; /* empty ones are allowed */
            if (!str_cut(&value, '=', &k) || !trace_key(k) || !trace_value(value) || count == TRACE_MEMBERS ||
                trace_twice(key, count, k) || at + (at > 0) + member.n > TRACE_STATE)
                return;
            key[count++] = k;
            if (at)
                text[at++] = ',';
            memcpy(text + at, member.p, member.n);
            at += member.n;
        }
    if (at)
        ret->state = arena_str(a, (struct str){text, at});
}

/* ---- a request ---- */

void trace_head(const struct http_head *h, struct arena *a, struct trace *ret)
{
    struct str list[TRACE_LISTS];
    size_t n = 0;
    bool twice = http_header_count(h, "traceparent") > 1; /* then it is not known whose it is */
    trace_parent(twice ? STR_NONE : http_header(h, "traceparent"), ret);
    for (size_t i = 0; ret->id[0] && i < h->count; i++) {
        if (!str_ieq(h->header[i].name, STR("tracestate")))
            continue;
        if (n == TRACE_LISTS)
            return;
        list[n++] = h->header[i].value;
    }
    trace_state(list, n, a, ret);
}

void trace_begin(struct trace *t)
{
    unsigned char raw[16];
    enc_random(raw, sizeof(raw));
    *t = (struct trace){.sampled = true};
    enc_hex(raw, sizeof(raw), t->id);
}
