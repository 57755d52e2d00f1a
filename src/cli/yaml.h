/*
 * YAML as a JSON document whose values know where they stood, for files that people write for the command line (cases
 * of policies). What YAML has and JSON does not (anchors, tags, several documents, keys that are no text) is refused.
 */
#ifndef CLI_YAML_H
#define CLI_YAML_H

#include "base/json.h"

struct yaml_place {
    unsigned line, column; /* from 1 */
};
struct yaml {
    struct json j;
    struct yaml_place *place; /* by node */
    struct str file;
    struct buf *faults;
};
/* A text of up to 1 MiB. ERR_CONFIG: faults holds a line "file:line:column: what is wrong". All in the arena. */
enum err yaml_read(struct str file, struct str text, struct arena *a, struct buf *faults, struct yaml *ret) MUST_USE;
/* A fault of the value at this node. */
void yaml_fault(const struct yaml *y, uint32_t at, const char *fmt, ...) PRINTF(3, 4);

#endif
