/* The states of a question, and what leads from one to another. tests/model/approval.pml is of this table. */
#include "approve/inner.h"

const char *const approval_states[] = {"none", "pending", "granted", "taken", "done", "denied", "expired", "void"};

static const unsigned char approval_next[APPROVAL_VOID + 1][APPROVAL_EVENTS] = {
    [APPROVAL_NONE] = {[APPROVAL_ASKED] = APPROVAL_PENDING, [APPROVAL_REPEAT] = APPROVAL_TAKEN},
    [APPROVAL_PENDING] = {[APPROVAL_YES] = APPROVAL_PENDING,
                          [APPROVAL_ESCALATE] = APPROVAL_PENDING,
                          [APPROVAL_GRANT] = APPROVAL_GRANTED,
                          [APPROVAL_DENY] = APPROVAL_DENIED,
                          [APPROVAL_TIMEOUT] = APPROVAL_EXPIRED,
                          [APPROVAL_BREAK] = APPROVAL_VOID},
    [APPROVAL_GRANTED] =
        {[APPROVAL_TAKE] = APPROVAL_TAKEN, [APPROVAL_TIMEOUT] = APPROVAL_EXPIRED, [APPROVAL_BREAK] = APPROVAL_VOID},
    [APPROVAL_TAKEN] = {[APPROVAL_END] = APPROVAL_DONE},
};

enum approval_state approval_after(enum approval_state s, enum approval_event e)
{
    return s <= APPROVAL_VOID && e < APPROVAL_EVENTS ? approval_next[s][e] : APPROVAL_NONE;
}

bool approval_over(enum approval_state s)
{
    return s >= APPROVAL_DONE;
}

bool approval_event_is_no(enum approval_event e)
{
    return e == APPROVAL_DENY || e == APPROVAL_TIMEOUT || e == APPROVAL_BREAK || e == APPROVAL_END;
}
