/* One entry in another form. Entries are written with ' for ". */
#ifndef TEST_SINK_FORMATTED_H
#define TEST_SINK_FORMATTED_H

#include "../unit.h"

#include "sink/format.h"

#include <stdlib.h>
#include <string.h>

#define EVENT(name) "'event':'" name "','seq':7,'timestamp':'2026-11-24T18:00:00.250Z'"

/* What is written of it, to be freed; NULL: it has no such form. */
static inline char *formatted_how(const struct sink_format *format, const struct sink_format_how *how, uint64_t seq,
                                  const char *entry)
{
    struct arena a;
    struct json j;
    struct buf out;
    struct fault f = {.text = ""};
    char *text = quotes(strdup(entry));
    arena_init(&a, 1 << 24);
    buf_init(&out, 1 << 24);
    if (json_parse(&j, str_of(text), &a, NULL, &f))
        fail_msg("%s: %s", f.text, text);
    struct sink_entry e = {.seq = seq, .text = str_of(text), .doc = &j};
    tlog_leaf(e.text, &e.leaf);
    bool written = format->write(&e, how, &out);
    assert_false(buf_failed(&out));
    assert_int_equal(written ? 0 : out.n, 0);
    char *copy = written ? strndup(out.p, out.n) : NULL;
    buf_done(&out);
    arena_done(&a);
    free(text);
    return copy;
}

static inline char *formatted(const struct sink_format *format, const char *entry)
{
    return formatted_how(format, NULL, 7, entry);
}

/* Is it JSON, and does it hold this, written with ' for "? */
static inline void says(const char *text, const char *part)
{
    struct arena a;
    struct json j;
    struct fault f = {.text = ""};
    char *want = quotes(strdup(part));
    arena_init(&a, 1 << 24);
    if (json_parse(&j, str_of(text), &a, NULL, &f))
        fail_msg("%s: %s", f.text, text);
    if (!strstr(text, want))
        fail_msg("%s\nis not in\n%s", want, text);
    free(want);
    arena_done(&a);
}

static inline void says_not(const char *text, const char *part)
{
    char *want = quotes(strdup(part));
    if (strstr(text, want))
        fail_msg("%s\nis in\n%s", want, text);
    free(want);
}

#endif
