/* A text of policies in the house's one layout: policy by policy, their tokens as they are, comments kept. */
#include "cedar/layout.h"
#include "cedar/parse.h"
#include "cedar/print.h"

static enum err format_policies(struct str text, struct buf *out)
{
    struct cedar_layout l = {.text = text};
    uint32_t at = 0;
    for (bool first = true; at < text.n && !l.poor; first = false) {
        at = cedar_layout_read(&l, at);
        if (!l.poor)
            cedar_layout_build(&l);
        if (!l.poor)
            cedar_layout_write(&l, first, out);
    }
    cedar_layout_done(&l);
    return l.poor ? ERR_NOMEM : buf_error(out);
}

enum err cedar_format(struct str file, struct str text, struct buf *out, struct buf *faults)
{
    enum { PER_BYTE = 400 }; /* more than a tree needs, so that only what is wrong is refused */
    size_t memory = (text.n < CEDAR_TEXT_MAX ? text.n : 0) * PER_BYTE + (1u << 20);
    struct cedar_policies *ps CLEANUP(cedar_policies_freep) = cedar_policies_new(memory);
    if (!ps)
        return ERR_NOMEM;
    TRY(cedar_parse(ps, file, text, faults));
    return format_policies(text, out);
}
