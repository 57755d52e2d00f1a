/* Which keys have other values than before: names only, since a value may be anybody's. For the record. */
#include <stdio.h>

#include "conf/table.h"

enum { CHANGED_PATH = 1024 };

struct changed {
    struct json_out *o;
    size_t n, max;
};

static bool changed_strings(const struct conf_strings *a, const struct conf_strings *b)
{
    if (a->n != b->n)
        return true;
    for (size_t i = 0; i < a->n; i++)
        if (!str_eq(a->v[i], b->v[i]))
            return true;
    return false;
}

static bool changed_cidrs(const struct conf_cidrs *a, const struct conf_cidrs *b)
{
    if (a->n != b->n)
        return true;
    for (size_t i = 0; i < a->n; i++)
        if (a->v[i].bits != b->v[i].bits || memcmp(a->v[i].address, b->v[i].address, sizeof(a->v[i].address)) != 0)
            return true;
    return false;
}

static bool changed_secret(const struct secret *a, const struct secret *b)
{
    if (!a || !b)
        return a != b;
    return !secret_eq(a, (struct str){(const char *)secret_bytes(b), secret_len(b)});
}

static bool changed_secrets(const struct conf_pairs *a, const struct conf_pairs *b)
{
    if (a->n != b->n)
        return true;
    for (size_t i = 0; i < a->n; i++)
        if (!str_eq(a->v[i].name, b->v[i].name) || changed_secret(a->v[i].value, b->v[i].value))
            return true;
    return false;
}

static bool changed_value(const struct conf_key *k, const void *a, const void *b)
{
    const struct conf_rate *rate = a, *other_rate = b;
    const struct conf_hours *hours = a, *other_hours = b;
    if (conf_words(k->type))
        return *(const int64_t *)a != *(const int64_t *)b;
    switch (k->type) {
    case CONF_INT:
    case CONF_BYTES:
    case CONF_DURATION: return *(const int64_t *)a != *(const int64_t *)b;
    case CONF_RATE: return rate->count != other_rate->count || rate->per_ms != other_rate->per_ms;
    case CONF_HOURS: return hours->from != other_hours->from || hours->to != other_hours->to;
    case CONF_SECRET: return changed_secret(*(struct secret *const *)a, *(struct secret *const *)b);
    case CONF_STRINGS:
    case CONF_PATHS: return changed_strings(a, b);
    case CONF_CIDRS: return changed_cidrs(a, b);
    case CONF_SECRETS: return changed_secrets(a, b);
    default: return !str_eq(*(const struct str *)a, *(const struct str *)b);
    }
}

static void changed_tell(struct changed *c, struct str path)
{
    if (c->n++ < c->max)
        json_put_str(c->o, path);
}

/* A path that is too long to be told is told as far as it goes. */
static struct str changed_path(char to[CHANGED_PATH], struct str path, const char *before, struct str name,
                               const char *after)
{
    struct buf b;
    buf_init(&b, CHANGED_PATH);
    buf_str(&b, path);
    buf_z(&b, path.n || before[0] != '.' ? before : "");
    buf_str(&b, name);
    buf_z(&b, after);
    struct str whole = buf_failed(&b) ? path : buf_view(&b);
    if (whole.n)
        memmove(to, whole.p, whole.n);
    buf_done(&b);
    return (struct str){to, whole.n};
}

static void changed_section(struct changed *c, struct str path, enum conf_section s, const char *a, const char *b);

static const char *changed_find(const struct conf_servers *list, size_t size, struct str name)
{
    const char *item = (const char *)list->v; /* all arrays have one layout, and a map's items begin with their name */
    for (size_t i = 0; i < list->n; i++, item += size)
        if (str_eq(*(const struct str *)(const void *)item, name))
            return item;
    return NULL;
}

/* Those of a that are not in b, and with `both` those that are and differ. */
static void changed_map(struct changed *c, struct str path, enum conf_section part, const struct conf_servers *a,
                        const struct conf_servers *b, bool both)
{
    char text[CHANGED_PATH];
    const char *item = (const char *)a->v;
    size_t size = conf_part_size(part);
    for (size_t i = 0; i < a->n; i++, item += size) {
        struct str name = *(const struct str *)(const void *)item;
        const char *other = changed_find(b, size, name);
        struct str at = changed_path(text, path, ".", name, "");
        if (!other)
            changed_tell(c, at);
        else if (both)
            changed_section(c, at, part, item, other);
    }
}

static void changed_list(struct changed *c, struct str path, enum conf_section part, const struct conf_servers *a,
                         const struct conf_servers *b)
{
    char text[CHANGED_PATH], number[24];
    const char *item = (const char *)a->v, *other = (const char *)b->v;
    size_t size = conf_part_size(part);
    if (a->n != b->n) {
        changed_tell(c, path);
        return;
    }
    for (size_t i = 0; i < a->n; i++, item += size, other += size) {
        int n = snprintf(number, sizeof(number), "%zu", i);
        changed_section(c, changed_path(text, path, "[", (struct str){number, (size_t)n}, "]"), part, item, other);
    }
}

static void changed_section(struct changed *c, struct str path, enum conf_section s, const char *a, const char *b)
{
    char text[CHANGED_PATH];
    for (size_t i = 0; i < conf_key_count; i++) {
        const struct conf_key *k = &conf_keys[i];
        if (k->section != s)
            continue;
        const void *x = a + k->offset, *y = b + k->offset;
        struct str at = changed_path(text, path, ".", str_of(k->name), "");
        if (k->type == CONF_SECTION) {
            changed_section(c, at, conf_part(k), x, y);
        } else if (k->type == CONF_MAP) {
            changed_map(c, at, conf_part(k), x, y, true);
            changed_map(c, at, conf_part(k), y, x, false);
        } else if (k->type == CONF_LIST) {
            changed_list(c, at, conf_part(k), x, y);
        } else if (changed_value(k, x, y)) {
            changed_tell(c, at);
        }
    }
}

size_t conf_changed(const struct conf *before, const struct conf *now, size_t max, struct json_out *o)
{
    struct changed c = {.o = o, .max = max};
    json_open(o, '[');
    changed_section(&c, STR_NONE, CONF_S_root, (const char *)&before->root, (const char *)&now->root);
    json_close(o, ']');
    return c.n;
}
