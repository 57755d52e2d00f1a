/* What every test of this folder begins with. JSON in the tables is written with ' for ". */
#ifndef TEST_BASE_H
#define TEST_BASE_H

#include "../unit.h"

#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>

static inline void assert_str(struct str got, const char *want)
{
    if (!str_is(got, want))
        fail_msg("'" STR_FMT "', not '%s'", STR_ARG(got), want);
}

/* In the arena. */
static inline struct str test_quotes(struct arena *a, const char *text)
{
    return str_of(quotes((char *)arena_str(a, str_of(text)).p));
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
