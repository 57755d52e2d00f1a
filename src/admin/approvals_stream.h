/*
 * Questions to people as they come and end, as server-sent events (WHATWG HTML, "Server-sent events").
 *
 *   event: pending     first: {"approvals":[…],"breakGlass"}, all that wait now, as GET /admin/v1/approvals lists them
 *   event: approval    then, of each change: {"id","before","state","tool","agentId","risk","createdAt","expiresAt",
 *                      "people","approved","escalateTo","escalatesAt","escalatedAt","by","channel"}; a new question
 *                      comes with before "none"
 *   event: break-glass what became of break-glass: {"event":"started"|"used"|"ended","at","by","reason","approval",
 *                      "tool","agentId","breakGlass":{"id","by","reason","startedAt","endsAt","used"}}
 *   event: end, error  the last one: {"error","message"}; who comes back gets all that wait once more
 *
 * Threads: worker 0, but for approval_streams_news and approval_streams_glass: any.
 */
#ifndef ADMIN_APPROVALS_STREAM_H
#define ADMIN_APPROVALS_STREAM_H

#include "admin/admin.h"
#include "approve/glass.h"

struct approval_streams;
enum err approval_streams_new(struct admin *a, struct approval_streams **ret, struct fault *f) MUST_USE;
void approval_streams_reloaded(struct approval_streams *all); /* those whose token is not taken any more end */
void approval_streams_stop(struct approval_streams *all);     /* they end, and none begins */
void approval_streams_free(struct approval_streams *all);     /* after the loop, and when no news can come any more */
void approval_streams_glass(struct approval_streams *all, const struct glass_news *n);
void approval_streams_news(struct approval_streams *all, const struct approval_news *n);

#endif
