#include "gate/kind.h"

#include <stdio.h>

const struct call_kind_row call_kinds[CALL_KINDS] = {
    [CALL_TOOL] = {"tools/call", NULL, AUDIT_TOOL_CALL, AUDIT_TOOL_RESULT, AUDIT_TOOL_DENIED, true},
    [CALL_PROMPT] = {"prompts/get", "prompts:get", AUDIT_PROMPT_GET, AUDIT_REQUEST_RESULT, AUDIT_REQUEST_DENIED, false},
    [CALL_RESOURCE] = {"resources/read", "resources:read", AUDIT_RESOURCE_READ, AUDIT_REQUEST_RESULT,
                       AUDIT_REQUEST_DENIED, false},
    [CALL_COMPLETION] = {"completion/complete", NULL, AUDIT_COMPLETION, AUDIT_REQUEST_RESULT, AUDIT_REQUEST_DENIED,
                         false},
};

struct str call_server_scope(const char *scope, struct str server, char ret[128])
{
    int n = snprintf(ret, 128, "%s:server:" STR_FMT, scope, STR_ARG(server));
    return (struct str){ret, n > 0 && n < 128 ? (size_t)n : 0};
}
