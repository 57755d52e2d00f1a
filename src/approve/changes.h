/* What an approver changed of a call's arguments. For the files of this room. */
#ifndef APPROVE_CHANGES_H
#define APPROVE_CHANGES_H

#include "audit/audit.h"

struct changes {
    /* JSON: [{"after","before","path"}]; path: a JSON pointer (RFC 6901). A member that is new has no before, one that
     * is gone no after; a longer value is "afterBytes", "beforeBytes". What is secret is "[masked]", what is sealed on
     * record "[sealed]". At most 50 of them; `more`: how many there are besides. */
    struct buf all;
    struct buf paths; /* the same without values: for when the question is over */
    size_t more;
    struct buf parameters; /* {"after":…,"before":…}, whole and in clear: for the record's masks and seals alone */
    bool sealed;           /* the record seals something of them */
};
void changes_init(struct changes *c);
void changes_done(struct changes *c);
/* (blocks the processor for as long as the arguments are large.) Both: canonical JSON objects. ret: for changes_done,
 * also after an error. ERR_NOMEM, ERR_SYNTAX. */
enum err changes_make(struct audit *audit, struct str before, struct str after, struct changes *ret,
                      struct fault *f) MUST_USE;

#endif
