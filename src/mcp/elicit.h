/*
 * URLs that a client is asked to open (elicitation in URL mode). A server of the 2025-11-25 revision says when what
 * happens there is over (notifications/elicitation/complete, MCP 2025-11-25 client/elicitation, "Completion
 * Notifications for URL Mode"), and only the client that was given the URL may hear it: here is noted which protocol
 * session that is. Since 2026-07-28 there is no such message; a modern client sends its call again.
 *
 * One for the process. Any thread. The oldest makes room: what is forgotten is not told, and clients do without.
 */
#ifndef MCP_ELICIT_H
#define MCP_ELICIT_H

#include "mcp/request.h"

enum { ELICITED_MAX = 4096, ELICITED_ID_MAX = 1024 };

struct elicited_of { /* what, of whom, to whom */
    struct str server, id, sid, mcp_session;
};

struct elicited *elicited_new(void); /* NULL: no memory */
void elicited_free(struct elicited *e);
void elicited_note(struct elicited *e, const struct elicited_of *of);
/* Was it noted? It is forgotten: an end is told once. */
bool elicited_take(struct elicited *e, const struct elicited_of *of);

/* A legacy client is sent a request of a server's: if it names a URL with an id, that is noted. */
void mcp_elicit_asked(struct mcp_request *r, struct str method, struct str params);
/* It is sent an error that names URLs to be opened first (-32042), with this data. */
void mcp_elicit_needed(struct mcp_request *r, const struct json *doc, uint32_t data);
/* A legacy server's error -32042, as a modern client knows it: as an answer that wants input, into the worker's buffer.
 * False: it is none, or the client opens no URLs. */
bool mcp_put_elicit(struct mcp_request *r, const struct connect_answer *a);

#endif
