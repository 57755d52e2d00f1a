/*
 * Calls that go on without their client: MCP's extension for tasks (gate/task.h is what they are).
 */
#ifndef MCP_TASKS_H
#define MCP_TASKS_H

#include "gate/task.h"
#include "mcp/streams.h"

#define MCP_TASKS "io.modelcontextprotocol/tasks"
enum { MCP_TASK_ARENA = 64 << 20 }; /* for what one was answered */

/* Does the client of this request know them? ERR_CAPABILITY: it has to. */
bool mcp_knows_tasks(const struct mcp_request *r);
enum err mcp_needs_tasks(const struct mcp_request *r, struct fault *f) MUST_USE;
/* The answer of a call that is a task from now on; it answers. */
void mcp_answer_task(struct mcp_request *r);
/* The members of one, whole; r->call is as gate_task_look left it, with its arena. */
void mcp_put_task(struct mcp_request *r, struct json_out *o, struct str id, const struct gate_task_seen *s);

/* task_streams.c: of which tasks a stream tells; those that are not the session's are not acknowledged. */
enum err mcp_tasks_listen(struct mcp_stream *s, uint32_t list, struct fault *f) MUST_USE;
void mcp_tasks_acknowledge(const struct mcp_stream *s, struct json_out *o);
void mcp_tasks_tell(struct mcp_stream *s); /* what has changed of them */

#endif
