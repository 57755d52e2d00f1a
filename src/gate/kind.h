/*
 * What an agent may ask of a server, once: a tool, a prompt, a resource, a completion. All go the same way through the
 * stages; what differs stands in this table. To add one: a line here, and a method of the protocol that makes such a
 * call.
 */
#ifndef GATE_KIND_H
#define GATE_KIND_H

#include "audit/audit.h"

enum call_kind { CALL_TOOL = 0, CALL_PROMPT, CALL_RESOURCE, CALL_COMPLETION, CALL_KINDS };

struct call_kind_row {
    const char *method;                       /* of the server's protocol */
    const char *scope;                        /* "resource:action" of a server's; NULL: of the tool itself */
    enum audit_event intent, outcome, denied; /* on record */
    bool budget;                              /* takes one of the session's calls */
};
extern const struct call_kind_row call_kinds[CALL_KINDS]; /* kind.c */

/* The scope that a whole server's prompts or resources need: "prompts:get:server:NAME". */
struct str call_server_scope(const char *scope, struct str server, char ret[128]);

#endif
