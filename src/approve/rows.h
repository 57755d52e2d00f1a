/* The rows of a view's section while they are made. For the files of this room. */
#ifndef APPROVE_ROWS_H
#define APPROVE_ROWS_H

#include "approve/view.h"

struct view_rows {
    struct arena *a;
    struct view_field *field;
    size_t n, cap;
};
/* A row more; of a full arena one that nobody sees (arena_failed). Until the next one. */
struct view_field *rows_add(struct view_rows *r, unsigned depth);
void rows_put(struct view_rows *r, const char *name, struct str value); /* value: made visible; nothing when empty */
void rows_close(struct view_rows *r, struct view_section *s);
/* s in the arena, fit for showing. */
struct str rows_visible(struct arena *a, struct str s, bool lines);
/* "2026-11-26 12:00:05 UTC"; "4m 12s". In the arena. */
struct str rows_when(struct arena *a, int64_t wall_ms);
struct str rows_span(struct arena *a, int64_t ms);

/* effect.c. Arguments without what is secret or sealed: canonical JSON in the arena. ERR_NOMEM, ERR_SYNTAX. */
enum err effect_arguments(struct audit *audit, struct str canonical, struct arena *a, struct str *ret, bool *ret_masked,
                          struct fault *f) MUST_USE;
/* Each argument a row, with what the schema calls it. shown: as effect_arguments made them. */
enum err effect_rows(struct view_rows *r, struct str canonical, struct str shown, struct str schema,
                     struct fault *f) MUST_USE;
/* "amount 120, order "A-1"": at most about `max` bytes; "…" stands for the rest. */
struct str effect_brief(struct str shown, size_t max, struct arena *a);

/* past.c. (blocks) The session's last calls, decisions on such calls before. That the record cannot be read is a row.
 */
void past_calls(struct view_rows *r, struct audit *audit, const struct approval_card *c);
void past_decisions(struct view_rows *r, struct audit *audit, const struct approval_card *c);

#endif
