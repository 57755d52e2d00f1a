#include "base/clock.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

int64_t clock_wall_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_mono_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static char clock_boot_id[40];
static size_t clock_boot_bytes;

static void clock_boot_read(void)
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, clock_boot_id, 36);
    if (fd >= 0)
        close(fd);
    clock_boot_bytes = n == 36 ? 36 : 0;
}

struct str clock_boot(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, clock_boot_read);
    return (struct str){clock_boot_id, clock_boot_bytes};
}

int64_t clock_left(const struct clock_end *end, int64_t newest_ms)
{
    int64_t now = clock_wall_ms(), left, mono;
    now = now > newest_ms ? now : newest_ms;
    now = now > end->written_ms ? now : end->written_ms;
    if (__builtin_sub_overflow(end->wall_ms, now, &left))
        return 0;
    struct str boot = clock_boot();
    if (boot.n && str_eq(boot, end->boot)) {
        if (__builtin_sub_overflow(end->mono_ns, clock_mono_ns(), &mono))
            return 0;
        left = mono / 1000000 < left ? mono / 1000000 : left;
    }
    return left > 0 ? left : 0;
}

void clock_cond_init(pthread_cond_t *c)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(c, &attr);
    pthread_condattr_destroy(&attr);
}

/* Days since 1970 and back, proleptic Gregorian (H. Hinnant, "chrono-compatible low-level date algorithms"). */
static int64_t clock_days(int64_t y, unsigned m, unsigned d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    unsigned yoe = (unsigned)(y - era * 400);
    unsigned doy = (153 * (m + (m > 2 ? -3u : 9u)) + 2) / 5 + d - 1;
    return era * 146097 + (int64_t)(yoe * 365 + yoe / 4 - yoe / 100 + doy) - 719468;
}

static void clock_civil(int64_t days, int64_t *y, unsigned *m, unsigned *d)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    unsigned doe = (unsigned)(days - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153;
    *d = doy - (153 * mp + 2) / 5 + 1;
    *m = mp < 10 ? mp + 3 : mp - 9;
    *y = (int64_t)yoe + era * 400 + (*m <= 2);
}

static void clock_digits(char *at, unsigned v, int width)
{
    for (int i = width - 1; i >= 0; i--, v /= 10)
        at[i] = (char)('0' + v % 10);
}

/* 0000-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z: a year has four digits. */
#define CLOCK_FIRST INT64_C(-62167219200000)
#define CLOCK_LAST  INT64_C(253402300799999)

void clock_format(int64_t wall_ms, char ret[CLOCK_RFC3339])
{
    if (wall_ms < CLOCK_FIRST)
        wall_ms = CLOCK_FIRST;
    if (wall_ms > CLOCK_LAST)
        wall_ms = CLOCK_LAST;
    int64_t days = wall_ms / 86400000, rest = wall_ms % 86400000, year;
    if (rest < 0) {
        rest += 86400000;
        days--;
    }
    unsigned month, day;
    clock_civil(days, &year, &month, &day);
    memcpy(ret, "0000-00-00T00:00:00.000Z", CLOCK_RFC3339);
    clock_digits(ret, (unsigned)year, 4);
    clock_digits(ret + 5, month, 2);
    clock_digits(ret + 8, day, 2);
    clock_digits(ret + 11, (unsigned)(rest / 3600000), 2);
    clock_digits(ret + 14, (unsigned)(rest / 60000 % 60), 2);
    clock_digits(ret + 17, (unsigned)(rest / 1000 % 60), 2);
    clock_digits(ret + 20, (unsigned)(rest % 1000), 3);
}

void clock_kv(struct json_out *o, const char *key, int64_t wall_ms)
{
    char text[CLOCK_RFC3339];
    if (!wall_ms) {
        json_kv_null(o, key);
        return;
    }
    clock_format(wall_ms, text);
    json_kv_z(o, key, text);
}

static bool clock_number(struct str *s, size_t digits, unsigned *ret)
{
    uint64_t v;
    if (s->n < digits || !str_u64((struct str){s->p, digits}, &v))
        return false;
    *ret = (unsigned)v;
    *s = str_skip(*s, digits);
    return true;
}

static bool clock_char(struct str *s, char c)
{
    if (!s->n || s->p[0] != c)
        return false;
    *s = str_skip(*s, 1);
    return true;
}

static unsigned clock_month_days(unsigned year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

static bool clock_offset(struct str *s, int64_t *ret_minutes)
{
    if (clock_char(s, 'Z') || clock_char(s, 'z')) {
        *ret_minutes = 0;
        return true;
    }
    int sign = clock_char(s, '+') ? 1 : clock_char(s, '-') ? -1 : 0;
    unsigned hours, minutes;
    if (!sign || !clock_number(s, 2, &hours) || !clock_char(s, ':') || !clock_number(s, 2, &minutes) || hours > 23 ||
        minutes > 59)
        return false;
    *ret_minutes = sign * (int64_t)(hours * 60 + minutes);
    return true;
}

enum err clock_parse(struct str s, int64_t *ret)
{
    unsigned y, mo, d, h, mi, sec, ms = 0;
    if (!clock_number(&s, 4, &y) || !clock_char(&s, '-') || !clock_number(&s, 2, &mo) || !clock_char(&s, '-') ||
        !clock_number(&s, 2, &d))
        return ERR_SYNTAX;
    if (!clock_char(&s, 'T') && !clock_char(&s, 't') && !clock_char(&s, ' '))
        return ERR_SYNTAX;
    if (!clock_number(&s, 2, &h) || !clock_char(&s, ':') || !clock_number(&s, 2, &mi) || !clock_char(&s, ':') ||
        !clock_number(&s, 2, &sec))
        return ERR_SYNTAX;
    if (clock_char(&s, '.')) {
        unsigned digits = 0;
        for (; s.n && s.p[0] >= '0' && s.p[0] <= '9'; s = str_skip(s, 1), digits++)
            if (digits < 3)
                ms = ms * 10 + (unsigned)(s.p[0] - '0');
        if (digits == 0)
            return ERR_SYNTAX;
        for (; digits < 3; digits++)
            ms *= 10;
    }
    int64_t offset;
    if (!clock_offset(&s, &offset) || s.n)
        return ERR_SYNTAX;
    if (mo < 1 || mo > 12 || d < 1 || d > clock_month_days(y, mo) || h > 23 || mi > 59 || sec > 60)
        return ERR_SYNTAX;
    *ret = ((clock_days(y, mo, d) * 24 + h) * 60 + mi - offset) * 60000 + (int64_t)sec * 1000 + ms;
    return ERR_OK;
}

enum err clock_duration(struct str text, int64_t *ret_ms)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    size_t digits = 0;
    while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9')
        digits++;
    uint64_t v;
    if (!str_u64((struct str){text.p, digits}, &v) || v > INT32_MAX * 1000ull)
        return ERR_SYNTAX;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (str_is(str_skip(text, digits), units[i].unit)) {
            int64_t ms;
            if (__builtin_mul_overflow((int64_t)v, units[i].ms, &ms))
                return ERR_SYNTAX;
            *ret_ms = ms;
            return ERR_OK;
        }
    }
    return ERR_SYNTAX;
}

enum err clock_moment(struct str text, int64_t now_ms, int64_t *ret)
{
    static const char midnight[] = "T00:00:00Z";
    enum { DATE = 10 };
    char day[DATE + sizeof(midnight)];
    int64_t ms;
    if (clock_duration(text, &ms) == ERR_OK) {
        *ret = now_ms - ms;
        return ERR_OK;
    }
    if (text.n != DATE)
        return clock_parse(text, ret);
    memcpy(day, text.p, DATE);
    memcpy(day + DATE, midnight, sizeof(midnight));
    return clock_parse(str_of(day), ret);
}
