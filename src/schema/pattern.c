/*
 * Patterns run by PCRE2, compiled to machine code where the system lets it.
 *
 * What one match costs is counted, not timed, so that a verdict never depends on the machine: PCRE2_AUTO_CALLOUT calls
 * back before every item of the pattern, which is also what every backtrack passes through. Each call draws a toll from
 * the budget of steps, and what was run over since the last one (`x*` is one item however long the text) draws more.
 * Its own match limit is no substitute: it starts again at each position of the text.
 */
#include "schema/inner.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

#define PATTERN_NEST     64
#define PATTERN_JIT_MAX  16384 /* bytes of compiled code; a larger one is interpreted */
#define PATTERN_MATCHES  10000000
#define PATTERN_HEAP_KIB 16384
#define PATTERN_PER_STEP 64 /* characters run over for one step */
#define PATTERN_BACKREF  16 /* a back reference compares up to the whole text each time */

struct schema_pattern {
    pcre2_code *code;
    size_t size;
    uint32_t repeat;
    bool backreference;
    struct str source;
    char text[];
};

static enum err pattern_compile(struct schema_pattern *p, const struct buf *rewritten, struct fault *f)
{
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    if (!context)
        return fault_set(f, ERR_NOMEM, "no memory for a pattern");
    pcre2_set_parens_nest_limit(context, PATTERN_NEST);
    int code;
    PCRE2_SIZE at;
    p->code = pcre2_compile((PCRE2_SPTR)(rewritten->p ? rewritten->p : ""), rewritten->n,
                            PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_MATCH_UNSET_BACKREF | PCRE2_NEVER_BACKSLASH_C |
                                PCRE2_AUTO_CALLOUT,
                            &code, &at, context);
    pcre2_compile_context_free(context);
    if (!p->code) {
        PCRE2_UCHAR why[128] = "";
        pcre2_get_error_message(code, why, sizeof(why));
        return fault_set(f, ERR_SCHEMA_UNUSABLE, "the pattern cannot be used: %s", (const char *)why);
    }
    pcre2_pattern_info(p->code, PCRE2_INFO_SIZE, &p->size);
    if (p->size <= PATTERN_JIT_MAX)
        (void)pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE); /* without it the pattern is interpreted */
    return ERR_OK;
}

enum err schema_pattern_new(struct str source, struct schema_pattern **ret, struct fault *f)
{
    struct schema_pattern *p = calloc(1, sizeof(*p) + source.n + 1);
    if (!p)
        return fault_set(f, ERR_NOMEM, "no memory for a pattern");
    if (source.n)
        memcpy(p->text, source.p, source.n);
    p->source = (struct str){p->text, source.n};
    struct buf rewritten;
    buf_init(&rewritten, source.n * 256 + 64);
    struct schema_ecma ecma = {0};
    enum err e = schema_ecma_translate(source, &rewritten, &ecma, f);
    if (!e)
        e = pattern_compile(p, &rewritten, f);
    buf_done(&rewritten);
    if (e) {
        schema_pattern_free(p);
        return e;
    }
    p->repeat = ecma.repeat;
    p->backreference = ecma.backreference;
    *ret = p;
    return ERR_OK;
}

void schema_pattern_free(struct schema_pattern *p)
{
    if (!p)
        return;
    pcre2_code_free(p->code);
    free(p);
}

struct str schema_pattern_source(const struct schema_pattern *p)
{
    return p->source;
}

size_t schema_pattern_size(const struct schema_pattern *p)
{
    return p->size;
}

static int pattern_toll(pcre2_callout_block *block, void *data)
{
    struct schema_meter *m = data;
    size_t at = block->current_position, ran = at > m->last ? at - m->last : m->last - at;
    m->last = at;
    return schema_spend(m->steps, m->toll + ran / PATTERN_PER_STEP) ? 0 : PCRE2_ERROR_CALLOUT;
}

static bool matcher_ready(struct schema_matcher *m)
{
    if (m->context)
        return true;
    m->data = pcre2_match_data_create(1, NULL);
    m->context = m->data ? pcre2_match_context_create(NULL) : NULL;
    if (!m->context)
        return false;
    pcre2_set_match_limit(m->context, PATTERN_MATCHES);
    pcre2_set_heap_limit(m->context, PATTERN_HEAP_KIB);
    pcre2_set_callout(m->context, pattern_toll, &m->meter);
    return true;
}

void schema_matcher_done(struct schema_matcher *m)
{
    pcre2_match_context_free(m->context);
    pcre2_match_data_free(m->data);
    *m = (struct schema_matcher){0};
}

enum err schema_pattern_match(const struct schema_pattern *p, struct schema_matcher *m, uint32_t *steps, struct str s,
                              bool *ret)
{
    if (!matcher_ready(m))
        return ERR_NOMEM;
    m->meter.steps = steps;
    m->meter.toll = 1 + p->repeat / PATTERN_PER_STEP;
    if (p->backreference)
        m->meter.toll += (uint32_t)(s.n / PATTERN_BACKREF);
    m->meter.last = 0;
    /* The text comes from the JSON tape, which has checked its UTF-8. */
    int rc = pcre2_match(p->code, (PCRE2_SPTR)s.p, s.n, 0, PCRE2_NO_UTF_CHECK, m->data, m->context);
    if (rc == PCRE2_ERROR_JIT_STACKLIMIT) /* its stack is 32 KiB of the thread's; the interpreter has the heap */
        rc = pcre2_match(p->code, (PCRE2_SPTR)s.p, s.n, 0, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, m->data, m->context);
    if (rc < 0 && rc != PCRE2_ERROR_NOMATCH)
        return rc == PCRE2_ERROR_NOMEMORY ? ERR_NOMEM : ERR_LIMIT;
    *ret = rc >= 0;
    return ERR_OK;
}
