/* What every test of this folder begins with. JSON in the tables is written with ' for ". */
#ifndef TEST_BASE_H
#define TEST_BASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static inline void assert_str(struct str got, const char *want)
{
    if (!str_is(got, want))
        fail_msg("'" STR_FMT "', not '%s'", STR_ARG(got), want);
}

/* In the arena. */
static inline struct str test_quotes(struct arena *a, const char *text)
{
    char *copy = (char *)arena_str(a, str_of(text)).p;
    for (char *c = copy; *c; c++)
        if (*c == '\'')
            *c = '"';
    return str_of(copy);
}

static inline struct json test_json(struct arena *a, struct str text)
{
    struct json j;
    struct fault f = {0};
    if (json_parse(&j, text, a, NULL, &f))
        fail_msg(STR_FMT ": %s", STR_ARG(text), f.text);
    return j;
}

#endif
