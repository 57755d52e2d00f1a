/* Schemas in tests. ' in a text stands for ". */
#ifndef TEST_CEDAR_SCHEMAS_H
#define TEST_CEDAR_SCHEMAS_H

#include "../unit.h"

#include "schema_same.h"

#include <stdio.h>
#include <stdlib.h>

typedef enum err schema_reading(struct str file, struct str text, struct cedar_schema **ret, struct buf *faults);

static inline struct cedar_schema *schema_made(schema_reading *read, const char *text)
{
    struct cedar_schema *s = NULL;
    struct buf faults;
    char *doubled = quotes(strdup(text));
    buf_init(&faults, 1 << 16);
    if (read(STR("shop"), str_of(doubled), &s, &faults))
        fail_msg("%s\nis refused: " STR_FMT, text, STR_ARG(buf_view(&faults)));
    buf_done(&faults);
    free(doubled);
    return s;
}

static inline struct cedar_schema *schema_of(const char *text)
{
    return schema_made(cedar_schema_parse, text);
}

static inline struct cedar_schema *schema_of_json(const char *text)
{
    return schema_made(cedar_schema_read, text);
}

/* What an author reads; the last line's end is left out. */
static inline void schema_refused(schema_reading *read, struct str text, enum err as, const char *says)
{
    struct cedar_schema *s = NULL;
    struct buf faults;
    buf_init(&faults, 1 << 16);
    enum err e = read(STR("shop"), text, &s, &faults);
    struct str got = buf_view(&faults);
    if (got.n)
        got.n--;
    if (e != as || !str_is(got, says))
        fail_msg(STR_FMT "\n  gives %s: " STR_FMT "\n  and not: %s", STR_ARG(text), err_code(e), STR_ARG(got), says);
    assert_null(s);
    buf_done(&faults);
}

static inline const char *type_words(const struct cedar_type *t, char room[static 512])
{
    struct buf words;
    buf_init(&words, 511);
    cedar_type_print(t, &words);
    snprintf(room, 512, STR_FMT, STR_ARG(buf_view(&words)));
    buf_done(&words);
    return room;
}

static inline const struct cedar_type *attr_of(const struct cedar_schema *s, const char *entity, const char *name)
{
    const struct cedar_entity_type *t = cedar_schema_entity(s, str_of(entity));
    assert_non_null(t);
    const struct cedar_attr *a = cedar_type_attr(t->attrs, str_of(name));
    assert_non_null(a);
    return a->type;
}

#endif
