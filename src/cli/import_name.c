/* Names that fit: doorward.yaml takes lower-case letters, digits and hyphens, 1 to 32 of them, no hyphen first. */
#include "cli/import.h"

enum { FIT_MAX = 32 };

const char *import_fit(struct str label, struct arena *a)
{
    char name[FIT_MAX + 1];
    size_t n = 0;
    for (size_t i = 0; i < label.n && n < FIT_MAX; i++) {
        char c = label.p[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c + 32);
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            name[n++] = c;
        else if (n && name[n - 1] != '-')
            name[n++] = '-';
    }
    while (n && name[n - 1] == '-')
        n--;
    struct str copy = n ? arena_str(a, (struct str){name, n}) : STR("server");
    return copy.p ? copy.p : "server";
}

static bool name_taken(const struct import *im, size_t before, const struct conf_servers *taken, const char *name)
{
    for (size_t i = 0; i < taken->n; i++)
        if (str_is(taken->v[i].name, name))
            return true;
    for (size_t i = 0; i < before; i++)
        if (!im->server[i].left_out && strcmp(im->server[i].name, name) == 0)
            return true;
    return false;
}

void import_names(struct import *im, const struct conf_servers *taken, struct arena *a)
{
    for (size_t i = 0; i < im->count; i++) {
        struct import_server *s = &im->server[i];
        struct str base = str_of(import_fit(s->label, a));
        s->name = base.p;
        for (unsigned n = 2; !s->left_out && name_taken(im, i, taken, s->name); n++) {
            char tail[16];
            size_t t = (size_t)snprintf(tail, sizeof(tail), "-%u", n);
            size_t keep = base.n + t > FIT_MAX ? FIT_MAX - t : base.n;
            const char *next = arena_fmt(a, "%.*s%s", (int)keep, base.p, tail).p;
            if (!next)
                break;
            s->name = next;
        }
    }
}
