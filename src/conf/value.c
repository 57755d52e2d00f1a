/* Scalars: from text to the type's C form. */
#include <stdio.h>

#include <uv.h>

#include "base/clock.h"
#include "conf/table.h"
#include "net/http.h"

enum err conf_rate_parse(struct str text, struct conf_rate *ret)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"second", 1000}, {"minute", 60000}, {"hour", 3600000}, {"day", 86400000}};
    struct str unit = text, count;
    uint64_t n;
    if (str_is(text, "none")) {
        *ret = (struct conf_rate){0};
        return ERR_OK;
    }
    if (!str_cut(&unit, '/', &count) || !str_u64(count, &n) || n == 0 || n > 1000000000)
        return ERR_SYNTAX;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (str_is(unit, units[i].unit)) {
            *ret = (struct conf_rate){(int64_t)n, units[i].ms};
            return ERR_OK;
        }
    }
    return ERR_SYNTAX;
}

bool conf_address_parse(struct str text, struct sockaddr_storage *ret)
{
    char host[64];
    if (text.n >= 2 && text.p[0] == '[' && text.p[text.n - 1] == ']')
        text = (struct str){text.p + 1, text.n - 2};
    if (text.n == 0 || text.n >= sizeof(host))
        return false;
    memcpy(host, text.p, text.n);
    host[text.n] = 0;
    struct sockaddr_storage at = {0};
    if (uv_ip4_addr(host, 0, (struct sockaddr_in *)&at) && uv_ip6_addr(host, 0, (struct sockaddr_in6 *)&at))
        return false;
    *ret = at;
    return true;
}

static void conf_address_bytes(const struct sockaddr_storage *a, unsigned char ret[16])
{
    if (a->ss_family == AF_INET6) {
        memcpy(ret, &((const struct sockaddr_in6 *)a)->sin6_addr, 16);
        return;
    }
    memcpy(ret, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
    memcpy(ret + 12, &((const struct sockaddr_in *)a)->sin_addr, 4);
}

enum err conf_cidr_parse(struct str text, struct conf_cidr *ret)
{
    struct str bits = text, host;
    struct sockaddr_storage at;
    uint64_t n;
    bool with_bits = str_cut(&bits, '/', &host);
    if (!conf_address_parse(host, &at))
        return ERR_SYNTAX;
    unsigned width = at.ss_family == AF_INET6 ? 128 : 32;
    n = width;
    if (with_bits && (!str_u64(bits, &n) || n > width))
        return ERR_SYNTAX;
    struct conf_cidr c = {.bits = (unsigned)n + 128 - width};
    conf_address_bytes(&at, c.address);
    for (unsigned i = c.bits; i < 128; i++)
        if (c.address[i / 8] >> (7 - i % 8) & 1)
            return ERR_SYNTAX; /* 10.1.2.3/8 is a mistake more often than a network */
    *ret = c;
    return ERR_OK;
}

bool conf_named(const struct conf_strings *list, struct str name)
{
    for (size_t i = 0; i < list->n; i++)
        if (str_ieq(list->v[i], name))
            return true;
    return false;
}

bool conf_cidr_match(const struct conf_cidrs *list, const struct sockaddr_storage *address)
{
    unsigned char a[16];
    if (address->ss_family != AF_INET && address->ss_family != AF_INET6)
        return false;
    conf_address_bytes(address, a);
    for (size_t i = 0; i < list->n; i++) {
        const struct conf_cidr *c = &list->v[i];
        unsigned whole = c->bits / 8, rest = c->bits % 8;
        if (memcmp(a, c->address, whole) == 0 && (!rest || (a[whole] ^ c->address[whole]) >> (8 - rest) == 0))
            return true;
    }
    return false;
}

static bool conf_bytes(struct str text, int64_t *ret)
{
    static const struct {
        const char *unit;
        int64_t bytes;
    } units[] = {{"", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}};
    size_t digits = 0;
    uint64_t v;
    int64_t bytes;
    while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9')
        digits++;
    if (!str_u64((struct str){text.p, digits}, &v))
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (str_is(str_skip(text, digits), units[i].unit) && !__builtin_mul_overflow(v, units[i].bytes, &bytes)) {
            *ret = bytes;
            return true;
        }
    }
    return false;
}

static bool conf_minutes(struct str text, int *ret)
{
    struct str minute = text, hour;
    uint64_t h, m;
    if (!str_cut(&minute, ':', &hour) || hour.n != 2 || minute.n != 2 || !str_u64(hour, &h) || !str_u64(minute, &m) ||
        h > 24 || m > 59 || (h == 24 && m))
        return false;
    *ret = (int)(h % 24 * 60 + m);
    return true;
}

static bool conf_hours(struct str text, struct conf_hours *ret)
{
    struct str to = text, from;
    return str_cut(&to, '-', &from) && conf_minutes(from, &ret->from) && conf_minutes(to, &ret->to) &&
           ret->from != ret->to;
}

static bool conf_address_port(struct str text)
{
    const char *colon = text.p && text.n ? memrchr(text.p, ':', text.n) : NULL;
    struct sockaddr_storage at;
    uint64_t port;
    if (!colon || (text.p[0] == '[') != (memchr(text.p, ':', text.n) != colon))
        return false; /* brackets around IPv6 and nothing else: 1::2:3 could be read in two ways */
    return conf_address_parse((struct str){text.p, (size_t)(colon - text.p)}, &at) &&
           str_u64(str_skip(text, (size_t)(colon - text.p) + 1), &port) && port > 0 && port <= 65535;
}

static bool conf_number(const struct conf_key *k, struct str text, int64_t *ret)
{
    uint64_t v;
    if (k->type == CONF_BYTES)
        return conf_bytes(text, ret);
    if (k->type == CONF_DURATION)
        return clock_duration(text, ret) == ERR_OK;
    if (!str_u64(text, &v) || v > INT64_MAX)
        return false;
    *ret = (int64_t)v;
    return true;
}

void conf_number_text(const struct conf_key *k, int64_t v, char *ret, size_t n)
{
    static const struct {
        int64_t ms;
        const char *unit;
    } units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};
    if (k->type != CONF_DURATION) {
        snprintf(ret, n, "%lld", (long long)v);
        return;
    }
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (v % units[i].ms == 0 && (v || units[i].ms == 1)) {
            snprintf(ret, n, "%lld%s", (long long)(v / units[i].ms), units[i].unit);
            return;
        }
    }
}

static bool conf_bounded(const struct conf_key *k, struct str text, int64_t *at, char right[160])
{
    int64_t v;
    char least[32], most[32];
    if (!conf_number(k, text, &v))
        return false;
    if (v < k->least || v > k->most) {
        conf_number_text(k, k->least, least, sizeof(least));
        conf_number_text(k, k->most, most, sizeof(most));
        snprintf(right, 160, "from %s to %s", least, most);
        return false;
    }
    *at = v;
    return true;
}

static bool conf_word(const struct conf_key *k, struct str text, int64_t *at, char right[160])
{
    const char *const *words = conf_words(k->type);
    size_t n = 0;
    right[0] = 0;
    for (int64_t i = 0; words[i]; i++) {
        if (str_is(text, words[i])) {
            *at = i;
            return true;
        }
        n += (size_t)snprintf(right + n, 160 - n, "%s%s", i ? (words[i + 1] ? ", " : " or ") : "", words[i]);
    }
    return false;
}

bool conf_value(const struct conf_key *k, struct str text, void *at, char right[160])
{
    struct http_url url;
    struct fault f;
    snprintf(right, 160, "%s", conf_type_text(k->type));
    switch (k->type) {
    case CONF_STRING:
    case CONF_LOG:
    case CONF_PATH: *(struct str *)at = text; return text.n > 0;
    case CONF_URL:
        *(struct str *)at = text;
        if (http_url_parse(text, &url, &f) == ERR_OK)
            return true;
        snprintf(right, 160, "a URL: %.150s", f.text);
        return false;
    case CONF_ADDRESS: *(struct str *)at = text; return conf_address_port(text);
    case CONF_INT:
    case CONF_BYTES:
    case CONF_DURATION: return conf_bounded(k, text, at, right);
    case CONF_RATE: return conf_rate_parse(text, at) == ERR_OK;
    case CONF_HOURS: return conf_hours(text, at);
    default: return conf_words(k->type) && conf_word(k, text, at, right);
    }
}
