/* The YAML text as a document of libfyaml: syntax faults, and what YAML knows and a configuration does not need. */
#include <libfyaml.h>
#include <stdlib.h>

#include "conf/load.h"

enum { YAML_VALUES = 50001 };
enum { YAML_ROOM = 64, YAML_ROOM_LEAST = 1 << 20 }; /* for each byte of text, and beyond */

void conf_mark(struct fy_node *n, int *line, int *column)
{
    /* Only scalars have a mark. A mapping or list begins where its first scalar does; the parser bounds the depth. */
    while (n && !fy_node_is_scalar(n)) {
        struct fy_node_pair *p = fy_node_is_mapping(n) ? fy_node_mapping_get_by_index(n, 0) : NULL;
        n = p ? fy_node_pair_key(p) : fy_node_is_sequence(n) ? fy_node_sequence_get_by_index(n, 0) : NULL;
    }
    struct fy_token *t = n ? fy_node_get_scalar_token(n) : NULL;
    const struct fy_mark *m = t ? fy_token_start_mark(t) : NULL;
    if (m) {
        *line = m->line + 1;
        *column = m->column + 1;
    }
}

static const char *yaml_right(const char *message)
{
    static const struct {
        const char *what, *right;
    } known[] = {
        {"tab", "indent with spaces"},
        {"depth", "no configuration is that deep"},
        {"missing comma", "put a comma or the closing bracket"},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strstr(message, known[i].what))
            return known[i].right;
    return "must be YAML 1.2";
}

static void yaml_faults(struct conf_load *l, struct fy_diag *diag)
{
    void *it = NULL;
    for (struct fy_diag_error *e; (e = fy_diag_errors_iterate(diag, &it));) {
        const char *message = e->msg ? e->msg : "cannot be read";
        if (!e->file) /* the library's own words on a fault that is listed already */
            continue;
        l->line = e->line > 0 ? e->line : 1;
        l->column = e->column > 0 ? e->column : 1;
        conf_fault(l, "", "YAML: %s: %s", message, yaml_right(message));
    }
}

static void yaml_event_fault(struct conf_load *l, struct fy_event *e, const char *what)
{
    const struct fy_mark *m = fy_event_start_mark(e);
    l->line = m ? m->line + 1 : 1;
    l->column = m ? m->column + 1 : 1;
    conf_fault(l, "", "%s", what);
}

static bool yaml_anchored(const struct fy_event *e)
{
    return (e->type == FYET_SCALAR && e->scalar.anchor) || (e->type == FYET_MAPPING_START && e->mapping_start.anchor) ||
           (e->type == FYET_SEQUENCE_START && e->sequence_start.anchor);
}

/* The text's events, one by one: anchors and further documents are refused, values are counted. True when a document
 * may be built of them, so that its other faults are found as well. */
static bool yaml_walk(struct conf_load *l, struct fy_parser *parser)
{
    size_t values = 0, documents = 0, anchors = 0;
    for (struct fy_event *e; (e = fy_parser_parse(parser)); fy_parser_event_free(parser, e)) {
        bool value = e->type == FYET_SCALAR || e->type == FYET_MAPPING_START || e->type == FYET_SEQUENCE_START;
        if (e->type == FYET_DOCUMENT_START && ++documents == 2)
            yaml_event_fault(l, e, "a second document begins here: a configuration is one document, without --- in it");
        if (yaml_anchored(e) && ++anchors <= CONF_FAULTS)
            yaml_event_fault(l, e, "anchors and aliases are not taken: write the value out");
        if (value && ++values == YAML_VALUES)
            yaml_event_fault(l, e, "too many keys and values: a configuration has at most 50000");
    }
    return documents == 1 && anchors <= CONF_FAULTS && values < YAML_VALUES && !fy_parser_get_stream_error(parser);
}

static struct fy_parser *yaml_open(struct str text, struct fy_diag *diag)
{
    /* Duplicate keys are looked for in load.c: the library compares each with each, without a bound. */
    struct fy_parse_cfg cfg = {.flags = FYPCF_QUIET | FYPCF_ALLOW_DUPLICATE_KEYS, .diag = diag};
    struct fy_parser *parser = fy_parser_create(&cfg);
    if (parser && fy_parser_set_string(parser, text.p, text.n)) {
        fy_parser_destroy(parser);
        return NULL;
    }
    return parser;
}

/* The library does not survive that there is no memory: whether there is enough is tried before it is asked. */
static bool yaml_has_room(struct str text)
{
    void *volatile room = malloc(text.n * YAML_ROOM + YAML_ROOM_LEAST); /* else the compiler knows the answer */
    bool ret = room;
    free(room);
    return ret;
}

/* First a walk without building anything, since the library's documents take quadratic time for anchors and much memory
 * for all. */
struct fy_document *conf_yaml(struct conf_load *l, struct str text)
{
    struct fy_document *doc = NULL;
    struct fy_parser *parser;
    if (text.n == 0)
        return NULL;
    if (memchr(text.p, 0, text.n) || !str_utf8_valid(text) || text.n > CONF_FILE_BYTES) {
        conf_fault(l, "", "the file is no text of at most 1 MiB: must be UTF-8 without NUL bytes");
        return NULL;
    }
    struct fy_diag *diag = yaml_has_room(text) ? fy_diag_create(NULL) : NULL;
    if (diag)
        fy_diag_set_collect_errors(diag, true);
    if (!diag || !(parser = yaml_open(text, diag))) {
        conf_fault(l, "", "no memory for the YAML parser");
        fy_diag_destroy(diag);
        return NULL;
    }
    bool build = yaml_walk(l, parser);
    yaml_faults(l, diag);
    if (fy_parser_get_stream_error(parser) && !l->fault_count)
        conf_fault(l, "", "YAML: cannot be read: must be YAML 1.2");
    fy_parser_destroy(parser);
    if (build && (parser = yaml_open(text, diag))) {
        doc = fy_parse_load_document(parser);
        yaml_faults(l, diag);
        fy_parser_destroy(parser);
        if (!doc && !l->fault_count)
            conf_fault(l, "", "YAML: cannot be read: must be YAML 1.2");
    }
    fy_diag_destroy(diag);
    return doc;
}
