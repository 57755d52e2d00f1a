/*
 * Which revision of MCP a request speaks, and whether its headers say the same as its body. The body is the only
 * authority; headers are checked against it (MCP 2026-07-28 basic/transports/streamable-http, "Server Validation";
 * basic/versioning).
 *
 *   modern   2026-07-28: every request carries its version and capabilities in _meta; headers mirror the body
 *   legacy   2025-11-25 and before: `initialize` first, then the version in a header
 */
#ifndef MCP_ERA_H
#define MCP_ERA_H

#include "mcp/rpc.h"
#include "net/http.h"

enum era { ERA_NONE = 0, ERA_LEGACY, ERA_MODERN };

#define MCP_MODERN "2026-07-28"
#define MCP_LEGACY "2025-11-25"

/* Spoken by the face to agents, newest first, as JSON: "["2026-07-28",…]". */
extern const char mcp_versions_json[];

bool era_legacy_version(struct str version);

/* Tells the era and checks everything that the revision wants checked before the method is looked at. For
 * ERR_PROTOCOL_VERSION the faults's answer lists the versions (mcp_versions_json). */
enum err era_of(const struct http_head *h, const struct json *doc, const struct rpc *r, struct arena *a, enum era *ret,
                struct fault *f) MUST_USE;

#endif
