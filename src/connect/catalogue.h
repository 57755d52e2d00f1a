/*
 * The catalogue: every tool of every server that is up, as one immutable, reference-counted snapshot. A server that is
 * down takes only its own tools away. Order is by id, so that lists are the same each time.
 */
#ifndef CONNECT_CATALOGUE_H
#define CONNECT_CATALOGUE_H

#include "connect/connect.h"
#include "schema/schema.h"

struct tool_param {         /* an argument mirrored into a header: x-mcp-header (MCP 2026-07-28, Streamable HTTP) */
    struct str header;      /* "Mcp-Param-Region" */
    const struct str *path; /* property names from the root of the arguments */
    size_t depth;
};

struct tool {
    struct upstream *upstream;
    struct str server, name; /* "orders", "lookup_order" */
    struct str id;           /* "orders/lookup_order": the catalogue's and the policies' name */
    struct str exposed;      /* "orders__lookup_order": the name on /mcp */
    /* The definition as JSON object, without what belongs to the server's hop: as /mcp lists it, and with the plain
     * name for /mcp/{server}; and both for clients of the legacy era. Empty: no client could take it. */
    struct str listed, plain, listed_legacy, plain_legacy;
    char hash[65];        /* SHA-256 of the canonical definition, hex */
    struct schema *input; /* NULL: its inputSchema is unusable, for the reason in fault; every call is refused */
    struct fault fault;
    bool read_only_hint; /* the server's claim: shown to people, never decides */
    const struct tool_param *param;
    size_t param_count;
};

struct catalogue {
    const struct tool *tool; /* sorted by id */
    size_t count;
    uint64_t version; /* grows with every change */
};

struct catalogue *catalogue_ref(struct catalogue *k); /* any thread */
void catalogue_unref(struct catalogue *k);
/* The snapshot of now, with a reference for the caller. Any thread; cheap enough for every call. */
struct catalogue *connect_catalogue(struct connect *c);
const struct tool *catalogue_by_exposed(const struct catalogue *k, struct str exposed);              /* hashed */
const struct tool *catalogue_by_name(const struct catalogue *k, struct str server, struct str name); /* hashed */

#endif
