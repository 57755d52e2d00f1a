/* From YAML to the snapshot, all faults at once. Tables drive it (keys.def); what no table can say is in check.c. */
#include <assert.h>
#include <errno.h>
#include <libfyaml.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "conf/load.h"

#define CONF_NO_ALIAS     "anchors and aliases are not taken: write the value out"
#define CONF_NO_DUPLICATE "duplicate key: write each key of a mapping once"
enum { CONF_ITEMS = 4096, CONF_TEXT = 65536, CONF_VARIABLE = 128 };

/* A fault is one line of text, whatever the file holds and wherever a quotation of it was cut. */
static void conf_tidy(char *text)
{
    for (size_t n; *text; text += n) {
        for (n = 1; n < 4 && ((unsigned char)text[n] & 0xc0) == 0x80;)
            n++;
        if ((unsigned char)*text >= 0x20 && *text != 0x7f && str_utf8_valid((struct str){text, n}))
            continue;
        n = 1;
        *text = '?';
    }
}

void conf_fault(struct conf_load *l, const char *path, const char *fmt, ...)
{
    if (l->fault_count++ >= CONF_FAULTS)
        return;
    char text[1024];
    size_t n = (size_t)snprintf(text, sizeof(text), "%.400s%s", path, path[0] ? ": " : "");
    va_list args;
    va_start(args, fmt);
    vsnprintf(text + n, sizeof(text) - n, fmt, args);
    va_end(args);
    conf_tidy(text);
    buf_fmt(l->faults, "%s:%d:%d: %s\n", l->file, l->line, l->column, text);
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

static bool conf_variable_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= 'A' && s.p[i] <= 'Z') || s.p[i] == '_' ||
              (i && s.p[i] >= '0' && s.p[i] <= '9')))
            return false;
    return s.n > 0 && s.n < CONF_VARIABLE;
}

/* One reference, `inside` of ${ and }. */
static bool conf_expand_one(struct conf_load *l, const char *path, struct str inside, struct buf *out)
{
    char key[CONF_VARIABLE];
    struct str name = inside, fallback = STR_NONE;
    const char *dash = memmem(inside.p, inside.n, ":-", 2);
    if (dash) {
        name.n = (size_t)(dash - inside.p);
        fallback = str_skip(inside, name.n + 2);
    }
    if (!conf_variable_name(name) || memmem(fallback.p ? fallback.p : "", fallback.n, "${", 2)) {
        conf_fault(l, path, "${ } holds no variable: write ${NAME} or ${NAME:-default}, NAME of letters, digits and _");
        return false;
    }
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
    return true;
}

/* ${NAME} and ${NAME:-default}. When it is false, the fault is written. */
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
        if (!conf_expand_one(l, path, (struct str){at + 2, (size_t)(end - at) - 2}, out))
            return false;
        text = str_skip(text, (size_t)(end - text.p) + 1);
    }
    if (buf_failed(out))
        conf_fault(l, path, "with its variables it is longer than %zu bytes", out->max);
    return !buf_failed(out);
}

/* "key:" with nothing behind it, or null. */
static bool conf_nothing(struct fy_node *n)
{
    size_t len;
    if (!n || !fy_node_is_scalar(n) || fy_node_is_alias(n) || fy_node_get_style(n) != FYNS_PLAIN)
        return false;
    const char *p = fy_node_get_scalar(n, &len);
    struct str text = {p, p ? len : 0};
    return text.n == 0 || str_is(text, "null") || str_is(text, "~");
}

/* A scalar's text, expanded, in the arena. */
static bool conf_scalar(struct conf_load *l, const char *path, struct fy_node *n, struct str *ret)
{
    size_t len = 0;
    const char *p = fy_node_is_scalar(n) && !fy_node_is_alias(n) ? fy_node_get_scalar(n, &len) : NULL;
    if (fy_node_is_alias(n)) {
        conf_fault(l, path, CONF_NO_ALIAS);
        return false;
    }
    if (conf_nothing(n)) {
        conf_fault(l, path, "has no value: write one, or leave the key out");
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
    bool ok = conf_expand(l, path, (struct str){p, len}, &b);
    if (ok)
        *ret = arena_str(&l->conf->arena, buf_view(&b));
    secret_wipe(b.p ? b.p : (char *)"", b.n);
    buf_done(&b);
    return ok && ret->p;
}

static struct secret *conf_secret_file(struct conf_load *l, const char *path, struct str file)
{
    struct secret *s = NULL;
    struct fault f = {.text = "no memory for a path"};
    struct str at = conf_join(l, file);
    if (!file.n)
        conf_fault(l, path, "file: without a path: must be file:PATH");
    else if (at.p && secret_read(arena_str(&l->conf->arena, at).p, CONF_TEXT, true, &s, &f) == ERR_OK)
        return conf_keep(l, s);
    else
        conf_fault(l, path, "%s: must be file:PATH of a file that only its owner can read", f.text);
    return NULL;
}

/* file:PATH, ${ENV} or, where `plain` allows it, the value itself. Never in the arena but for what the file says in
 * clear. */
static struct secret *conf_secret(struct conf_load *l, const char *path, struct fy_node *n, bool plain)
{
    size_t len = 0;
    const char *p = n && fy_node_is_scalar(n) && !fy_node_is_alias(n) ? fy_node_get_scalar(n, &len) : NULL;
    struct str text = {p, len};
    if (!p || conf_nothing(n) || (!plain && !len) || len > CONF_TEXT || memchr(p, 0, len)) {
        conf_fault(l, path, "must be file:PATH%s", plain ? ", ${ENV} or a plain value" : " or ${ENV}");
        return NULL;
    }
    if (!plain && !str_starts(text, STR("file:")) && !memmem(text.p, text.n, "${", 2)) {
        conf_fault(l, path, "a secret does not stand in the file itself: write file:PATH or ${ENV}");
        return NULL;
    }
    struct buf b;
    buf_init(&b, CONF_TEXT * 2);
    struct secret *s = NULL;
    if (conf_expand(l, path, text, &b)) {
        if (str_starts(text, STR("file:")))
            s = conf_secret_file(l, path, str_skip(buf_view(&b), 5));
        else
            s = conf_keep(l, secret_new(b.n ? b.p : "", b.n));
    }
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

static bool conf_array(struct conf_load *l, const char *path, struct fy_node *n, size_t size, void **ret_v,
                       size_t *ret_n)
{
    if (!fy_node_is_sequence(n)) {
        conf_fault(l, path, "must be a list");
        return false;
    }
    *ret_n = conf_count(l, path, fy_node_sequence_item_count(n));
    *ret_v = arena_alloc(&l->conf->arena, *ret_n * size + 1);
    return *ret_v != NULL;
}

static void conf_load_strings(struct conf_load *l, const char *path, struct fy_node *n, struct conf_strings *at,
                              bool paths)
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
        if (conf_scalar(l, sub, item, &at->v[i]) && paths)
            at->v[i] = conf_join(l, at->v[i]);
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
            conf_fault(l, sub,
                       "\"" STR_FMT
                       "\" is no network: write address/bits with zero bits behind them, such as 10.0.0.0/8",
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
        for (size_t k = 0; k < i; k++)
            if (str_eq(at->v[k].name, at->v[i].name))
                conf_fault(l, sub, CONF_NO_DUPLICATE);
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

static void conf_unknown(struct conf_load *l, const char *path, enum conf_section s, struct str name)
{
    const char *near = conf_near(s, name);
    char known[256] = "";
    if (near) {
        conf_fault(l, path, "there is no key \"" STR_FMT "\" here: did you mean \"%s\"?", STR_ARG(name), near);
        return;
    }
    conf_known(s, known, sizeof(known));
    conf_fault(l, path, "there is no key \"%.*s\" here: known are %s", (int)(name.n < 80 ? name.n : 80), name.p, known);
}

static void conf_load_section(struct conf_load *l, const char *path, struct fy_node *n, enum conf_section s,
                              char *base);

static void conf_defaults(struct conf_load *l, enum conf_section s, char *base)
{
    for (size_t i = 0; i < conf_key_count; i++) {
        const struct conf_key *k = &conf_keys[i];
        char right[160];
        if (k->section != s)
            continue;
        if (k->type == CONF_SECTION)
            conf_defaults(l, conf_part(k), base + k->offset);
        else if (k->fallback[0] && k->fallback[0] != '[' &&
                 !conf_value(k, str_of(k->fallback), base + k->offset, right))
            conf_fault(l, k->name, "the default %s is wrong: must be %s", k->fallback, right);
    }
}

static void conf_load_items(struct conf_load *l, const char *path, struct fy_node *n, const struct conf_key *k,
                            char *at)
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
            conf_mark(item, &l->line, &l->column);
            name = arena_fmt(&l->conf->arena, "%s[%zu]", path, i);
        }
        snprintf(sub, sizeof(sub), map ? "%s." STR_FMT : "%.0s" STR_FMT, path, STR_ARG(name));
        for (size_t before = 0; map && before < i; before++)
            if (str_eq(*(struct str *)(void *)(v + before * size), name))
                conf_fault(l, sub, CONF_NO_DUPLICATE);
        if (part != CONF_S_operator) /* whose name is a key of its own */
            *(struct str *)(void *)(v + i * size) = name;
        conf_defaults(l, part, v + i * size);
        conf_load_section(l, sub, item, part, v + i * size);
        if (part == CONF_S_operator)
            conf_check_twice(l, sub, (const struct conf_operator *)(const void *)v, i);
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
    case CONF_STRINGS:
    case CONF_PATHS: conf_load_strings(l, path, n, (void *)at, k->type == CONF_PATHS); return;
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
    else if (k->type == CONF_PATH || (k->type == CONF_LOG && !str_is(text, "off") && !str_is(text, "stderr")))
        *(struct str *)(void *)at = conf_join(l, text);
}

static bool conf_load_pairs(struct conf_load *l, const char *path, struct fy_node *n, enum conf_section s, char *base)
{
    if (!fy_node_is_mapping(n)) {
        conf_fault(l, path, fy_node_is_alias(n) ? CONF_NO_ALIAS : "must be a mapping of keys to values");
        return false;
    }
    void *it = NULL;
    uint64_t seen[(CONF_KEYS_MAX + 63) / 64] = {0}; /* a bit for each key */
    for (struct fy_node_pair *p; (p = fy_node_mapping_iterate(n, &it));) {
        struct fy_node *key = fy_node_pair_key(p);
        struct str name;
        char sub[256];
        conf_mark(key, &l->line, &l->column);
        if (!conf_scalar(l, path, key, &name))
            continue;
        const struct conf_key *k = conf_key_find(s, name);
        snprintf(sub, sizeof(sub), "%s%s" STR_FMT, path, path[0] ? "." : "", STR_ARG(name));
        size_t i = k ? (size_t)(k - conf_keys) : 0;
        if (!k)
            conf_unknown(l, path, s, name);
        else if (seen[i / 64] >> i % 64 & 1)
            conf_fault(l, sub, CONF_NO_DUPLICATE);
        else
            conf_load_key(l, sub, k, fy_node_pair_value(p), base + k->offset);
        if (k)
            seen[i / 64] |= 1ull << i % 64;
    }
    return true;
}

static void conf_load_section(struct conf_load *l, const char *path, struct fy_node *n, enum conf_section s, char *base)
{
    if (conf_nothing(n))
        n = NULL;
    else if (n && fy_node_is_scalar(n) && !fy_node_is_alias(n))
        conf_mark(n, &l->line, &l->column);
    size_t before = l->fault_count;
    int line = l->line, column = l->column;
    if (n && !conf_load_pairs(l, path, n, s, base))
        return;
    l->line = line;
    l->column = column;
    l->spoiled = l->fault_count != before;
    conf_check(l, path, s, base);
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
    conf_defaults(&l, CONF_S_root, (char *)&c->root);
    c->root.data_dir = conf_join(&l, c->root.data_dir);
    c->root.audit.keys = conf_join(&l, c->root.audit.keys);
    struct fy_document *doc = conf_yaml(&l, text);
    struct fy_node *root = doc ? fy_document_root(doc) : NULL;
    if (root)
        conf_load_section(&l, "", root, CONF_S_root, (char *)&c->root);
    fy_document_destroy(doc);
    conf_finish(&l);
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
    for (struct conf_made *m = c->made; m; m = m->next)
        tls_unref(m->tls);
    if (c->policies)
        c->policies_free(c->policies);
    arena_done(&c->arena);
    free(c);
}
