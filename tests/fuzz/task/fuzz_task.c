/*
 * What the store has of a call that is made without its client: in the first line, and behind it the arguments that
 * people said yes to. What is read is whole, and written again it reads the same.
 */
#include "../fuzz.h"
#include "gate/stage.h"

static void reads_same(struct call *c, struct str about)
{
    struct call again = {.arena = c->arena};
    struct fault f = {0};
    c->changed = STR("[]"); /* the arguments are written, too */
    struct str kept = task_call_write(c);
    if (!kept.n)
        return;
    enum err e = task_call_read(kept, about, false, &again, &f);
    CHECK(e == ERR_OK || e == ERR_NOMEM);
    if (e)
        return;
    CHECK(str_eq(again.asked, c->asked) && str_eq(again.server, c->server));
    CHECK(again.can == c->can && again.claims.tokens == c->claims.tokens && again.trace_sampled == c->trace_sampled);
    CHECK(!again.source == !c->source && strcmp(again.parent_span_id, c->parent_span_id) == 0);
    CHECK(json_equal(again.asked_doc, again.asked_node, c->asked_doc, c->asked_node, c->arena));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct arena a;
    struct fault f = {0};
    struct str about = {(const char *)p, n}, kept;
    arena_init(&a, 1u << 22);
    str_cut(&about, '\n', &kept);
    struct call c = {.arena = &a};
    enum err e = task_call_read(kept, about, n % 2, &c, &f);
    CHECK(e == ERR_OK || e == ERR_CORRUPT || e == ERR_SYNTAX || e == ERR_LIMIT || e == ERR_NOMEM);
    words_checked(e, &f);
    if (!e) {
        CHECK(c.asked.n && json_type(c.asked_doc, c.asked_node) == JSON_OBJECT && c.can <= CAN_ALL);
        CHECK(memchr(c.parent_span_id, 0, sizeof(c.parent_span_id)));
        reads_same(&c, about);
    }
    arena_done(&a);
    return 0;
}
