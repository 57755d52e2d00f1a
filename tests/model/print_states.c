/* The table of src/approve/states.c in the words of the model. */
#include <ctype.h>
#include <stdio.h>

#include "approve/inner.h"

int main(void)
{
    static const char *const events[APPROVAL_EVENTS] = {
        [APPROVAL_ASKED] = "ASKED",      [APPROVAL_YES] = "YES",     [APPROVAL_GRANT] = "GRANT",
        [APPROVAL_DENY] = "DENY",        [APPROVAL_TAKE] = "TAKE",   [APPROVAL_END] = "END",
        [APPROVAL_TIMEOUT] = "TIMEOUT",  [APPROVAL_BREAK] = "BREAK", [APPROVAL_REPEAT] = "REPEAT",
        [APPROVAL_ESCALATE] = "ESCALATE"};
    unsigned pairs = 0;
    for (unsigned s = APPROVAL_NONE; s <= APPROVAL_VOID; s++) {
        printf("#define ");
        for (const char *c = approval_states[s]; *c; c++)
            putchar(toupper((unsigned char)*c));
        printf(" %u\n", s);
    }
    for (unsigned e = 0; e < APPROVAL_EVENTS; e++)
        printf("#define %s %u\n", events[e], e);
    printf("#define AFTER(s, e) (");
    for (unsigned s = APPROVAL_NONE; s <= APPROVAL_VOID; s++)
        for (unsigned e = 0; e < APPROVAL_EVENTS; e++)
            if (approval_after((enum approval_state)s, (enum approval_event)e) != APPROVAL_NONE) {
                printf("((s) == %u && (e) == %u) -> %u : (", s, e,
                       (unsigned)approval_after((enum approval_state)s, (enum approval_event)e));
                pairs++;
            }
    printf("0");
    for (; pairs; pairs--)
        putchar(')');
    printf(")\n");
    return 0;
}
