/* What the fuzz targets have in common. */
#ifndef FUZZ_H
#define FUZZ_H

#include "base/err.h"
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>

/* The target itself. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* In every build; the fuzzer takes the abort for a find, and so does the replay. */
#define CHECK(expr)                                                                                                    \
    do {                                                                                                               \
        if (!(expr)) {                                                                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #expr);                                                 \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

/* Text for people: UTF-8, without a control character. */
static inline void line_checked(struct str line)
{
    CHECK(str_utf8_valid(line));
    for (size_t i = 0; i < line.n; i++)
        CHECK((unsigned char)line.p[i] >= 0x20 && line.p[i] != 0x7f);
}

/* What failed says so in words. */
static inline void words_checked(enum err e, const struct fault *f)
{
    if (!e)
        return;
    CHECK(f->err == e && f->text[0] && memchr(f->text, 0, sizeof(f->text)));
    line_checked(str_of(f->text));
}

#endif
