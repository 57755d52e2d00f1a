#include "audit/seal_check.h"

#include <stdlib.h>

#include "audit/seal_inner.h"

static int check_cmp(const void *a, const void *b)
{
    const struct seal_there *x = a, *y = b;
    if (x->seq != y->seq)
        return x->seq < y->seq ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

static enum err check_add(struct seal_check *c, const struct seal_frame *frame, struct fault *f)
{
    if (c->n == c->room) {
        size_t room = c->room ? 2 * c->room : 256;
        struct seal_there *more = realloc(c->v, room * sizeof(*more));
        if (!more)
            return fault_set(f, ERR_NOMEM, "no memory for what is sealed");
        c->v = more;
        c->room = room;
    }
    c->v[c->n++] = (struct seal_there){frame->seq, frame->index};
    return ERR_OK;
}

/* All frames of the segment's file. */
static enum err check_load(struct seal_check *c, uint64_t segment, struct fault *f)
{
    struct seal_file file;
    struct seal_frame frame;
    c->n = 0;
    c->segment = segment;
    enum err e = seal_file_open(c->dir, segment, &file, f);
    if (e)
        return e == ERR_NOT_FOUND ? ERR_OK : e;
    while ((e = seal_file_next(&file, &frame, f)) == ERR_OK && (e = check_add(c, &frame, f)) == ERR_OK)
        ;
    seal_file_close(&file);
    if (c->n)
        qsort(c->v, c->n, sizeof(*c->v), check_cmp);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static bool check_there(const struct seal_check *c, uint64_t seq, uint32_t index)
{
    const struct seal_there want = {seq, index};
    return c->n && bsearch(&want, c->v, c->n, sizeof(want), check_cmp);
}

enum err seal_check_entry(struct seal_check *c, uint64_t segment, uint64_t seq, const struct json *entry,
                          struct fault *f)
{
    uint32_t list = json_get(entry, JSON_ROOT, STR("sealed")), index = 0;
    if (json_type(entry, list) != JSON_ARRAY)
        return ERR_OK;
    bool again = c->segment == segment; /* one that is being written has grown since */
    if (!again)
        TRY(check_load(c, segment, f));
    JSON_EACH(entry, list, value)
    {
        (void)value;
        if (!check_there(c, seq, index) && again) {
            again = false;
            TRY(check_load(c, segment, f));
        }
        if (!check_there(c, seq, index))
            return fault_set(f, ERR_CORRUPT, "entry %llu: sealed value %u of it is missing or damaged",
                             (unsigned long long)seq, index);
        index++;
    }
    return ERR_OK;
}

void seal_check_done(struct seal_check *c)
{
    free(c->v);
    *c = (struct seal_check){0};
}
