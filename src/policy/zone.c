#include "policy/zone.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define ZONE_FOLDER "/usr/share/zoneinfo/"
enum { ZONE_BYTES = 1 << 20, ZONE_HEAD = 44, DAY = 86400 };

/* A day of the year on which the clock is changed, as POSIX writes it: Mm.w.d, Jn or n. */
struct zone_day {
    char kind; /* 'M', 'J', 'n' */
    int month, week, day;
    int32_t at; /* seconds of that day, local time before the change */
};
struct zone_rule { /* of the time behind the last transition */
    bool given, summer;
    int32_t standard, daylight; /* offsets */
    struct zone_day begin, end; /* of daylight time */
};
struct zone {
    const unsigned char *times, *types, *kinds; /* in the bytes: int64 each, an index each, six bytes each */
    uint32_t count, kind_count;
    struct zone_rule rule;
};

/* ---- the rule ---- */

static bool zone_name(struct str *s)
{
    size_t n = 0;
    if (s->n && s->p[0] == '<') {
        while (n < s->n && s->p[n] != '>')
            n++;
        n++;
    } else {
        while (n < s->n && ((s->p[n] | 32) >= 'a' && (s->p[n] | 32) <= 'z'))
            n++;
    }
    if (n < 3 || n > s->n)
        return false;
    *s = str_skip(*s, n);
    return true;
}

static bool zone_number(struct str *s, int most, int *ret)
{
    int v = 0;
    size_t n = 0;
    for (; n < s->n && n < 4 && s->p[n] >= '0' && s->p[n] <= '9'; n++)
        v = v * 10 + (s->p[n] - '0');
    if (!n || v > most)
        return false;
    *s = str_skip(*s, n);
    *ret = v;
    return true;
}

static bool zone_take(struct str *s, char c)
{
    if (!s->n || s->p[0] != c)
        return false;
    *s = str_skip(*s, 1);
    return true;
}

/* [+-]hh[:mm[:ss]] */
static bool zone_time(struct str *s, int32_t *ret)
{
    int h = 0, m = 0, sec = 0;
    bool minus = zone_take(s, '-');
    if (!minus)
        zone_take(s, '+');
    if (!zone_number(s, 167, &h) || (zone_take(s, ':') && !zone_number(s, 59, &m)))
        return false;
    if (zone_take(s, ':') && !zone_number(s, 59, &sec))
        return false;
    int32_t v = h * 3600 + m * 60 + sec;
    *ret = minus ? -v : v;
    return true;
}

static bool zone_day(struct str *s, struct zone_day *d)
{
    *d = (struct zone_day){.kind = 'n', .at = 2 * 3600};
    if (zone_take(s, 'M')) {
        d->kind = 'M';
        if (!zone_number(s, 12, &d->month) || !zone_take(s, '.') || !zone_number(s, 5, &d->week) ||
            !zone_take(s, '.') || !zone_number(s, 6, &d->day) || d->month < 1 || d->week < 1)
            return false;
    } else {
        d->kind = zone_take(s, 'J') ? 'J' : 'n';
        if (!zone_number(s, d->kind == 'J' ? 365 : 365, &d->day) || (d->kind == 'J' && d->day < 1))
            return false;
    }
    return !zone_take(s, '/') || zone_time(s, &d->at);
}

/* "CET-1CEST,M3.5.0,M10.5.0/3": offsets are west of Greenwich there. */
static bool zone_rule(struct str s, struct zone_rule *r)
{
    int32_t west;
    *r = (struct zone_rule){0};
    if (!zone_name(&s) || !zone_time(&s, &west))
        return false;
    r->given = true;
    r->standard = r->daylight = -west;
    if (!s.n)
        return true;
    r->summer = true;
    r->daylight = r->standard + 3600;
    if (!zone_name(&s))
        return false;
    if (s.n && s.p[0] != ',') {
        if (!zone_time(&s, &west))
            return false;
        r->daylight = -west;
    }
    return zone_take(&s, ',') && zone_day(&s, &r->begin) && zone_take(&s, ',') && zone_day(&s, &r->end) && !s.n;
}

static bool zone_leap(int64_t y)
{
    return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

/* Days from 1970-01-01 to the first of January; years 1600 to 9999. */
static int64_t zone_year_days(int64_t y)
{
    int64_t before = y - 1;
    return y * 365 + before / 4 - before / 100 + before / 400 - 719527;
}

/* The moment in that year, by the offset that holds before it. */
static int64_t zone_moment(const struct zone_day *d, int64_t year, int32_t offset)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t day = zone_year_days(year);
    if (d->kind == 'n')
        day += d->day;
    else if (d->kind == 'J')
        day += d->day - 1 + (zone_leap(year) && d->day >= 60);
    else {
        for (int m = 1; m < d->month; m++)
            day += lengths[m - 1] + (m == 2 && zone_leap(year));
        int length = lengths[d->month - 1] + (d->month == 2 && zone_leap(year));
        int first = (int)(((day + 4) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
        int at = (d->day - first + 7) % 7 + 7 * (d->week - 1);
        day += at >= length ? at - 7 : at;
    }
    return day * DAY + d->at - offset;
}

static int32_t zone_by_rule(const struct zone_rule *r, int64_t t)
{
    if (!r->summer)
        return r->standard;
    int64_t year = 1970 + (t + r->standard) / 31556952;
    for (int64_t y = year + 1; y >= year - 1; y--) /* the year is a guess: the change before t counts */
        if (t + r->standard >= zone_year_days(y) * DAY) {
            year = y;
            break;
        }
    int64_t begin = zone_moment(&r->begin, year, r->standard), end = zone_moment(&r->end, year, r->daylight);
    bool summer = begin < end ? t >= begin && t < end : t >= begin || t < end; /* in the south it lasts over New Year */
    return summer ? r->daylight : r->standard;
}

/* ---- the file ---- */

static uint32_t zone_u32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t zone_i64(const unsigned char *p)
{
    return (int64_t)((uint64_t)zone_u32(p) << 32 | zone_u32(p + 4));
}

struct zone_counts {
    uint32_t utc, standard, leap, time, kind, chars;
};

static bool zone_head(struct str s, struct zone_counts *c)
{
    const unsigned char *p = (const unsigned char *)s.p;
    if (s.n < ZONE_HEAD || memcmp(p, "TZif", 4) != 0 || p[4] < '2')
        return false;
    *c = (struct zone_counts){zone_u32(p + 20), zone_u32(p + 24), zone_u32(p + 28),
                              zone_u32(p + 32), zone_u32(p + 36), zone_u32(p + 40)};
    return c->utc < 1000 && c->standard < 1000 && c->leap < 10000 && c->time < 100000 && c->kind && c->kind < 256 &&
           c->chars < 10000;
}

static size_t zone_block(const struct zone_counts *c, size_t time)
{
    return c->time * time + c->time + c->kind * 6 + c->chars + c->leap * (time + 4) + c->standard + c->utc;
}

enum err zone_read(struct str bytes, struct arena *a, const struct zone **ret, struct fault *f)
{
    struct zone_counts c;
    struct str s = bytes;
    bool ok = zone_head(s, &c) && s.n >= ZONE_HEAD + zone_block(&c, 4);
    s = ok ? str_skip(s, ZONE_HEAD + zone_block(&c, 4)) : s; /* the first block is for readers of 32 bits */
    ok = ok && zone_head(s, &c) && s.n >= ZONE_HEAD + zone_block(&c, 8);
    struct zone *z = arena_alloc(a, sizeof(*z));
    if (!z)
        return fault_set(f, ERR_NOMEM, "no memory for a time zone");
    if (!ok)
        return fault_set(f, ERR_SYNTAX, "is no time zone (TZif, version 2 or later)");
    const unsigned char *p = (const unsigned char *)s.p + ZONE_HEAD;
    *z = (struct zone){
        .times = p, .types = p + c.time * 8, .kinds = p + c.time * 9, .count = c.time, .kind_count = c.kind};
    for (uint32_t i = 0; i < c.time; i++)
        if (z->types[i] >= c.kind || (i && zone_i64(p + 8 * i) <= zone_i64(p + 8 * (i - 1))))
            return fault_set(f, ERR_SYNTAX, "is damaged: its transitions are not in order");
    struct str foot = str_skip(s, ZONE_HEAD + zone_block(&c, 8)), rule;
    if (zone_take(&foot, '\n') && str_cut(&foot, '\n', &rule) && rule.n && !zone_rule(rule, &z->rule))
        return fault_set(f, ERR_SYNTAX, "is damaged: its rule \"" STR_FMT "\" is none", STR_ARG(rule));
    *ret = z;
    return ERR_OK;
}

static int32_t zone_kind(const struct zone *z, unsigned kind)
{
    return (int32_t)zone_u32(z->kinds + kind * 6);
}

int32_t zone_offset(const struct zone *z, int64_t t)
{
    uint32_t low = 0, high = z->count; /* how many transitions are not later than t */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (zone_i64(z->times + 8 * (size_t)middle) <= t)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == z->count && z->rule.given)
        return zone_by_rule(&z->rule, t);
    return low ? zone_kind(z, z->types[low - 1]) : z->kind_count ? zone_kind(z, 0) : 0;
}

static bool zone_name_valid(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        bool letter = ((c | 32) >= 'a' && (c | 32) <= 'z') || (c >= '0' && c <= '9');
        if (!letter && !(i && strchr("_+-/", c) && c))
            return false;
    }
    return name.n > 0 && name.n < 64;
}

enum err zone_load(struct str name, struct arena *a, const struct zone **ret, struct fault *f)
{
    static const struct zone utc = {.rule = {.given = true}};
    char path[sizeof(ZONE_FOLDER) + 64];
    struct stat st;
    if (str_is(name, "UTC")) {
        *ret = &utc;
        return ERR_OK;
    }
    if (!zone_name_valid(name))
        return fault_set(f, ERR_NOT_FOUND,
                         "there is no time zone \"" STR_FMT "\": must be UTC, local or a name such as Europe/Berlin",
                         STR_ARG(name));
    snprintf(path, sizeof(path), "%s" STR_FMT, str_is(name, "local") ? "/etc/localtime" : ZONE_FOLDER,
             STR_ARG(str_is(name, "local") ? STR("") : name));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && str_is(name, "local")) { /* a system without one is on UTC */
        *ret = &utc;
        return ERR_OK;
    }
    bool ok = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= ZONE_BYTES;
    char *p = ok ? arena_raw(a, (size_t)st.st_size + 1, 8) : NULL;
    ssize_t n = p ? pread(fd, p, (size_t)st.st_size, 0) : -1;
    if (fd >= 0)
        close(fd);
    if (!ok)
        return fault_set(f, ERR_NOT_FOUND,
                         "there is no time zone " STR_FMT
                         " on this system (package tzdata): must be UTC, local or a name such as Europe/Berlin",
                         STR_ARG(name));
    if (n < 0)
        return fault_set(f, ERR_IO, "%s: %s", path, p ? strerror(errno) : "no memory");
    return zone_read((struct str){p, (size_t)n}, a, ret, f) ? fault_wrap(f, "%s", path) : ERR_OK;
}
