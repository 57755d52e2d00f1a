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

/* How the definition stands to its pin (connect/pins.h). Zero: nobody has judged it; only TOOL_SERVED is served. */
enum tool_pin {
    TOOL_UNJUDGED = 0,
    TOOL_SERVED,
    TOOL_CHANGED, /* not the definition that is pinned */
    TOOL_NEW,     /* not pinned, and only an operator may do so */
    TOOL_UNPINNED /* not pinned: the store took no pin; it is tried again */
};

struct tool {
    struct upstream *upstream;
    struct str server, name; /* "orders", "lookup_order" */
    struct str id;           /* "orders/lookup_order": the catalogue's and the policies' name */
    struct str exposed;      /* "orders__lookup_order": the name on /mcp */
    /* The definition as JSON object, without what belongs to the server's hop: as /mcp lists it, and with the plain
     * name for /mcp/{server}; and both for clients of the legacy era. Empty: no client could take it. */
    struct str listed, plain, listed_legacy, plain_legacy;
    struct str definition; /* the server's own, canonical and whole */
    char hash[65];         /* SHA-256 of it, hex */
    enum tool_pin pin;     /* in a catalogue, what is not served has empty lists above, too */
    struct schema *input;  /* NULL: its inputSchema is unusable, for the reason in fault; every call is refused */
    struct fault fault;
    struct schema *output; /* of what it answers; NULL: none is declared, or one that cannot be used and is not shown */
    bool read_only_hint;   /* the server's claim: shown to people, never decides */
    const struct tool_param *param;
    size_t param_count;
};

static inline bool tool_served(const struct tool *t)
{
    return t->pin == TOOL_SERVED;
}

/* What else a server offers. On /mcp a prompt is named server__prompt; a URI stays what it is. */
enum offer_kind { OFFER_PROMPT, OFFER_RESOURCE, OFFER_TEMPLATE, OFFER_KINDS };
struct offer {
    struct upstream *upstream;
    struct str server, name;  /* a prompt's name, a resource's URI, a template's pattern: as the server knows it */
    struct str exposed;       /* as /mcp knows it */
    struct str listed, plain; /* the JSON object that /mcp and /mcp/{server} list */
};
/* What a server said that it can do. */
enum {
    SERVER_TOOLS = 1,
    SERVER_PROMPTS = 2,
    SERVER_RESOURCES = 4,
    SERVER_COMPLETIONS = 8,
    SERVER_LOGGING = 16,
    SERVER_SUBSCRIBE = 32,
    SERVER_TELLS = 64 /* when one of its lists changes */
};
struct catalogue_server {
    struct str name;
    struct upstream *upstream;
    unsigned can;
};

struct catalogue {
    const struct tool *tool; /* sorted by id */
    size_t count;
    const struct offer *offer[OFFER_KINDS]; /* by server, in its order */
    size_t offers[OFFER_KINDS];
    const struct catalogue_server *server; /* those that are up, by name */
    size_t servers;
    uint64_t version; /* grows with every change */
};

/* Fills t->param; otherwise why the definition must not be used (MCP 2026-07-28 streamable-http, "Schema Extension").
 */
const char *tool_params(struct tool *t, const struct json *doc, uint32_t schema, struct arena *a);
/* What the header of such an argument says; STR_NONE: it has none, being null, not there, or no plain value. */
struct str tool_param_value(const struct tool_param *p, const struct json *doc, uint32_t arguments, struct arena *a);

struct catalogue *catalogue_ref(struct catalogue *k); /* any thread */
void catalogue_unref(struct catalogue *k);
/* The snapshot of now, with a reference for the caller. Any thread; cheap enough for every call. */
struct catalogue *connect_catalogue(struct connect *c);
const struct tool *catalogue_by_exposed(const struct catalogue *k, struct str exposed);              /* hashed */
const struct tool *catalogue_by_id(const struct catalogue *k, struct str id);                        /* hashed */
const struct tool *catalogue_by_name(const struct catalogue *k, struct str server, struct str name); /* hashed */
const struct catalogue_server *catalogue_server(const struct catalogue *k, struct str name);         /* NULL: not up */
/* A prompt by its own name. */
const struct offer *catalogue_prompt(const struct catalogue *k, struct str server, struct str name);
/* Whose URI is it? Of `server`, or with an empty one of the first that lists it or has a template that fits it. */
const struct catalogue_server *catalogue_uri(const struct catalogue *k, struct str server, struct str uri);

#endif
