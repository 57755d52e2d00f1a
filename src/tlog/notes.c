/* Notes one behind the other, as an anchor's file holds them. */
#include "tlog/note.h"

/* Lines up to an empty one, and that one. STR_NONE: no more. */
static struct str notes_paragraph(struct str *rest)
{
    while (rest->n && rest->p[0] == '\n')
        *rest = str_skip(*rest, 1);
    if (!rest->n)
        return STR_NONE;
    const char *end = memmem(rest->p, rest->n, "\n\n", 2);
    struct str p = {rest->p, end ? (size_t)(end - rest->p) + 1 : rest->n};
    *rest = str_skip(*rest, p.n);
    return p;
}

/* One empty line between them, and the second one is signatures. */
static bool notes_belong(struct str text, struct str signatures)
{
    return text.n && str_starts(signatures, STR("\xe2\x80\x94 ")) && text.p + text.n + 1 == signatures.p;
}

bool note_next(struct str *rest, struct note *scratch, struct str *ret, size_t *passed)
{
    for (struct str text = notes_paragraph(rest), next; text.n; text = next) {
        next = notes_paragraph(rest);
        struct str note = {text.p, notes_belong(text, next) ? (size_t)(next.p + next.n - text.p) : 0};
        if (note.n && note_parse(note, scratch, NULL) == ERR_OK) {
            *ret = note;
            return true;
        }
        ++*passed;
        if (note.n) /* its signatures are cut off: they begin no other one */
            next = notes_paragraph(rest);
    }
    return false;
}
