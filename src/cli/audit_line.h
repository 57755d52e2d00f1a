/* An entry of the record as one line for people. */
#ifndef CLI_AUDIT_LINE_H
#define CLI_AUDIT_LINE_H

#include "base/str.h"

/* To standard output. One that cannot be read as JSON is printed as it is. */
void audit_line_print(struct str entry);

#endif
