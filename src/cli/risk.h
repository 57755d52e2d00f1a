/*
 * A first proposal for a tool's risk, from what its server says of it. It decides nothing: a person reads it and writes
 * the tier down.
 *
 * The name is split into words, and the words are looked up in a table (risk.c). A server's own words are not believed
 * where they would make a tool look harmless: description and annotations can raise the tier and never lower it, and a
 * name that says nothing is high.
 */
#ifndef CLI_RISK_H
#define CLI_RISK_H

#include "base/json.h"

enum risk { RISK_LOW, RISK_MEDIUM, RISK_HIGH, RISK_CRITICAL };
const char *risk_name(enum risk r);

/* The annotations of a tool (MCP server/tools, ToolAnnotations) that count, as they were said; others say nothing. */
enum risk_hint { RISK_DESTRUCTIVE = 1, RISK_OPEN_WORLD = 2, RISK_WRITES = 4 /* readOnlyHint: false */ };

struct risk_verdict {
    enum risk risk;
    char words[96]; /* those that decided, with commas; "says nothing known" */
};
/* hints: of enum risk_hint. */
void risk_propose(struct str name, struct str description, unsigned hints, struct risk_verdict *ret);
/* The same for a tool as the operators' API lists it: name, description, definition.annotations. */
void risk_of_tool(const struct json *j, uint32_t tool, struct arena *a, struct risk_verdict *ret);

#endif
