/*
 * Errors: one enum for the whole house, and the words that go with one.
 *
 * A function that can fail returns `enum err` and leaves its outputs untouched when it does. Where words help, it takes
 * a `struct fault` last and fills it with fault_set(), which returns the code, so that `return fault_set(f, ERR_SYNTAX,
 * …)` reads as one thought. base/ never logs: the cause travels in the fault and is logged once, where it is handled.
 *
 * Never put a secret into a fault: it reaches logs and, for client errors, the client.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#define MUST_USE          __attribute__((warn_unused_result))
#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define CLEANUP(fn)       __attribute__((cleanup(fn)))

enum err {
    ERR_OK = 0,
#define ERR(name, code, http, rpc, help) ERR_##name,
#include "base/err.def"
#undef ERR
    ERR_COUNT
};

struct fault {
    enum err err;
    char
        text[320]; /* one line, no trailing newline; always UTF-8; what would steer a terminal is '?'; cut with "..." */
};

/* The stable code ("rate_limited"), never NULL. */
const char *err_code(enum err e);
int err_http(enum err e);
int err_rpc(enum err e);
const char *err_help(enum err e);
/* The rest of its page: when it happens, and what to do. */
const char *err_when(enum err e);
const char *err_todo(enum err e);

/* Fills *f (which may be NULL) and returns e. A macro, so that compilers and analysers see that an error is what comes
 * back: whatever is set only without one is never read behind it. */
#define fault_set(f, e, ...)                                                                                           \
    ({                                                                                                                 \
        enum err fault_err_ = (e);                                                                                     \
        fault_write((f), fault_err_, __VA_ARGS__);                                                                     \
        fault_err_;                                                                                                    \
    })
void fault_write(struct fault *f, enum err e, const char *fmt, ...) PRINTF(3, 4);
/* Puts "prefix: " before the text of *f; returns f->err. */
enum err fault_wrap(struct fault *f, const char *fmt, ...) PRINTF(2, 3);

#define TRY(expr)                                                                                                      \
    do {                                                                                                               \
        enum err try_err_ = (expr);                                                                                    \
        if (try_err_)                                                                                                  \
            return try_err_;                                                                                           \
    } while (0)

#endif
