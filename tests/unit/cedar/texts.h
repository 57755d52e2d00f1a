/* Policies from texts, and what is said of texts that are none, for the tests of this folder. ' is written for ". */
#ifndef TEST_CEDAR_TEXTS_H
#define TEST_CEDAR_TEXTS_H

#include "../unit.h"

#include "cedar/est.h"
#include "cedar/parse.h"
#include "cedar/print.h"

#include <stdio.h>
#include <stdlib.h>

#define TEXTS_MEMORY  ((size_t)256 << 20)
#define IN_WHEN(expr) "permit(principal, action, resource) when { " expr " };"

/* As it is, without putting quotes right. */
static inline struct cedar_policies *texts_raw(struct str text)
{
    struct cedar_policies *ps = cedar_policies_new(TEXTS_MEMORY);
    struct buf faults;
    buf_init(&faults, 1 << 16);
    if (cedar_parse(ps, STR("p"), text, &faults))
        fail_msg(STR_FMT ": " STR_FMT, STR_ARG(text), STR_ARG(buf_view(&faults)));
    buf_done(&faults);
    return ps;
}

static inline struct cedar_policies *texts_read(const char *text)
{
    char *doubled = quotes(strdup(text));
    struct cedar_policies *ps = texts_raw(str_of(doubled));
    free(doubled); /* policies must not need their text any longer */
    return ps;
}

/* The faults, with ' for " again and without the file's name; the next call takes them back. */
static inline const char *texts_faults(const char *text)
{
    static char said[8192];
    struct cedar_policies *ps = cedar_policies_new(TEXTS_MEMORY);
    struct buf faults;
    char *doubled = quotes(strdup(text));
    buf_init(&faults, sizeof(said) - 1);
    enum err e = cedar_parse(ps, STR_NONE, str_of(doubled), &faults);
    assert_true(e == ERR_OK || e == ERR_SYNTAX);
    assert_int_equal(e == ERR_OK, faults.n == 0);
    if (e)
        assert_int_equal(ps->n, 0); /* all or nothing */
    struct str lines = buf_view(&faults);
    snprintf(said, sizeof(said), STR_FMT, STR_ARG(lines));
    for (char *c = said; *c; c++)
        if (*c == '"')
            *c = '\'';
    free(doubled);
    buf_done(&faults);
    cedar_policies_free(ps);
    return said;
}

static inline void texts_say(const char *text, const char *faults)
{
    const char *said = texts_faults(text);
    if (strcmp(said, faults) != 0)
        fail_msg("%s\nis answered with\n%snot with\n%s", text, said, faults);
}

/* An expression on its own. */
static inline const struct cedar_expr *texts_expr(const char *text, struct arena *a)
{
    const struct cedar_expr *e = NULL;
    struct fault f = {0};
    char *doubled = quotes(strdup(text));
    if (cedar_parse_expr(str_of(doubled), a, &e, &f))
        fail_msg("%s: %s", text, f.text);
    free(doubled);
    return e;
}

/* What was written to a buffer is `want`, with ' for ". */
static inline void texts_equal(struct buf *b, const char *want)
{
    buf_char(b, 0);
    assert_false(buf_failed(b));
    for (char *c = b->p; *c; c++)
        if (*c == '"')
            *c = '\'';
    assert_string_equal(b->p, want);
    buf_done(b);
}

#endif
