#include "sink/meaning.h"

#define CREATE   ACTIVITY_CREATE, "Create"
#define READ     ACTIVITY_READ, "Read"
#define UPDATE   ACTIVITY_UPDATE, "Update"
#define DELETE   ACTIVITY_DELETE, "Delete"
#define DO(verb) ACTIVITY_OTHER, verb
#define INFO     LEVEL_INFO
#define LOW      LEVEL_LOW
#define MEDIUM   LEVEL_MEDIUM
#define HIGH     LEVEL_HIGH
#define OPEN     STATUS_UNKNOWN
#define DONE     STATUS_SUCCESS
#define FAILED   STATUS_FAILURE

static const struct meaning meanings[AUDIT_EVENT_COUNT] = {
    [AUDIT_NONE] = {"Event", DO("Other"), INFO, OPEN, false},
    [AUDIT_TOOL_CALL] = {"Tool call", DO("Invoke"), INFO, OPEN, false},
    [AUDIT_TOOL_RESULT] = {"Tool call ended", DO("Invoke"), INFO, OPEN, true},
    [AUDIT_TOOL_DENIED] = {"Tool call refused", DO("Invoke"), MEDIUM, FAILED, false},
    [AUDIT_PROMPT_GET] = {"Prompt requested", READ, INFO, OPEN, false},
    [AUDIT_RESOURCE_READ] = {"Resource requested", READ, INFO, OPEN, false},
    [AUDIT_COMPLETION] = {"Completion requested", READ, INFO, OPEN, false},
    [AUDIT_RESOURCE_SUBSCRIBED] = {"Resource subscribed", READ, INFO, DONE, false},
    [AUDIT_REQUEST_RESULT] = {"Request ended", READ, INFO, OPEN, true},
    [AUDIT_REQUEST_DENIED] = {"Request refused", READ, MEDIUM, FAILED, false},
    [AUDIT_INPUT_ASKED] = {"Server asked the client", DO("Ask"), INFO, OPEN, false},
    [AUDIT_RATE_LIMITED] = {"Rate exceeded", DO("Invoke"), LOW, FAILED, false},
    [AUDIT_SESSION_CREATED] = {"Session opened", CREATE, INFO, DONE, false},
    [AUDIT_SESSION_RESUMED] = {"Session opened again", CREATE, INFO, DONE, false},
    [AUDIT_SESSION_EXPIRED] = {"Session expired", DELETE, INFO, DONE, false},
    [AUDIT_SESSION_ENDED] = {"Session ended", DELETE, INFO, DONE, false},
    [AUDIT_APPROVAL_REQUESTED] = {"Approval requested", DO("Ask"), LOW, OPEN, false},
    [AUDIT_APPROVAL_GRANTED] = {"Approval granted", DO("Approve"), LOW, DONE, false},
    [AUDIT_APPROVAL_EDITED] = {"Approved with other arguments", DO("Approve"), LOW, DONE, false},
    [AUDIT_APPROVAL_DENIED] = {"Approval denied", DO("Deny"), MEDIUM, FAILED, false},
    [AUDIT_APPROVAL_EXPIRED] = {"Approval expired", DO("Deny"), MEDIUM, FAILED, false},
    [AUDIT_APPROVAL_VOID] = {"Approval void", DO("Deny"), LOW, FAILED, false},
    [AUDIT_APPROVAL_SHARED] = {"Answer of an approved call shared", DO("Invoke"), INFO, DONE, false},
    [AUDIT_REVIEW_QUEUED] = {"Review queued", DO("Ask"), INFO, OPEN, false},
    [AUDIT_REVIEW_CLEARED] = {"Review cleared", DO("Review"), INFO, DONE, false},
    [AUDIT_AUTH_FAILED] = {"Authentication failed", DO("Authenticate"), MEDIUM, FAILED, false},
    [AUDIT_AGENT_CREATED] = {"Agent registered", CREATE, LOW, DONE, false},
    [AUDIT_AGENT_ROTATED] = {"Agent key rotated", UPDATE, LOW, DONE, false},
    [AUDIT_AGENT_DISABLED] = {"Agent disabled", UPDATE, LOW, DONE, false},
    [AUDIT_AGENT_ENABLED] = {"Agent enabled", UPDATE, LOW, DONE, false},
    [AUDIT_AGENT_DELETED] = {"Agent deleted", DELETE, LOW, DONE, false},
    [AUDIT_PERSON_ADDED] = {"Person added", CREATE, LOW, DONE, false},
    [AUDIT_PERSON_CHANGED] = {"Person changed", UPDATE, LOW, DONE, false},
    [AUDIT_PERSON_TOKEN] = {"Person given a new token", UPDATE, LOW, DONE, false},
    [AUDIT_PERSON_LINK] = {"Sign-in link made for a person", CREATE, LOW, DONE, false},
    [AUDIT_PERSON_SIGNED_IN] = {"Person signed in", DO("Sign in"), INFO, DONE, false},
    [AUDIT_PERSON_SIGNED_OUT] = {"Person signed out", DO("Sign out"), INFO, DONE, false},
    [AUDIT_PASSKEY_ADDED] = {"Passkey added", CREATE, LOW, DONE, false},
    [AUDIT_PASSKEY_REMOVED] = {"Passkey removed", DELETE, LOW, DONE, false},
    [AUDIT_PERSON_REMOVED] = {"Person removed", DELETE, LOW, DONE, false},
    [AUDIT_TOOL_PINNED] = {"Tool definition pinned", CREATE, INFO, DONE, false},
    [AUDIT_TOOL_NEW] = {"New tool withheld", CREATE, LOW, DONE, false},
    [AUDIT_TOOL_CHANGED] = {"Tool definition changed", UPDATE, HIGH, DONE, false},
    [AUDIT_TOOL_RESTORED] = {"Tool definition restored", UPDATE, INFO, DONE, false},
    [AUDIT_TOOL_ACCEPTED] = {"Tool definition accepted", UPDATE, LOW, DONE, false},
    [AUDIT_KILL] = {"Stop ordered", DO("Stop"), HIGH, DONE, false},
    [AUDIT_KILL_DONE] = {"Stop complete", DO("Stop"), INFO, DONE, false},
    [AUDIT_REVIVED] = {"Stop lifted", DO("Revive"), MEDIUM, DONE, false},
    [AUDIT_CONFIG_RELOADED] = {"Configuration reloaded", UPDATE, LOW, DONE, false},
    [AUDIT_CONFIG_REFUSED] = {"Configuration refused", UPDATE, MEDIUM, FAILED, false},
    [AUDIT_GATEWAY_STARTED] = {"Gateway started", DO("Start"), INFO, DONE, false},
    [AUDIT_GATEWAY_STOPPED] = {"Gateway stopped", DO("Stop"), LOW, DONE, false},
    [AUDIT_RECORD_RECOVERED] = {"Record writable again", DO("Recover"), HIGH, DONE, false},
    [AUDIT_RECORD_TORN] = {"Torn end of the record put aside", DO("Recover"), HIGH, DONE, false},
    [AUDIT_RECORD_PRUNED] = {"Entries pruned", DELETE, LOW, DONE, false},
    [AUDIT_RECORD_KEY_ADDED] = {"Signing key added", CREATE, LOW, DONE, false},
    [AUDIT_RECORD_KEY_RETIRED] = {"Signing key retired", DELETE, LOW, DONE, false},
    [AUDIT_SUBJECT_FORGOTTEN] = {"Subject forgotten", DELETE, MEDIUM, DONE, false},
    [AUDIT_SEALED_SHOWN] = {"Sealed values read", READ, MEDIUM, DONE, false},
};

const struct meaning *meaning_of(struct str event)
{
    for (int i = 1; i < AUDIT_EVENT_COUNT; i++)
        if (meanings[i].name && str_is(event, audit_event_name((enum audit_event)i)))
            return &meanings[i];
    return &meanings[AUDIT_NONE];
}

enum meaning_level meaning_level(const struct meaning *m, struct str result)
{
    if (!m->outcome)
        return m->level;
    if (str_is(result, "denied") || str_is(result, "timeout") || str_is(result, "unknown"))
        return LEVEL_MEDIUM;
    return str_is(result, "failure") ? LEVEL_LOW : m->level;
}

enum meaning_status meaning_status(const struct meaning *m, struct str result)
{
    if (str_is(result, "success"))
        return STATUS_SUCCESS;
    if (str_is(result, "failure") || str_is(result, "denied") || str_is(result, "timeout"))
        return STATUS_FAILURE;
    return result.n ? STATUS_UNKNOWN : m->status;
}
