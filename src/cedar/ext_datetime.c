/*
 * datetime and duration: milliseconds, since 1970-01-01T00:00:00Z and at all. No time zones but offsets, no leap
 * seconds, the Gregorian calendar backwards too.
 */
#include "cedar/ext_inner.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/* Exactly n digits at the front. */
static bool take_number(struct str *s, size_t n, int *ret)
{
    int v = 0;
    if (s->n < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (s->p[i] < '0' || s->p[i] > '9')
            return false;
        v = v * 10 + (s->p[i] - '0');
    }
    *s = str_skip(*s, n);
    *ret = v;
    return true;
}

static bool take_char(struct str *s, char c)
{
    if (!s->n || s->p[0] != c)
        return false;
    *s = str_skip(*s, 1);
    return true;
}

static bool leap_year(int y)
{
    return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static int days_of_month(int y, int m)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return m == 2 && leap_year(y) ? 29 : days[m - 1];
}

/* Days since 1970-01-01. Years are counted from March, so that the leap day is a year's last. */
static int64_t days_of(int y, int m, int d)
{
    int64_t year = y - (m <= 2), era = (year >= 0 ? year : year - 399) / 400, of_era = year - era * 400;
    int64_t of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static void date_of(int64_t days, int64_t *y, int *m, int *d)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097, of_era = days - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int of_year = (int)(of_era - (365 * year + year / 4 - year / 100)), month = (5 * of_year + 2) / 153;
    *d = of_year - (153 * month + 2) / 5 + 1;
    *m = month < 10 ? month + 3 : month - 9;
    *y = year + era * 400 + (*m <= 2);
}

static enum err datetime_malformed(struct fault *f)
{
    return fault_set(f, ERR_SYNTAX,
                     "not a datetime: \"2024-10-15\", \"2024-10-15T11:35:00Z\", \"2024-10-15T11:35:00.000Z\" or an "
                     "offset as \"+0200\" for the Z is wanted");
}

/* "Z", ".000Z", "+0200", ".000+0200" to the end; milliseconds of the fraction, and of the offset. */
static enum err datetime_zone(struct str s, int64_t *ret_ms, int64_t *ret_offset, struct fault *f)
{
    int ms = 0, hours = 0, minutes = 0;
    if (take_char(&s, '.') && !take_number(&s, 3, &ms))
        return datetime_malformed(f);
    bool minus = s.n && s.p[0] == '-';
    if (!take_char(&s, 'Z')) {
        if (!take_char(&s, '+') && !take_char(&s, '-'))
            return datetime_malformed(f);
        if (!take_number(&s, 2, &hours) || !take_number(&s, 2, &minutes))
            return datetime_malformed(f);
        if (hours > 23 || minutes > 59)
            return fault_set(f, ERR_SYNTAX, "the datetime's offset is out of range: at most 2359 is what there is");
    }
    if (s.n)
        return datetime_malformed(f);
    *ret_ms = ms;
    *ret_offset = (minus ? -1 : 1) * (hours * HOUR + minutes * MINUTE);
    return ERR_OK;
}

enum err cedar_datetime_parse(struct str text, struct cedar_value *ret, struct fault *f)
{
    struct str s = text;
    int y, m, d, hour = 0, minute = 0, second = 0;
    int64_t ms = 0, offset = 0;
    if (!take_number(&s, 4, &y) || !take_char(&s, '-') || !take_number(&s, 2, &m) || !take_char(&s, '-') ||
        !take_number(&s, 2, &d))
        return datetime_malformed(f);
    if (s.n) {
        if (!take_char(&s, 'T') || !take_number(&s, 2, &hour) || !take_char(&s, ':') || !take_number(&s, 2, &minute) ||
            !take_char(&s, ':') || !take_number(&s, 2, &second))
            return datetime_malformed(f);
        TRY(datetime_zone(s, &ms, &offset, f));
    }
    if (m < 1 || m > 12 || d < 1 || d > days_of_month(y, m))
        return fault_set(f, ERR_SYNTAX, "the datetime's date is none of the calendar");
    if (hour > 23 || minute > 59 || second > 59)
        return fault_set(f, ERR_SYNTAX, "the datetime's time of day is out of range: 23:59:59 is the last second");
    ms += days_of(y, m, d) * DAY + hour * HOUR + minute * MINUTE + second * SECOND - offset;
    *ret = (struct cedar_value){.kind = CEDAR_DATETIME, .i = ms};
    return ERR_OK;
}

static int64_t time_of_day(int64_t v)
{
    int64_t rest = v % DAY;
    return rest < 0 ? rest + DAY : rest;
}

bool cedar_datetime_date(int64_t v, int64_t *ret)
{
    return !__builtin_sub_overflow(v, time_of_day(v), ret);
}

int64_t cedar_datetime_time(int64_t v)
{
    return time_of_day(v);
}

void cedar_datetime_write(int64_t v, char room[static CEDAR_EXT_TEXT])
{
    int64_t rest = time_of_day(v), days = v / DAY - (v % DAY < 0), y;
    int m, d;
    date_of(days, &y, &m, &d);
    room[0] = 0;
    if (y >= 0 && y <= 9999)
        snprintf(room, CEDAR_EXT_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", (int)y, m, d, (int)(rest / HOUR),
                 (int)(rest / MINUTE % 60), (int)(rest / SECOND % 60), (int)(rest % SECOND));
}

static const struct unit {
    const char *name;
    int64_t ms;
} units[] = {{"d", DAY}, {"h", HOUR}, {"m", MINUTE}, {"s", SECOND}, {"ms", 1}};
#define UNITS (sizeof(units) / sizeof(units[0]))

static enum err duration_malformed(struct fault *f)
{
    return fault_set(f, ERR_SYNTAX,
                     "not a duration: numbers with d, h, m, s and ms, in this order, are wanted, as in \"1d12h\"");
}

static enum err duration_overflow(struct fault *f)
{
    return fault_set(f, ERR_SYNTAX, "the duration is out of range: 64 bits of milliseconds are what there is");
}

/* Takes the number and the unit at the front and adds them to *v, downwards when the duration is negative, since the
 * least number has no positive twin. *next is the first unit that may still come. */
static enum err duration_part(struct str *s, bool minus, size_t *next, int64_t *v, struct fault *f)
{
    struct str digits = cedar_digits(s), unit = {s->p, 0};
    int64_t n = 0;
    while (unit.n < s->n && (s->p[unit.n] < '0' || s->p[unit.n] > '9'))
        unit.n++;
    *s = str_skip(*s, unit.n);
    while (*next < UNITS && !str_is(unit, units[*next].name))
        ++*next;
    if (!digits.n || *next == UNITS)
        return duration_malformed(f);
    for (size_t i = 0; i < digits.n; i++)
        if (__builtin_mul_overflow(n, 10, &n) ||
            __builtin_add_overflow(n, minus ? '0' - digits.p[i] : digits.p[i] - '0', &n))
            return duration_overflow(f);
    if (__builtin_mul_overflow(n, units[*next].ms, &n) || __builtin_add_overflow(*v, n, v))
        return duration_overflow(f);
    ++*next;
    return ERR_OK;
}

enum err cedar_duration_parse(struct str text, struct cedar_value *ret, struct fault *f)
{
    struct str s = text;
    bool minus = take_char(&s, '-');
    size_t next = 0;
    int64_t v = 0;
    if (!s.n)
        return duration_malformed(f);
    while (s.n)
        TRY(duration_part(&s, minus, &next, &v, f));
    *ret = (struct cedar_value){.kind = CEDAR_DURATION, .i = v};
    return ERR_OK;
}

void cedar_duration_write(int64_t v, char room[static CEDAR_EXT_TEXT])
{
    uint64_t rest = v < 0 ? -(uint64_t)v : (uint64_t)v;
    size_t n = (size_t)snprintf(room, CEDAR_EXT_TEXT, "%s", v < 0 ? "-" : "");
    for (size_t u = 0; u < UNITS; u++) {
        uint64_t count = rest / (uint64_t)units[u].ms;
        if (count || (v == 0 && u == UNITS - 1))
            n += (size_t)snprintf(room + n, CEDAR_EXT_TEXT - n, "%" PRIu64 "%s", count, units[u].name);
        rest %= (uint64_t)units[u].ms;
    }
}
