/*
 * What is read back from the store: a question, how it stands, and the session that it waits in, one on each line, with
 * the state's number and whether it is over before them ("1 0"). What is read is whole, written again it reads the
 * same; what is refused says why.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "../fuzz.h"
#include "approve/inner.h"
#include "identity/session_keep.h"

static void reads_same(const struct store_approval *row, const struct approval *p, struct arena *a)
{
    struct buf b;
    struct fault f = {0};
    struct approval *again = NULL;
    struct store_approval next = *row;
    int64_t written;
    buf_init(&b, 1u << 24);
    row_standing(&p->now, &b);
    next.standing = buf_view(&b);
    if (next.standing.n) {
        enum err e = row_read(&next, a, &again, &written, &f);
        CHECK(e == ERR_OK || e == ERR_NOMEM);
    }
    if (again) {
        CHECK(again->now.state == p->now.state && again->now.until == p->now.until);
        CHECK(!again->now.edit == !p->now.edit);
        CHECK(strcmp(approval_digest(again), approval_digest(p)) == 0);
        CHECK(approval_yes(again->now.said, again->digest) == approval_yes(p->now.said, p->digest));
    }
    approval_unref(again);
    buf_done(&b);
}

static void read_question(const struct store_approval *row, struct arena *a)
{
    struct fault f = {0};
    struct approval *p = NULL;
    struct approval_card card;
    int64_t written = -1;
    enum err e = row_read(row, a, &p, &written, &f);
    CHECK(e == ERR_OK || e == ERR_CORRUPT || e == ERR_NOMEM);
    words_checked(e, &f);
    if (!e) {
        CHECK(p->people >= 1 && p->people <= 2 && p->risk < DUTY_RISK_CRITICAL && written >= 0 && p->id[0]);
        CHECK(approval_over(p->now.state) == (p->now.ended > 0) && p->now.state != APPROVAL_NONE);
        reads_same(row, p, a);
    }
    approval_unref(p);
    f = (struct fault){0};
    e = row_card(row, a, &card, &f);
    CHECK(e == ERR_OK || e == ERR_CORRUPT || e == ERR_NOMEM);
    words_checked(e, &f);
}

static void read_session(struct str kept)
{
    struct fault f = {0};
    struct lease *l = lease_new();
    if (!l)
        return;
    enum err e = session_unkeep(l, kept, 0, &f);
    CHECK(e == ERR_OK || e == ERR_CORRUPT || e == ERR_SESSION_ENDED || e == ERR_NOMEM);
    words_checked(e, &f);
    if (!e) {
        CHECK(l->sid.n && l->agent_id.n && l->max_calls >= 0 && atomic_load(&l->used) >= 0);
        for (size_t i = 1; i < l->scope_count; i++)
            CHECK(str_cmp(l->scope[i - 1], l->scope[i]) < 0);
        for (size_t i = 0; i < l->cidrs.n; i++)
            CHECK(l->cidrs.v[i].bits <= 128);
    }
    lease_unref(l);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct arena a;
    struct str text = {(const char *)p, n}, head, question, standing;
    arena_init(&a, 1u << 24);
    str_cut(&text, '\n', &head);
    str_cut(&text, '\n', &question);
    str_cut(&text, '\n', &standing);
    struct store_approval row = {.id = STR("apr_01J0000000000000000000000"),
                                 .sid = STR("sess_1"),
                                 .tool = STR("desk/refund"),
                                 .state = head.n ? head.p[0] - '0' : 0,
                                 .ended = head.n > 2 && head.p[2] == '1' ? 1000 : 0,
                                 .question = question,
                                 .standing = standing};
    read_question(&row, &a);
    read_session(text);
    arena_done(&a);
    return 0;
}
