/* A folder of its own for a test. */
#ifndef TEST_FOLDER_H
#define TEST_FOLDER_H

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void folder_make(char ret[64])
{
    strcpy(ret, "/tmp/doorward-test-XXXXXX");
    assert_non_null(mkdtemp(ret));
}

/* With all that is in it. */
static inline void folder_remove(const char *folder)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
}

#endif
