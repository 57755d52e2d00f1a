#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

struct err_row {
    const char *code, *help;
    int http, rpc;
};

static const struct err_row err_table[ERR_COUNT] = {
    [ERR_OK] = {"ok", "No error.", 200, 0},
#define ERR(name, code, http, rpc, help) [ERR_##name] = {code, help, http, rpc},
#include "base/err.def"
#undef ERR
};

static const struct {
    const char *when, *todo;
} err_page[ERR_COUNT] = {
    [ERR_OK] = {"", ""},
#define ERR_PAGE(name, when, todo) [ERR_##name] = {when, todo},
#include "base/err_page.def"
#undef ERR_PAGE
};

static const struct err_row *err_row(enum err e)
{
    return (unsigned)e < ERR_COUNT ? &err_table[e] : &err_table[ERR_INTERNAL];
}

const char *err_code(enum err e)
{
    return err_row(e)->code;
}

int err_http(enum err e)
{
    return err_row(e)->http;
}

int err_rpc(enum err e)
{
    return err_row(e)->rpc;
}

const char *err_help(enum err e)
{
    return err_row(e)->help;
}

const char *err_when(enum err e)
{
    return (unsigned)e < ERR_COUNT && err_page[e].when ? err_page[e].when : "";
}

const char *err_todo(enum err e)
{
    return (unsigned)e < ERR_COUNT && err_page[e].todo ? err_page[e].todo : "";
}

/* Untrusted input may be quoted in a fault; a line must stay a line, and a terminal must not be steered. */
static size_t fault_char(const char *p)
{
    unsigned char c = (unsigned char)*p;
    size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    return strnlen(p, n) == n && str_utf8_valid((struct str){p, n}) ? n : 0;
}

/* Control characters (C0, DEL, C1), line separators, and what turns the direction of writing. */
static bool fault_steers(const char *p, size_t n)
{
    const unsigned char *u = (const unsigned char *)p;
    switch (n) {
    case 1: return u[0] < 0x20 || u[0] == 0x7f;
    case 2: return (u[0] == 0xc2 && u[1] < 0xa0) || (u[0] == 0xd8 && u[1] == 0x9c); /* U+0080..9F, U+061C */
    case 3:
        if (u[0] != 0xe2)
            return false;
        if (u[1] == 0x80) /* U+200E, 200F, 2028..202E */
            return u[2] == 0x8e || u[2] == 0x8f || (u[2] >= 0xa8 && u[2] <= 0xae);
        return u[1] == 0x81 && u[2] >= 0xa6 && u[2] <= 0xa9; /* U+2066..2069 */
    default: return false;
    }
}

static void fault_tidy(char *text, size_t cap, size_t wanted)
{
    if (wanted >= cap) {
        size_t end = cap - 4;
        for (int i = 0; i < 3 && ((unsigned char)text[end] & 0xc0) == 0x80; i++)
            end--; /* never cut inside a character */
        memcpy(text + end, "...", 4);
    }
    char *to = text;
    for (const char *from = text; *from;) {
        size_t n = fault_char(from);
        if (n == 0 || fault_steers(from, n))
            *to++ = '?';
        else
            for (size_t i = 0; i < n; i++)
                *to++ = from[i];
        from += n ? n : 1;
    }
    *to = 0;
}

PRINTF(2, 0) static void fault_format(struct fault *f, const char *fmt, va_list args)
{
    int n = vsnprintf(f->text, sizeof(f->text), fmt, args);
    if (n < 0)
        f->text[0] = 0;
    fault_tidy(f->text, sizeof(f->text), n < 0 ? 0 : (size_t)n);
}

void fault_write(struct fault *f, enum err e, const char *fmt, ...)
{
    if (!f)
        return;
    va_list args;
    va_start(args, fmt);
    fault_format(f, fmt, args);
    va_end(args);
    f->err = e;
}

enum err fault_wrap(struct fault *f, const char *fmt, ...)
{
    if (!f)
        return ERR_INTERNAL;
    struct fault inner = *f;
    va_list args;
    va_start(args, fmt);
    fault_format(f, fmt, args);
    va_end(args);
    size_t at = strlen(f->text);
    int n = snprintf(f->text + at, sizeof(f->text) - at, ": %s", inner.text);
    fault_tidy(f->text, sizeof(f->text), at + (n < 0 ? 0 : (size_t)n));
    return f->err;
}
