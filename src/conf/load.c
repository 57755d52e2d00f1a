/* From YAML to the snapshot, all faults at once. Tables drive it (keys.def); what no table can say is in check.c. */
#include <errno.h>
#include <libfyaml.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "conf/load.h"

enum { CONF_ITEMS = 4096, CONF_TEXT = 65536 };

static void conf_mark(struct fy_node *n, int *line, int *column)
{
    struct fy_token *t = n && fy_node_is_scalar(n) ? fy_node_get_scalar_token(n) : NULL;
    const struct fy_mark *m = t ? fy_token_start_mark(t) : NULL;
    if (m) {
        *line = m->line + 1;
        *column = m->column + 1;
    }
}

void conf_fault(struct conf_load *l, const char *path, const char *fmt, ...)
{
    if (l->fault_count++ >= CONF_FAULTS)
        return;
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    buf_fmt(l->faults, "%s:%d:%d: %s%s%s\n", l->file, l->line, l->column, path, path[0] ? ": " : "", text);
}

static struct secret *conf_keep(struct conf_load *l, struct secret *s)
{
    struct conf_secret *link = arena_alloc(&l->conf->arena, sizeof(*link));
    if (!s || !link) {
        secret_free(s);
        conf_fault(l, "", "no memory for a secret");
        return NULL;
    }
    link->secret = s;
    link->next = l->conf->secrets;
    l->conf->secrets = link;
    return s;
}

static struct str conf_join(struct conf_load *l, struct str path)
{
    if (path.n && path.p[0] == '/')
        return path;
    return arena_fmt(&l->conf->arena, "%s/" STR_FMT, l->dir, STR_ARG(path));
}

/* ${NAME} and ${NAME:-default}. False when a variable is not there; the fault is written. */
static bool conf_expand(struct conf_load *l, const char *path, struct str text, struct buf *out)
{
    while (text.n) {
        const char *at = memmem(text.p, text.n, "${", 2);
        size_t n = at ? (size_t)(at - text.p) : text.n;
        buf_put(out, text.p, n);
        if (!at)
            break;
        const char *end = memchr(at, '}', text.n - n);
        if (!end) {
            conf_fault(l, path, "${ without }: write ${NAME} or ${NAME:-default}");
            return false;
        }
        struct str name = {at + 2, (size_t)(end - at) - 2}, fallback = STR_NONE;
        const char *dash = memmem(name.p, name.n, ":-", 2);
        if (dash) {
            fallback = str_skip(name, (size_t)(dash - name.p) + 2);
            name.n = (size_t)(dash - name.p);
        }
        char key[128];
        snprintf(key, sizeof(key), STR_FMT, STR_ARG(name));
        const char *value = getenv(key);
        if (!value && !dash) {
            conf_fault(l, path, "the environment has no variable %s: set it, or write ${%s:-default}", key, key);
            return false;
        }
        if (value)
            buf_z(out, value);
        else
            buf_str(out, fallback);
        text = str_skip(text, (size_t)(end - text.p) + 1);
    }
    return true;
}

/* A scalar's text, expanded, in the arena. */
static bool conf_scalar(struct conf_load *l, const char *path, struct fy_node *n, struct str *ret)
{
    size_t len = 0;
    const char *p = fy_node_is_scalar(n) && !fy_node_is_alias(n) ? fy_node_get_scalar(n, &len) : NULL;
    if (fy_node_is_alias(n)) {
        conf_fault(l, path, "anchors and aliases are not taken: write the value out");
        return false;
    }
    if (!p) {
        conf_fault(l, path, "is a %s: must be a single value", fy_node_is_mapping(n) ? "mapping" : "list");
        return false;
    }
    if (len > CONF_TEXT || memchr(p, 0, len)) {
        conf_fault(l, path, "is longer than %d bytes or holds a NUL byte", CONF_TEXT);
        return false;
    }
    struct buf b;
    buf_init(&b, CONF_TEXT * 2);
    bool ok = conf_expand(l, path, (struct str){p, len}, &b) && !buf_failed(&b);
    if (ok)
        *ret = arena_str(&l->conf->arena, buf_view(&b));
    secret_wipe(b.p ? b.p : (char *)"", b.n);
    buf_done(&b);
    return ok && ret->p;
}

/* file:PATH, ${ENV} or, where `plain` allows it, the value itself. Never in the arena but for what the file says in clear. */
static struct secret *conf_secret(struct conf_load *l, const char *path, struct fy_node *n, bool plain)
{
    size_t len = 0;
    const char *p = fy_node_is_scalar(n) && !fy_node_is_alias(n) ? fy_node_get_scalar(n, &len) : NULL;
    struct str text = {p, len};
    struct fault f;
    if (!p) {
        conf_fault(l, path, "must be file:PATH or ${ENV}");
        return NULL;
    }
    if (str_starts(text, STR("file:"))) {
        struct secret *s;
        struct str file = conf_join(l, str_skip(text, 5));
        if (file.p && secret_read(arena_str(&l->conf->arena, file).p, CONF_TEXT, true, &s, &f) == ERR_OK)
            return conf_keep(l, s);
        conf_fault(l, path, "%s", f.text);
        return NULL;
    }
    if (!plain && !memmem(text.p, text.n, "${", 2)) {
        conf_fault(l, path, "a secret does not stand in the file itself: write file:PATH or ${ENV}");
        return NULL;
    }
    struct buf b;
    buf_init(&b, CONF_TEXT * 2);
    struct secret *s = NULL;
    if (conf_expand(l, path, text, &b))
        s = conf_keep(l, secret_new(b.n ? b.p : "", b.n));
    if (b.p)
        secret_wipe(b.p, b.n);
    buf_done(&b);
    return s;
}

static size_t conf_count(struct conf_load *l, const char *path, int n)
{
    if (n >= 0 && n <= CONF_ITEMS)
        return (size_t)n;
    conf_fault(l, path, "has more than %d entries", CONF_ITEMS);
    return 0;
}

static bool conf_array(struct conf_load *l, const char *path, struct fy_node *n, size_t size, void **ret_v, size_t *ret_n)
{
    if (!fy_node_is_sequence(n)) {
        conf_fault(l, path, "must be a list");
        return false;
    }
    *ret_n = conf_count(l, path, fy_node_sequence_item_count(n));
    *ret_v = arena_alloc(&l->conf->arena, *ret_n * size + 1);
    return *ret_v != NULL;
}

static void conf_load_strings(struct conf_load *l, const char *path, struct fy_node *n, struct conf_strings *at)
{
    void *v, *it = NULL;
    size_t count, i = 0;
    if (!conf_array(l, path, n, sizeof(struct str), &v, &count))
        return;
    *at = (struct conf_strings){v, count, true};
    for (struct fy_node *item; i < count && (item = fy_node_sequence_iterate(n, &it)); i++) {
        char sub[256];
        snprintf(sub, sizeof(sub), "%s[%zu]", path, i);
        conf_mark(item, &l->line, &l->column);
        conf_scalar(l, sub, item, &at->v[i]);
    }
}

static void conf_load_cidrs(struct conf_load *l, const char *path, struct fy_node *n, struct conf_cidrs *at)
{
    void *v, *it = NULL;
    size_t count, i = 0;
    if (!conf_array(l, path, n, sizeof(struct conf_cidr), &v, &count))
        return;
    *at = (struct conf_cidrs){v, count, true};
    for (struct fy_node *item; i < count && (item = fy_node_sequence_iterate(n, &it)); i++) {
        char sub[256];
        struct str text;
        snprintf(sub, sizeof(sub), "%s[%zu]", path, i);
        conf_mark(item, &l->line, &l->column);
        if (conf_scalar(l, sub, item, &text) && conf_cidr_parse(text, &at->v[i]))
            conf_fault(l, sub, "\"" STR_FMT "\" is no network: write address/bits with zero bits behind them, such as 10.0.0.0/8",
                       STR_ARG(text));
    }
}

static void conf_load_secrets(struct conf_load *l, const char *path, struct fy_node *n, struct conf_pairs *at)
{
    if (!fy_node_is_mapping(n)) {
        conf_fault(l, path, "must be a mapping of names to values");
        return;
    }
    size_t count = conf_count(l, path, fy_node_mapping_item_count(n)), i = 0;
    *at = (struct conf_pairs){arena_alloc(&l->conf->arena, count * sizeof(struct conf_pair) + 1), count, true};
    void *it = NULL;
    for (struct fy_node_pair *p; at->v && i < count && (p = fy_node_mapping_iterate(n, &it)); i++) {
        char sub[300];
        conf_mark(fy_node_pair_key(p), &l->line, &l->column);
        if (!conf_scalar(l, path, fy_node_pair_key(p), &at->v[i].name))
            continue;
        snprintf(sub, sizeof(sub), "%s." STR_FMT, path, STR_ARG(at->v[i].name));
        at->v[i].value = conf_secret(l, sub, fy_node_pair_value(p), true);
    }
}

static const struct conf_key *conf_key_find(enum conf_section s, struct str name)
{
    for (size_t i = 0; i < conf_key_count; i++)
        if (conf_keys[i].section == s && str_is(name, conf_keys[i].name))
            return &conf_keys[i];
    return NULL;
}

/* Levenshtein distance, for "did you mean". */
static size_t conf_distance(struct str a, const char *b)
{
    size_t row[64], n = strlen(b);
    if (n >= 63 || a.n >= 63)
        return 99;
    for (size_t k = 0; k <= n; k++)
        row[k] = k;
    for (size_t i = 1; i <= a.n; i++) {
        size_t left_up = row[0];
        row[0] = i;
        for (size_t k = 1; k <= n; k++) {
            size_t up = row[k], best = left_up + (a.p[i - 1] != b[k - 1]);
            best = up + 1 < best ? up + 1 : best;
            best = row[k - 1] + 1 < best ? row[k - 1] + 1 : best;
            left_up = up;
            row[k] = best;
        }
    }
    return row[n];
}

static void conf_unknown(struct conf_load *l, const char *path, enum conf_section s, struct str name)
{
    const char *near = NULL;
    size_t best = 4;
    char known[256] = "";
    size_t n = 0;
    for (size_t i = 0; i < conf_key_count; i++) {
        if (conf_keys[i].section != s)
            continue;
        size_t d = conf_distance(name, conf_keys[i].name);
        if (d < best) {
            best = d;
            near = conf_keys[i].name;
        }
        if (n < sizeof(known) - 40)
            n += (size_t)snprintf(known + n, sizeof(known) - n, "%s%s", n ? ", " : "", conf_keys[i].name);
    }
    if (near)
        conf_fault(l, path, "there is no key \"" STR_FMT "\" here: did you mean \"%s\"?", STR_ARG(name), near);
    else
        conf_fault(l, path, "there is no key \"" STR_FMT "\" here: known are %s", STR_ARG(name), known);
}

static void conf_load_section(struct conf_load *l, const char *path, struct fy_node *n, enum conf_section s, char *base);

static void conf_defaults(struct conf_load *l, enum conf_section s, char *base)
{
    for (size_t i = 0; i < conf_key_count; i++) {
        const struct conf_key *k = &conf_keys[i];
        char right[160];
        if (k->section != s)
            continue;
        if (k->type == CONF_SECTION)
            conf_defaults(l, conf_part(k), base + k->offset);
        else if (k->fallback[0] && k->fallback[0] != '[' && !conf_value(k, str_of(k->fallback), base + k->offset, right))
            conf_fault(l, k->name, "the default %s is wrong: must be %s", k->fallback, right);
    }
}

static void conf_load_items(struct conf_load *l, const char *path, struct fy_node *n, const struct conf_key *k, char *at)
{
    struct conf_servers *items = (struct conf_servers *)(void *)at; /* all item arrays have one layout */
    enum conf_section part = conf_part(k);
    size_t size = conf_part_size(part), i = 0;
    bool map = k->type == CONF_MAP;
    if (map ? !fy_node_is_mapping(n) : !fy_node_is_sequence(n)) {
        conf_fault(l, path, "must be %s", conf_type_text(k->type));
        return;
    }
    size_t count = conf_count(l, path, map ? fy_node_mapping_item_count(n) : fy_node_sequence_item_count(n));
    char *v = arena_alloc(&l->conf->arena, count * size + 1), sub[256];
    void *it = NULL;
    for (; v && i < count; i++) {
        struct fy_node_pair *p = map ? fy_node_mapping_iterate(n, &it) : NULL;
        struct fy_node *item = map ? fy_node_pair_value(p) : fy_node_sequence_iterate(n, &it);
        struct str name;
        if (map) {
            conf_mark(fy_node_pair_key(p), &l->line, &l->column);
            if (!conf_scalar(l, path, fy_node_pair_key(p), &name))
                continue;
        } else {
            name = arena_fmt(&l->conf->arena, "%s[%zu]", path, i);
        }
        snprintf(sub, sizeof(sub), map ? "%s." STR_FMT : "%.0s" STR_FMT, path, STR_ARG(name));
        if (part != CONF_S_operator) /* whose name is a key of its own */
            *(struct str *)(void *)(v + i * size) = name;
        conf_defaults(l, part, v + i * size);
        conf_load_section(l, sub, item, part, v + i * size);
    }
    items->v = (struct conf_server *)(void *)v;
    items->n = v ? count : 0;
    items->set = true;
}

static void conf_load_key(struct conf_load *l, const char *path, const struct conf_key *k, struct fy_node *n, char *at)
{
    struct str text;
    char right[160];
    switch (k->type) {
    case CONF_SECTION: conf_load_section(l, path, n, conf_part(k), at); return;
    case CONF_MAP:
    case CONF_LIST: conf_load_items(l, path, n, k, at); return;
    case CONF_STRINGS: conf_load_strings(l, path, n, (void *)at); return;
    case CONF_CIDRS: conf_load_cidrs(l, path, n, (void *)at); return;
    case CONF_SECRETS: conf_load_secrets(l, path, n, (void *)at); return;
    case CONF_SECRET: *(struct secret **)(void *)at = conf_secret(l, path, n, false); return;
    default: break;
    }
    conf_mark(n, &l->line, &l->column);
    if (!conf_scalar(l, path, n, &text))
        return;
    if (!conf_value(k, text, at, right))
        conf_fault(l, path, "\"%.*s\" is wrong: must be %s", (int)(text.n < 80 ? text.n : 80), text.p, right);
    else if (k->type == CONF_PATH)
        *(struct str *)(void *)at = conf_join(l, text);
}

static void conf_load_section(struct conf_load *l, const char *path, struct fy_node *n, enum conf_section s, char *base)
{
    if (n && fy_node_is_scalar(n) && !fy_node_is_alias(n)) {
        size_t len;
        const char *p = fy_node_get_scalar(n, &len);
        if (!p || len == 0)
            return; /* "key:" with nothing behind it */
    }
    if (!n || !fy_node_is_mapping(n)) {
        conf_fault(l, path, "must be a mapping of keys to values");
        return;
    }
    void *it = NULL;
    for (struct fy_node_pair *p; (p = fy_node_mapping_iterate(n, &it));) {
        struct fy_node *key = fy_node_pair_key(p);
        struct str name;
        char sub[256];
        conf_mark(key, &l->line, &l->column);
        if (!conf_scalar(l, path, key, &name))
            continue;
        const struct conf_key *k = conf_key_find(s, name);
        snprintf(sub, sizeof(sub), "%s%s" STR_FMT, path, path[0] ? "." : "", STR_ARG(name));
        if (k)
            conf_load_key(l, sub, k, fy_node_pair_value(p), base + k->offset);
        else
            conf_unknown(l, path, s, name);
    }
}

static struct fy_document *conf_yaml(struct conf_load *l, struct str text, struct fy_diag *diag)
{
    struct fy_parse_cfg cfg = {.flags = FYPCF_QUIET, .diag = diag};
    struct fy_document *doc = fy_document_build_from_string(&cfg, text.p, text.n);
    void *it = NULL;
    for (struct fy_diag_error *e; (e = fy_diag_errors_iterate(diag, &it));) {
        l->line = e->line > 0 ? e->line : 1;
        l->column = e->column > 0 ? e->column : 1;
        conf_fault(l, "", "YAML: %s", e->msg ? e->msg : "cannot be read");
    }
    if (!doc && l->fault_count == 0)
        conf_fault(l, "", "YAML: cannot be read");
    return doc;
}

enum err conf_parse(struct str text, const char *file, const char *dir, struct conf **ret, struct buf *faults)
{
    struct conf *c = calloc(1, sizeof(*c));
    struct conf_load l = {.conf = c, .file = file, .dir = dir, .faults = faults, .line = 1, .column = 1};
    if (!c)
        return ERR_NOMEM;
    c->refs = 1;
    arena_init(&c->arena, 16u << 20);
    c->file = arena_str(&c->arena, str_of(file));
    struct fy_diag *diag = fy_diag_create(NULL);
    fy_diag_set_collect_errors(diag, true);
    conf_defaults(&l, CONF_S_root, (char *)&c->root);
    c->root.data_dir = conf_join(&l, c->root.data_dir);
    struct fy_document *doc = conf_yaml(&l, text, diag);
    if (doc) {
        struct fy_node *root = fy_document_root(doc);
        if (root)
            conf_load_section(&l, "", root, CONF_S_root, (char *)&c->root);
        conf_check(&l);
        fy_document_destroy(doc);
    }
    fy_diag_destroy(diag);
    if (arena_failed(&c->arena))
        conf_fault(&l, "", "the configuration needs too much memory");
    if (l.fault_count > CONF_FAULTS)
        buf_fmt(faults, "%s: and %zu more\n", file, l.fault_count - CONF_FAULTS);
    if (l.fault_count) {
        conf_unref(c);
        return ERR_CONFIG;
    }
    *ret = c;
    return ERR_OK;
}

enum err conf_load(const char *file, struct conf **ret, struct buf *faults)
{
    struct stat st;
    FILE *f = fopen(file, "re");
    if (!f || fstat(fileno(f), &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > CONF_FILE_BYTES) {
        buf_fmt(faults, "%s:1:1: cannot be read: %s\n", file,
                !f ? strerror(errno) : "must be a regular file of at most 1 MiB");
        if (f)
            fclose(f);
        return ERR_CONFIG;
    }
    char *text = malloc((size_t)st.st_size + 1), *copy = strdup(file);
    size_t n = text ? fread(text, 1, (size_t)st.st_size, f) : 0;
    fclose(f);
    char *dir = copy ? realpath(dirname(copy), NULL) : NULL;
    enum err e = text && dir ? conf_parse((struct str){text, n}, file, dir, ret, faults) : ERR_NOMEM;
    if (text)
        secret_wipe(text, n);
    free(text);
    free(copy);
    free(dir);
    return e;
}

struct conf *conf_ref(struct conf *c)
{
    c->refs++;
    return c;
}

void conf_unref(struct conf *c)
{
    if (!c || --c->refs)
        return;
    for (struct conf_secret *s = c->secrets; s; s = s->next)
        secret_free(s->secret);
    arena_done(&c->arena);
    free(c);
}
