#include "sink/otlp.h"

#include <stdlib.h>

#include "base/log.h"
#include "sink/answer.h"

enum { OTLP_BODY = 512 << 20, OTLP_INTENTS = 4 << 20 };

struct otlp {
    const struct conf_sink *conf;
    const struct sink_format *format;
    const char *path;
    struct sink_http *http;
    struct sink_format_how how;
    char audit_dir[4000];
    struct buf body;
};

void otlp_close(void *s)
{
    struct otlp *o = s;
    sink_http_free(o->http);
    sink_intents_free(o->how.intents);
    audit_reader_close(o->how.reader);
    buf_done(&o->body);
    free(o);
}

enum err otlp_open(const struct conf_sink *conf, const struct sink_format *format, const char *path,
                   const char *audit_dir, void **ret, struct fault *f)
{
    struct otlp *o = calloc(1, sizeof(*o));
    if (!o || strlen(audit_dir) >= sizeof(o->audit_dir)) {
        free(o);
        return fault_set(f, ERR_NOMEM, "no memory for a collector");
    }
    o->conf = conf;
    o->format = format;
    o->path = path;
    memcpy(o->audit_dir, audit_dir, strlen(audit_dir) + 1);
    buf_init(&o->body, OTLP_BODY);
    o->how.arguments = conf->arguments;
    enum err e = sink_http_open(conf, &o->http, f);
    if (!e && conf->arguments && !(o->how.intents = sink_intents_new(OTLP_INTENTS)))
        e = fault_set(f, ERR_NOMEM, "no memory for a collector");
    if (e) {
        otlp_close(o);
        return e;
    }
    *ret = o;
    return ERR_OK;
}

/* How many of them have a form here. */
static size_t otlp_body(struct otlp *o, const struct sink_entry *v, size_t n)
{
    const struct sink_format *m = o->format;
    size_t count = 0;
    buf_clear(&o->body);
    buf_z(&o->body, m->begin ? m->begin : "");
    for (size_t i = 0; i < n; i++) {
        size_t before = o->body.n;
        if (count)
            buf_z(&o->body, m->between ? m->between : "");
        if (m->write(&v[i], &o->how, &o->body))
            count++;
        else if (!buf_failed(&o->body))
            o->body.n = before;
    }
    buf_z(&o->body, m->end ? m->end : "");
    return count;
}

static void otlp_partial(const struct otlp *o, struct str body)
{
    char reason[200] = "";
    uint64_t rejected = 0;
    if (sink_answer_partial(body, &rejected, reason, sizeof(reason)))
        log_warn("sink_rejected", LOG_S("sink", o->conf->name), LOG_I("records", rejected), LOG_Z("reason", reason));
}

enum err otlp_deliver(void *s, const struct sink_entry *v, size_t n, const _Atomic bool *stop, struct sink_told *ret,
                      struct fault *f)
{
    struct otlp *o = s;
    struct sink_http_answer answer;
    if (o->how.arguments && !o->how.reader)
        TRY(audit_reader_open(o->audit_dir, &o->how.reader, f));
    size_t count = otlp_body(o, v, n);
    if (buf_failed(&o->body))
        return fault_set(f, buf_error(&o->body), "no memory for a batch of %zu entries", n);
    if (count) {
        const struct sink_http_post post = {.path = o->path,
                                            .type = o->format->content_type,
                                            .body = buf_view(&o->body),
                                            .timeout_ms = o->conf->timeout,
                                            .stop = stop};
        TRY(sink_http_post(o->http, &post, &answer, f));
        TRY(sink_answer(&answer, ret, f));
        otlp_partial(o, answer.body);
    }
    ret->taken = n;
    ret->idle = !count;
    return ERR_OK;
}

/* ---- logs ---- */

static enum err otlp_logs_open(const struct conf_sink *conf, const char *audit_dir, void **ret, struct fault *f)
{
    return otlp_open(conf, &format_logs, "/v1/logs", audit_dir, ret, f);
}

const struct sink_kind sink_otlp = {
    .name = "otlp", .open = otlp_logs_open, .deliver = otlp_deliver, .close = otlp_close};
