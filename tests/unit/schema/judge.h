/* One value before one schema, for the tests of this folder. JSON in the tables is written with ' for ". */
#ifndef TEST_SCHEMA_JUDGE_H
#define TEST_SCHEMA_JUDGE_H

#include "../unit.h"

#include "schema/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static inline enum err judge_compile(const char *schema, const struct schema_source *others,
                                     const struct schema_limits *limits, struct schema **ret, struct fault *f)
{
    char *text = quotes(strdup(schema));
    enum err e = schema_compile(str_of(text), others, limits, ret, f);
    free(text); /* a schema must not need its text any longer */
    return e;
}

static inline enum err judge_value(const struct schema *s, const char *instance, struct fault *f)
{
    struct arena a;
    struct json j;
    char *text = quotes(strdup(instance));
    arena_init(&a, 64u << 20);
    enum err e = json_parse(&j, str_of(text), &a, NULL, f);
    if (!e)
        e = schema_validate(s, &j, JSON_ROOT, &a, f);
    arena_done(&a);
    free(text);
    return e;
}

static inline enum err judge(const char *schema, const char *instance, struct fault *f)
{
    struct schema *s = NULL;
    enum err e = judge_compile(schema, NULL, NULL, &s, f);
    if (!e)
        e = judge_value(s, instance, f);
    schema_unref(s);
    return e;
}

static inline double judge_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

#endif
