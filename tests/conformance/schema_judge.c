/*
 * schema_judge: reads lines of {"schema": …, "instance": …} and answers each with a line "valid", "invalid: why" or
 * "error: why". For tests that compare src/schema with another implementation.
 */
#include "schema/schema.h"

#include <stdio.h>
#include <stdlib.h>

static void judge(struct str line, struct arena *a)
{
    struct json j;
    struct fault f = {0};
    struct schema *s CLEANUP(schema_unrefp) = NULL;
    enum err e = json_parse(&j, line, a, NULL, &f);
    uint32_t schema = e ? 0 : json_get(&j, JSON_ROOT, STR("schema")),
             instance = e ? 0 : json_get(&j, JSON_ROOT, STR("instance"));
    if (!e && (!schema || !instance))
        e = fault_set(&f, ERR_PARAMS, "schema and instance are wanted");
    if (!e)
        e = schema_compile(json_raw(&j, schema), NULL, NULL, &s, &f);
    if (!e)
        e = schema_validate(s, &j, instance, a, &f);
    if (!e)
        puts("valid");
    else
        printf("%s: %s\n", e == ERR_SCHEMA ? "invalid" : "error", f.text);
}

int main(void)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    struct arena a;
    arena_init(&a, 64u << 20);
    while ((n = getline(&line, &cap, stdin)) > 0) {
        judge((struct str){line, (size_t)n}, &a);
        arena_reset(&a);
    }
    arena_done(&a);
    free(line);
    return 0;
}
