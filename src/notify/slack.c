/*
 * Slack: a message with buttons (chat.postMessage), changed when the question is over (chat.update); a word to one
 * person (chat.postEphemeral). Slack answers 200 also when it refuses: {"ok":false,"error":"channel_not_found"}.
 */
#include <stdio.h>
#include <stdlib.h>

#include "notify/inner.h"
#include "sink/address.h"
#include "sink/answer.h"

enum { SLACK_ARENA = 96 << 20, SLACK_BODY = 1 << 20, SLACK_PATIENCE_MS = 30000 };

struct slack {
    const struct conf_channel *conf;
    struct sink_http *http;
    struct secret *header;
    struct arena arena;
    struct buf body;
};

static void slack_close(void *c)
{
    struct slack *s = c;
    sink_http_free(s->http);
    secret_free(s->header);
    arena_done(&s->arena);
    buf_done(&s->body);
    free(s);
}

/* "Bearer xoxb-…" */
static struct secret *slack_bearer(const struct secret *token)
{
    unsigned char *p;
    struct secret *s = secret_alloc(7 + secret_len(token), &p);
    if (s) {
        memcpy(p, "Bearer ", 7);
        memcpy(p + 7, secret_bytes(token), secret_len(token));
    }
    return s;
}

static enum err slack_open(const struct conf_channel *conf, void **ret, struct fault *f)
{
    struct str url = conf->url.n ? conf->url : STR("https://slack.com/api");
    TRY(sink_address_http(url, f));
    struct slack *s = calloc(1, sizeof(*s));
    if (!s)
        return fault_set(f, ERR_NOMEM, "no memory for a channel");
    s->conf = conf;
    arena_init(&s->arena, SLACK_ARENA);
    buf_init(&s->body, SLACK_BODY);
    s->header = slack_bearer(conf->token);
    struct conf_pair pair = {STR("Authorization"), s->header};
    const struct conf_pairs headers = {.v = &pair, .n = 1};
    const struct sink_http_to to = {.url = url, .ca = conf->ca, .headers = &headers};
    enum err e = s->header ? sink_http_new(&to, &s->http, f) : fault_set(f, ERR_NOMEM, "no memory for a channel");
    if (e) {
        slack_close(s);
        return e;
    }
    *ret = s;
    return ERR_OK;
}

/* What will not get better by itself: the message, not the place. */
static bool slack_refuses(struct str error)
{
    static const char *const words[] = {
        "invalid_blocks",    "invalid_blocks_format", "msg_too_long",       "msg_blocks_too_long", "no_text",
        "message_not_found", "cant_update_message",   "edit_window_closed", "user_not_in_channel"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (str_is(error, words[i]))
            return true;
    return false;
}

/* Of its words only the short ones that are codes are repeated. */
static bool slack_is_code(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '_'))
            return false;
    return s.n && s.n <= 60;
}

static enum err slack_read(struct slack *s, struct str body, struct notify_told *told, struct fault *f)
{
    static const struct json_limits small = {.depth = 64, .nodes = 20000};
    struct json j;
    if (json_parse(&j, body, &s->arena, &small, NULL))
        return fault_set(f, ERR_UNREACHABLE, "something answers that is not Slack");
    struct str error = json_str(&j, json_get(&j, JSON_ROOT, STR("error")), &s->arena);
    if (!json_bool(&j, json_get(&j, JSON_ROOT, STR("ok")), false)) {
        told->refused = slack_refuses(error);
        return fault_set(f, ERR_UNREACHABLE, "Slack refuses: " STR_FMT,
                         STR_ARG(slack_is_code(error) ? error : STR("it does not say why")));
    }
    struct str channel = json_str(&j, json_get(&j, JSON_ROOT, STR("channel")), &s->arena);
    struct str ts = json_str(&j, json_get(&j, JSON_ROOT, STR("ts")), &s->arena);
    if (channel.n && ts.n && channel.n + ts.n + 2 <= sizeof(told->ref))
        snprintf(told->ref, sizeof(told->ref), STR_FMT " " STR_FMT, STR_ARG(channel), STR_ARG(ts));
    return ERR_OK;
}

static enum err slack_post(struct slack *s, const char *path, const _Atomic bool *stop, struct notify_told *told,
                           struct fault *f)
{
    struct sink_http_answer answer;
    struct sink_told pause = {0};
    if (buf_failed(&s->body) || arena_failed(&s->arena)) {
        told->refused = buf_error(&s->body) == ERR_LIMIT;
        return fault_set(f, ERR_NOMEM, "no memory for a message");
    }
    const struct sink_http_post post = {.path = path,
                                        .type = "application/json; charset=utf-8",
                                        .body = buf_view(&s->body),
                                        .timeout_ms = s->conf->timeout,
                                        .stop = stop};
    TRY(sink_http_post(s->http, &post, &answer, f));
    enum err e = sink_answer(&answer, &pause, f);
    told->pause_ms = pause.pause_ms ? pause.pause_ms : answer.status == 429 ? SLACK_PATIENCE_MS : 0;
    TRY(e);
    return slack_read(s, answer.body, told, f);
}

static void slack_begin(struct slack *s)
{
    arena_reset(&s->arena);
    buf_clear(&s->body);
}

static enum err slack_ask(void *c, const struct notify_message *m, const _Atomic bool *stop, struct notify_told *told,
                          struct fault *f)
{
    struct slack *s = c;
    const struct slack_message to = {.conf = s->conf, .channel = s->conf->channel};
    slack_begin(s);
    slack_blocks(&to, m, &s->arena, &s->body);
    return slack_post(s, "/chat.postMessage", stop, told, f);
}

static enum err slack_update(void *c, const struct notify_message *m, const _Atomic bool *stop,
                             struct notify_told *told, struct fault *f)
{
    struct slack *s = c;
    struct slack_message to = {.conf = s->conf};
    to.ts = str_of(told->ref);
    if (!str_cut(&to.ts, ' ', &to.channel))
        return ERR_OK;
    slack_begin(s);
    slack_blocks(&to, m, &s->arena, &s->body);
    return slack_post(s, "/chat.update", stop, told, f);
}

static enum err slack_say(void *c, const struct notify_word *w, const _Atomic bool *stop, struct notify_told *told,
                          struct fault *f)
{
    struct slack *s = c;
    slack_begin(s);
    struct json_out o = json_out(&s->body);
    json_open(&o, '{');
    json_kv_str(&o, "channel", w->channel);
    json_kv_str(&o, "user", w->user);
    json_kv_str(&o, "text", w->text);
    json_kv_z(&o, "parse", "none");
    json_kv_bool(&o, "mrkdwn", false);
    json_key(&o, STR("blocks"));
    json_open(&o, '[');
    json_open(&o, '{');
    json_kv_z(&o, "type", "section");
    json_key(&o, STR("text"));
    json_open(&o, '{');
    json_kv_z(&o, "type", "plain_text");
    json_kv_str(&o, "text", w->text);
    json_kv_bool(&o, "emoji", false);
    json_close(&o, '}');
    json_close(&o, '}');
    json_close(&o, ']');
    json_close(&o, '}');
    return slack_post(s, "/chat.postEphemeral", stop, told, f);
}

const struct notifier notify_slack = {.name = "slack",
                                      .open = slack_open,
                                      .ask = slack_ask,
                                      .update = slack_update,
                                      .say = slack_say,
                                      .close = slack_close};
