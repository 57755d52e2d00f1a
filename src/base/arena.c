#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"

struct arena_block {
    struct arena_block *next;
    size_t size; /* of the bytes behind the header */
    char bytes[] __attribute__((aligned(16)));
};

#define ARENA_FIRST 4096
#define ARENA_SMALL 512
#define ARENA_KEEP  65536 /* a block larger than this is not kept by a reset */

void arena_init(struct arena *a, size_t cap)
{
    *a = (struct arena){.cap = cap, .first = ARENA_FIRST};
}

void arena_init_small(struct arena *a, size_t cap)
{
    *a = (struct arena){.cap = cap, .first = ARENA_SMALL};
}

static void arena_free_blocks(struct arena_block *b)
{
    while (b) {
        struct arena_block *next = b->next;
        free(b);
        b = next;
    }
}

void arena_done(struct arena *a)
{
    arena_free_blocks(a->head);
    *a = (struct arena){.cap = a->cap, .first = a->first, .failed = true};
}

void arena_reset(struct arena *a)
{
    struct arena_block *keep = a->head;
    if (keep) {
        arena_free_blocks(keep->next);
        keep->next = NULL;
        if (keep->size > ARENA_KEEP) {
            free(keep);
            keep = NULL;
        }
    }
    *a = (struct arena){.head = keep, .cap = a->cap, .first = a->first};
    if (keep) {
        a->at = keep->bytes;
        a->end = keep->bytes + keep->size;
        a->total = keep->size;
    }
}

static bool arena_grow(struct arena *a, size_t n)
{
    size_t size = a->head ? a->head->size * 2 : a->first;
    if (size > (1u << 20))
        size = 1u << 20;
    if (size < n)
        size = n;
    if (a->total + size > a->cap)
        size = n; /* the last stretch before the cap is handed out exactly */
    if (size < n || a->total + size > a->cap)
        return false;
    struct arena_block *b = malloc(sizeof(*b) + size);
    if (!b)
        return false;
    b->next = a->head;
    b->size = size;
    a->head = b;
    a->at = b->bytes;
    a->end = b->bytes + size;
    a->total += size;
    return true;
}

void *arena_raw(struct arena *a, size_t n, size_t align)
{
    if (a->failed)
        return NULL;
    size_t pad = (size_t)(-(uintptr_t)a->at & (align - 1));
    if (!a->at || n > SIZE_MAX / 2 || (size_t)(a->end - a->at) < pad || (size_t)(a->end - a->at) - pad < n) {
        if (n > SIZE_MAX / 2 || !arena_grow(a, n + align)) {
            a->failed = true;
            return NULL;
        }
        pad = (size_t)(-(uintptr_t)a->at & (align - 1));
    }
    void *p = a->at + pad;
    a->at += pad + n;
    return p;
}

void *arena_alloc(struct arena *a, size_t n)
{
    void *p = arena_raw(a, n, 16);
    return p ? memset(p, 0, n) : NULL;
}

struct str arena_str(struct arena *a, struct str s)
{
    char *p = arena_raw(a, s.n + 1, 1);
    if (!p)
        return STR_NONE;
    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = 0;
    return (struct str){p, s.n};
}

struct str arena_buf(struct arena *a, const struct buf *b)
{
    a->failed |= buf_failed(b);
    return arena_str(a, buf_view(b));
}

struct str arena_join(struct arena *a, const struct str *part, size_t n)
{
    size_t total = 0;
    for (size_t i = 0; i < n; i++)
        total += part[i].n; /* parts of strings in memory: no overflow */
    char *p = arena_raw(a, total + 1, 1), *to = p;
    if (!p)
        return STR_NONE;
    for (size_t i = 0; i < n; i++) {
        if (part[i].n)
            memcpy(to, part[i].p, part[i].n);
        to += part[i].n;
    }
    *to = 0;
    return (struct str){p, total};
}

struct str arena_fmt(struct arena *a, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    char *p = n < 0 ? NULL : arena_raw(a, (size_t)n + 1, 1);
    if (p)
        vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return p ? (struct str){p, (size_t)n} : STR_NONE;
}

bool arena_failed(const struct arena *a)
{
    return a->failed;
}
