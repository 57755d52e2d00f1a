/* `doorward audit tail`: the newest entries, from the files of the record or through the operators' API, and what comes
 * behind them. */
#ifndef CLI_AUDIT_TAIL_H
#define CLI_AUDIT_TAIL_H

#include "audit/audit.h"
#include "cli/cli.h"

struct tail {
    struct cli *c;
    struct audit_reader *reader; /* of the files; NULL: through the API */
    const char *agent, *event;
    struct arena arena; /* of one entry */
};

/* Goes through the entries from `from` to `last` and prints those that are wanted, without the first `skip`. `print`
 * false: only counts them. */
typedef enum err tail_walk(struct tail *t, uint64_t from, uint64_t last, uint64_t skip, bool print, uint64_t *ret_count,
                           struct fault *f);

enum err tail_print(struct tail *t, struct str entry, struct fault *f) MUST_USE; /* ERR_IO: nobody reads it */

/* ---- audit_tail_stream.c: GET /admin/v1/audit/stream ---- */

tail_walk tail_stream_walk;
/* The last entry on record. */
enum err tail_stream_last(struct tail *t, uint64_t *ret, struct fault *f) MUST_USE;
/* Prints what comes behind `after`, and comes back to the gateway as often as the connection breaks. It returns only
 * when that has no sense any more. *ret_begun: the gateway has answered once. */
enum err tail_stream_follow(struct tail *t, uint64_t after, bool *ret_begun, struct fault *f) MUST_USE;

#endif
