/*
 * JSON-RPC 2.0 as MCP uses it (MCP 2026-07-28 basic, "Messages"): one message in, one answer out. Batches are refused:
 * MCP knows none since 2025-06-18.
 */
#ifndef MCP_RPC_H
#define MCP_RPC_H

#include "base/json.h"

enum rpc_kind { RPC_NONE = 0, RPC_REQUEST, RPC_NOTIFICATION, RPC_RESPONSE };

struct rpc {
    enum rpc_kind kind;
    struct str id;     /* raw JSON: a string or an integer; empty when there is none */
    struct str method; /* a view of the text, or of the arena when it was escaped */
    uint32_t params;   /* node of the params object; 0: none */
    uint32_t meta;     /* node of params._meta; 0: none */
};

/* The parsed text as a message. ERR_INVALID says what is wrong; ret->id is set whenever it could be read, so that the
 * error can carry it. */
enum err rpc_read(const struct json *doc, struct arena *a, struct rpc *ret, struct fault *f) MUST_USE;

/* {"jsonrpc":"2.0","id":ID,"result":   … the caller writes the value …   } */
void rpc_result_open(struct json_out *o, struct str id);
void rpc_close(struct json_out *o);
/* An error object. data_raw: members of `data` beside "code", as JSON `,"k":v…`, or empty. trace_id may be NULL. */
void rpc_put_error(struct json_out *o, int code, const struct fault *f, const char *trace_id, struct str data_raw);
/* A whole answer of it. */
void rpc_error(struct buf *b, struct str id, int code, const struct fault *f, const char *trace_id,
               struct str data_raw);

#endif
