/* Time zones, against the C library's own reading of the same database. */
#include "../unit.h"

#include "policy/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void offsets_are_those_of_the_system(void **state)
{
    (void)state;
    static const char *const names[] = {"UTC",           "Europe/Berlin",     "America/New_York",  "Australia/Sydney",
                                        "Asia/Kolkata",  "America/Sao_Paulo", "Africa/Casablanca", "Pacific/Chatham",
                                        "Europe/Dublin", "Asia/Gaza"};
    if (access("/usr/share/zoneinfo/Europe/Berlin", R_OK) < 0)
        skip();
    for (size_t i = 0; i < COUNT(names); i++) {
        struct arena a;
        struct fault f = {.text = ""};
        const struct zone *z;
        arena_init(&a, 1 << 21);
        if (zone_load(str_of(names[i]), &a, &z, &f))
            fail_msg("%s: %s", names[i], f.text);
        setenv("TZ", names[i], 1);
        tzset();
        for (int64_t t = 0; t < INT64_C(3000000000); t += 30011) { /* 1970 to 2065: behind the last transition, too */
            struct tm tm;
            time_t at = (time_t)t;
            localtime_r(&at, &tm);
            if (zone_offset(z, t) != tm.tm_gmtoff)
                fail_msg("%s at %lld: %d, and the system says %ld", names[i], (long long)t, zone_offset(z, t),
                         tm.tm_gmtoff);
        }
        arena_done(&a);
    }
}

/* A file of one kind of time and a rule: as databases are that leave out what the rule says. */
static struct str slim(const char *rule, char *out)
{
    static const unsigned char head[44] = {'T', 'Z', 'i', 'f', '2', [39] = 1, [43] = 4};
    size_t n = 0;
    for (int block = 0; block < 2; block++) {
        memcpy(out + n, head, sizeof(head));
        n += sizeof(head);
        memcpy(out + n, "\0\0\0\0\0\0XXX", 10);
        n += 10;
    }
    return (struct str){out, n + (size_t)sprintf(out + n, "\n%s\n", rule)};
}

static void a_rule_alone_is_enough(void **state)
{
    (void)state;
    static const struct {
        const char *rule, *date;
        int64_t t;
        int32_t offset;
    } rows[] = {
        {"CET-1CEST,M3.5.0,M10.5.0/3", "2026-03-29T00:59:59Z", 1774745999, 3600},
        {"CET-1CEST,M3.5.0,M10.5.0/3", "2026-03-29T01:00:00Z", 1774746000, 7200},
        {"CET-1CEST,M3.5.0,M10.5.0/3", "2026-10-25T00:59:59Z", 1792889999, 7200},
        {"CET-1CEST,M3.5.0,M10.5.0/3", "2026-10-25T01:00:00Z", 1792890000, 3600},
        {"AEST-10AEDT,M10.1.0,M4.1.0/3", "2026-01-01T00:00:00Z", 1767225600, 39600},
        {"AEST-10AEDT,M10.1.0,M4.1.0/3", "2026-07-01T00:00:00Z", 1782864000, 36000},
        {"<+0530>-5:30", "2026-07-01T00:00:00Z", 1782864000, 19800},
        {"EST5", "2026-07-01T00:00:00Z", 1782864000, -18000},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena a;
        struct fault f = {.text = ""};
        const struct zone *z;
        char bytes[400];
        arena_init(&a, 1 << 16);
        if (zone_read(slim(rows[i].rule, bytes), &a, &z, &f))
            fail_msg("%s: %s", rows[i].rule, f.text);
        if (zone_offset(z, rows[i].t) != rows[i].offset)
            fail_msg("%s at %s: %d", rows[i].rule, rows[i].date, zone_offset(z, rows[i].t));
        arena_done(&a);
    }
}

static void what_is_no_zone_is_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"", "Nowhere/Atall", "../../etc/passwd", "/etc/passwd", "Europe", "."};
    for (size_t i = 0; i < COUNT(names); i++) {
        struct arena a;
        struct fault f = {.text = ""};
        const struct zone *z;
        arena_init(&a, 1 << 20);
        assert_int_equal(zone_load(str_of(names[i]), &a, &z, &f), ERR_NOT_FOUND);
        assert_non_null(strstr(f.text, "Europe/Berlin"));
        arena_done(&a);
    }
    for (size_t n = 0; n < 120; n++) { /* cut off anywhere */
        struct arena a;
        struct fault f;
        const struct zone *z;
        char bytes[400], *copy = malloc(n + 1);
        struct str whole = slim("CET-1CEST,M3.5.0,M10.5.0/3", bytes);
        memcpy(copy, whole.p, n);
        arena_init(&a, 1 << 16);
        if (zone_read((struct str){copy, n}, &a, &z, &f) == ERR_OK)
            zone_offset(z, 1774745999);
        arena_done(&a);
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets_are_those_of_the_system),
        cmocka_unit_test(a_rule_alone_is_enough),
        cmocka_unit_test(what_is_no_zone_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
