#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

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

/* Untrusted input may be quoted in a fault; a line must stay a line, and a terminal must not be steered. */
static void fault_tidy(char *text, size_t cap, size_t wanted)
{
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    if (wanted < cap)
        return;
    size_t end = cap - 4;
    while (end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80)
        end--; /* never cut inside a character */
    memcpy(text + end, "...", 4);
}

PRINTF(2, 0) static void fault_format(struct fault *f, const char *fmt, va_list args)
{
    int n = vsnprintf(f->text, sizeof(f->text), fmt, args);
    if (n < 0)
        f->text[0] = 0;
    fault_tidy(f->text, sizeof(f->text), n < 0 ? 0 : (size_t)n);
}

enum err fault_set(struct fault *f, enum err e, const char *fmt, ...)
{
    if (!f)
        return e;
    va_list args;
    va_start(args, fmt);
    fault_format(f, fmt, args);
    va_end(args);
    f->err = e;
    return e;
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
