/* What the commands on questions to people share. For approvals*.c only. */
#ifndef CLI_APPROVALS_H
#define CLI_APPROVALS_H

#include "approve/view.h"
#include "cli/http.h"

struct approval_seen {
    struct json j; /* the answer of the operators' API */
    struct str text;
    struct approval_view view;
};

void cli_approval_print(FILE *to, const struct approval_view *v);
/* Opens $VISUAL or $EDITOR with the arguments; *ret: what was made of them, canonical JSON in the arena. Says what is
 * different. ERR_CANCELLED: nothing is, or the editor failed. ERR_SYNTAX: it is no JSON object any more. */
enum err cli_approval_edit(struct cli *c, const struct approval_seen *s, struct str *ret, struct fault *f) MUST_USE;

/* That it is open, on standard error; glass: null, or what the operators' API says of it. glass.c */
void cli_glass_note(struct cli *c, const struct json *j, uint32_t glass);

#endif
