/* What load.c (tables) and check.c (rules that no table can say) share. Not for others. */
#ifndef CONF_LOAD_H
#define CONF_LOAD_H

#include <stdarg.h>

#include "conf/table.h"

struct conf_secret {
    struct secret *secret;
    struct conf_secret *next;
};

struct conf_load {
    struct conf *conf;
    const char *file, *dir;
    struct buf *faults;
    size_t fault_count;
    int line, column; /* where we are */
};

void conf_fault(struct conf_load *l, const char *path, const char *fmt, ...) PRINTF(3, 4);
/* After everything was read: fills what depends on other keys, and judges the whole. */
void conf_check(struct conf_load *l);

#endif
