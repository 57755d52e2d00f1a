/* What the channels need of the queue, as the queue gives it. */
#include "notify/inner.h"

static enum err queue_view(void *ctx, struct str id, struct arena *a, struct approval_view *ret,
                           struct approval_card *card, struct fault *f)
{
    return approvals_view(ctx, id, a, ret, card, f);
}

static enum err queue_card(void *ctx, struct str id, struct arena *a, struct approval_card *ret, struct fault *f)
{
    return approvals_card(ctx, id, a, ret, f);
}

static enum err queue_decide(void *ctx, const struct approval_decision *d, struct fault *f)
{
    enum approval_state now;
    return approvals_decide(ctx, d, &now, f);
}

enum { QUEUE_ARENA = 256 << 20, QUEUE_LIST = 64 << 20 };

static void queue_pending(void *ctx, void (*one)(void *to, struct str id, struct str reviewers), void *to)
{
    struct arena a;
    struct json j;
    struct buf b CLEANUP(buf_done);
    buf_init(&b, QUEUE_LIST);
    arena_init(&a, QUEUE_ARENA);
    struct json_out o = json_out(&b);
    approvals_list(ctx, true, &o);
    if (!buf_failed(&b) && json_parse(&j, buf_view(&b), &a, NULL, NULL) == ERR_OK)
        JSON_EACH(&j, JSON_ROOT, item)
        {
            struct str reviewers = json_raw(&j, json_get(&j, item, STR("reviewers")));
            struct str id = json_str(&j, json_get(&j, item, STR("id")), &a);
            one(to, id, reviewers.n ? reviewers : STR("[]"));
            if (json_type(&j, json_get(&j, item, STR("escalatedAt"))) == JSON_STRING)
                one(to, id, json_raw(&j, json_get(&j, item, STR("escalateTo"))));
        }
    arena_done(&a);
}

static bool queue_glass(void *ctx, struct approval_glass *ret)
{
    return approvals_glass(ctx, ret);
}

void notify_house_of(struct approvals *a, struct notify_house *ret)
{
    ret->ctx = a;
    ret->view = queue_view;
    ret->card = queue_card;
    ret->decide = queue_decide;
    ret->pending = queue_pending;
    ret->glass = queue_glass;
}
