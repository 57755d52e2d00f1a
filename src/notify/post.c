/* What the kinds that speak HTTP have while they are open. */
#include <stdlib.h>

#include "notify/inner.h"
#include "sink/address.h"
#include "sink/answer.h"

enum { POST_ARENA = 96 << 20 };

void post_close(void *it)
{
    struct post *p = it;
    sink_http_free(p->http);
    secret_free(p->key);
    arena_done(&p->arena);
    buf_done(&p->body);
    free(p);
}

enum err post_open(const struct conf_channel *conf, const struct sink_http_to *to, size_t body_max, struct post **ret,
                   struct fault *f)
{
    TRY(sink_address_http(to->url, f));
    struct post *p = calloc(1, sizeof(*p));
    if (!p)
        return fault_set(f, ERR_NOMEM, "no memory for a channel");
    p->conf = conf;
    arena_init(&p->arena, POST_ARENA);
    buf_init(&p->body, body_max);
    enum err e = sink_http_new(to, &p->http, f);
    if (e) {
        post_close(p);
        return e;
    }
    *ret = p;
    return ERR_OK;
}

struct json_out post_begin(struct post *p)
{
    arena_reset(&p->arena);
    buf_clear(&p->body);
    return json_out(&p->body);
}

static enum err post_whole(struct post *p, const struct sink_http_post *how, struct sink_http_answer *ret,
                           struct fault *f)
{
    struct sink_http_post post = *how;
    post.body = buf_view(&p->body);
    post.timeout_ms = p->conf->timeout;
    return sink_http_post(p->http, &post, ret, f);
}

enum err post_send(struct post *p, const struct sink_http_post *how, struct notify_told *told,
                   struct sink_http_answer *ret, struct fault *f)
{
    struct sink_told pause = {0};
    bool failed = buf_failed(&p->body) || arena_failed(&p->arena);
    *ret = (struct sink_http_answer){0};
    told->refused = buf_error(&p->body) == ERR_LIMIT; /* it will not get smaller */
    enum err e = failed ? fault_set(f, ERR_NOMEM, "no memory for a message") : post_whole(p, how, ret, f);
    if (p->body.p)
        secret_wipe(p->body.p, p->body.n);
    buf_clear(&p->body);
    TRY(e);
    e = sink_answer(ret, &pause, f);
    told->pause_ms = pause.pause_ms;
    return e;
}
