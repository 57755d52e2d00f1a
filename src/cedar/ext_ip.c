/*
 * ipaddr: an address or a range of addresses, IPv4 or IPv6. An IPv4 address inside of an IPv6 one is written in groups:
 * the form with points in it is refused. Ranges keep the address as it was written: 10.0.0.1/8 is not 10.0.0.0/8.
 */
#include "cedar/ext_inner.h"

#define V4_BITS 32
#define V6_BITS 128
#define GROUPS  8

/* Up to `most` digits, without a leading zero, at most max. */
static bool ip_number(struct str *s, size_t most, unsigned max, unsigned *ret)
{
    struct str digits = cedar_digits(s);
    unsigned v = 0;
    if (!digits.n || digits.n > most || (digits.n > 1 && digits.p[0] == '0'))
        return false;
    for (size_t i = 0; i < digits.n; i++)
        v = v * 10 + (unsigned)(digits.p[i] - '0');
    *ret = v;
    return v <= max;
}

static bool ip_v4(struct str s, unsigned char *addr)
{
    for (int i = 0; i < 4; i++) {
        unsigned v;
        if (i) {
            if (!s.n || s.p[0] != '.')
                return false;
            s = str_skip(s, 1);
        }
        if (!ip_number(&s, 3, 255, &v))
            return false;
        addr[i] = (unsigned char)v;
    }
    return s.n == 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Groups with a colon between them, at most max; what follows stays in *s. */
static int ip_groups(struct str *s, int max, unsigned char *addr)
{
    int n = 0;
    while (n < max) {
        struct str at = *s;
        if (n && (at.n < 2 || at.p[0] != ':' || at.p[1] == ':'))
            break;
        if (n)
            at = str_skip(at, 1);
        unsigned v = 0;
        size_t digits = 0;
        while (digits < at.n && digits < 4 && hex_digit(at.p[digits]) >= 0)
            v = v << 4 | (unsigned)hex_digit(at.p[digits++]);
        if (!digits)
            break;
        addr[2 * n] = (unsigned char)(v >> 8);
        addr[2 * n + 1] = (unsigned char)v;
        n++;
        *s = str_skip(at, digits);
    }
    return n;
}

static bool ip_v6(struct str s, unsigned char *addr)
{
    unsigned char tail[2 * GROUPS] = {0};
    int head = ip_groups(&s, GROUPS, addr);
    if (head == GROUPS)
        return s.n == 0;
    if (s.n < 2 || s.p[0] != ':' || s.p[1] != ':')
        return false;
    s = str_skip(s, 2);
    int n = ip_groups(&s, GROUPS - head - 1, tail); /* :: stands for one group at least */
    memcpy(addr + 2 * (GROUPS - n), tail, 2 * (size_t)n);
    return s.n == 0;
}

enum err cedar_ip_parse(struct str text, struct arena *a, struct cedar_value *ret, struct fault *f)
{
    struct cedar_ip ip = {.addr = {0}};
    struct str addr, prefix = text;
    unsigned bits;
    bool ranged = str_cut(&prefix, '/', &addr);
    if (!ip_v4(addr, ip.addr)) {
        memset(ip.addr, 0, sizeof(ip.addr));
        ip.v6 = true;
        if (!ip_v6(addr, ip.addr))
            return fault_set(
                f, ERR_SYNTAX,
                "not an address: \"192.0.2.7\", \"2001:db8::7\" or, for a range, \"192.0.2.0/24\" is wanted");
    }
    bits = ip.v6 ? V6_BITS : V4_BITS;
    if (ranged && (!ip_number(&prefix, ip.v6 ? 3 : 2, bits, &bits) || prefix.n))
        return fault_set(f, ERR_SYNTAX, "not a prefix: a number from 0 to %d is wanted behind the slash",
                         ip.v6 ? V6_BITS : V4_BITS);
    ip.prefix = (uint8_t)bits;
    struct cedar_ip *copy = arena_raw(a, sizeof(*copy), 16);
    if (!copy)
        return fault_set(f, ERR_NOMEM, "no memory for an address");
    *copy = ip;
    *ret = (struct cedar_value){.kind = CEDAR_IP, .ip = copy};
    return ERR_OK;
}

/* The first `bits` bits are the same. */
static bool ip_same_bits(const unsigned char *a, const unsigned char *b, unsigned bits)
{
    unsigned bytes = bits / 8, rest = bits % 8;
    if (memcmp(a, b, bytes) != 0)
        return false;
    return !rest || ((a[bytes] ^ b[bytes]) >> (8 - rest)) == 0;
}

bool cedar_ip_in_range(const struct cedar_ip *ip, const struct cedar_ip *range)
{
    return ip->v6 == range->v6 && ip->prefix >= range->prefix && ip_same_bits(ip->addr, range->addr, range->prefix);
}

bool cedar_ip_loopback(const struct cedar_ip *ip)
{
    static const struct cedar_ip v4 = {.addr = {127}, .prefix = 8},
                                 v6 = {.addr = {[15] = 1}, .prefix = 128, .v6 = true};
    return cedar_ip_in_range(ip, ip->v6 ? &v6 : &v4);
}

bool cedar_ip_multicast(const struct cedar_ip *ip)
{
    static const struct cedar_ip v4 = {.addr = {224}, .prefix = 4}, v6 = {.addr = {255}, .prefix = 8, .v6 = true};
    return cedar_ip_in_range(ip, ip->v6 ? &v6 : &v4);
}

/* The longest run of at least two groups of zero, the first of equals, is "::". */
static int ip_zeros(const unsigned char *addr, int *ret_n)
{
    int best = 0;
    *ret_n = 0;
    for (int i = 0; i < GROUPS; i++) {
        int n = 0;
        while (i + n < GROUPS && !addr[2 * (i + n)] && !addr[2 * (i + n) + 1])
            n++;
        if (n > 1 && n > *ret_n) {
            best = i;
            *ret_n = n;
        }
    }
    return best;
}

static size_t ip_write_v6(const unsigned char *addr, char room[static CEDAR_EXT_TEXT])
{
    int zeros, at = ip_zeros(addr, &zeros);
    size_t n = 0;
    for (int i = 0; i < GROUPS; i++) {
        if (zeros && i == at) {
            n += (size_t)snprintf(room + n, CEDAR_EXT_TEXT - n, "::");
            i += zeros - 1;
            continue;
        }
        const char *colon = i == 0 || (zeros && i == at + zeros) ? "" : ":";
        n +=
            (size_t)snprintf(room + n, CEDAR_EXT_TEXT - n, "%s%x", colon, (unsigned)addr[2 * i] << 8 | addr[2 * i + 1]);
    }
    return n;
}

void cedar_ip_write(const struct cedar_ip *ip, char room[static CEDAR_EXT_TEXT])
{
    size_t n;
    if (ip->v6)
        n = ip_write_v6(ip->addr, room);
    else
        n = (size_t)snprintf(room, CEDAR_EXT_TEXT, "%d.%d.%d.%d", ip->addr[0], ip->addr[1], ip->addr[2], ip->addr[3]);
    if (ip->prefix < (ip->v6 ? V6_BITS : V4_BITS))
        snprintf(room + n, CEDAR_EXT_TEXT - n, "/%d", ip->prefix);
}
