/* A configuration from its text, for the rooms that live by one. */
#ifndef TEST_CONF_OF_H
#define TEST_CONF_OF_H

#include "unit.h"

#include "conf/conf.h"

static inline struct conf *conf_of(const char *yaml)
{
    struct conf *c = NULL;
    struct buf faults;
    buf_init(&faults, 1u << 20);
    if (conf_parse(str_of(yaml), "test.yaml", "/", &c, &faults))
        fail_msg("%.*s", (int)faults.n, faults.p);
    buf_done(&faults);
    return c;
}

#endif
