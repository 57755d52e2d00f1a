/* What load.c (tables) and check.c (rules that no table can say) share. Not for others. */
#ifndef CONF_LOAD_H
#define CONF_LOAD_H

#include <stdarg.h>

#include "conf/table.h"

struct conf_secret {
    struct secret *secret;
    struct conf_secret *next;
};

struct conf_made {
    struct tls *tls;
    struct conf_made *next;
};

struct conf_load {
    struct conf *conf;
    const char *file, *dir;
    struct buf *faults;
    size_t fault_count;
    int line, column; /* where we are */
    bool spoiled;     /* the section being judged has faults already: what seems not to be there may be one of these */
};

void conf_fault(struct conf_load *l, const char *path, const char *fmt, ...) PRINTF(3, 4);
/* The document of the text, or NULL; its faults are written. A text without any value has none. */
struct fy_document;
struct fy_node;
struct fy_document *conf_yaml(struct conf_load *l, struct str text);
/* Where the node stands, in lines and columns from 1; untouched when it stands nowhere. */
void conf_mark(struct fy_node *n, int *line, int *column);
/* Judges a section that was just read; l->line and l->column are its place. */
void conf_check(struct conf_load *l, const char *path, enum conf_section s, void *section);
/* Operator number i beside those before it. */
void conf_check_twice(struct conf_load *l, const char *path, const struct conf_operator *v, size_t i);
/* After everything was read: fills what depends on other keys. */
void conf_finish(struct conf_load *l);

#endif
