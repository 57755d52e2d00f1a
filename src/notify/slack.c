/*
 * Slack: a message with buttons (chat.postMessage), changed when the question is over (chat.update); a word to one
 * person (chat.postEphemeral). Slack answers 200 also when it refuses: {"ok":false,"error":"channel_not_found"}.
 */
#include <stdio.h>

#include "notify/inner.h"

enum { SLACK_BODY = 1 << 20, SLACK_PATIENCE_MS = 30000 };

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
    struct secret *bearer CLEANUP(secret_freep) = slack_bearer(conf->token);
    struct conf_pair pair = {STR("Authorization"), bearer};
    const struct conf_pairs headers = {.v = &pair, .n = 1};
    const struct sink_http_to to = {
        .url = conf->url.n ? conf->url : STR("https://slack.com/api"), .ca = conf->ca, .headers = &headers};
    struct post *p;
    if (!bearer)
        return fault_set(f, ERR_NOMEM, "no memory for a channel");
    TRY(post_open(conf, &to, SLACK_BODY, &p, f));
    *ret = p;
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

static enum err slack_read(struct post *p, struct str body, struct notify_told *told, struct fault *f)
{
    static const struct json_limits small = {.depth = 64, .nodes = 20000};
    struct json j;
    if (json_parse(&j, body, &p->arena, &small, NULL))
        return fault_set(f, ERR_UNREACHABLE, "something answers that is not Slack");
    struct str error = json_str(&j, json_get(&j, JSON_ROOT, STR("error")), &p->arena);
    if (!json_bool(&j, json_get(&j, JSON_ROOT, STR("ok")), false)) {
        told->refused = slack_refuses(error);
        return fault_set(f, ERR_UNREACHABLE, "Slack refuses: " STR_FMT,
                         STR_ARG(slack_is_code(error) ? error : STR("it does not say why")));
    }
    struct str channel = json_str(&j, json_get(&j, JSON_ROOT, STR("channel")), &p->arena);
    struct str ts = json_str(&j, json_get(&j, JSON_ROOT, STR("ts")), &p->arena);
    if (channel.n && ts.n && channel.n + ts.n + 2 <= sizeof(told->ref))
        snprintf(told->ref, sizeof(told->ref), STR_FMT " " STR_FMT, STR_ARG(channel), STR_ARG(ts));
    return ERR_OK;
}

static enum err slack_post(struct post *p, const char *path, const _Atomic bool *stop, struct notify_told *told,
                           struct fault *f)
{
    const struct sink_http_post how = {.path = path, .type = "application/json; charset=utf-8", .stop = stop};
    struct sink_http_answer answer;
    enum err e = post_send(p, &how, told, &answer, f);
    if (answer.status == 429 && !told->pause_ms)
        told->pause_ms = SLACK_PATIENCE_MS;
    TRY(e);
    return slack_read(p, answer.body, told, f);
}

static enum err slack_ask(void *c, const struct notify_message *m, const _Atomic bool *stop, struct notify_told *told,
                          struct fault *f)
{
    struct post *p = c;
    const struct slack_message to = {.conf = p->conf, .channel = p->conf->channel};
    post_begin(p);
    slack_blocks(&to, m, &p->arena, &p->body);
    return slack_post(p, "/chat.postMessage", stop, told, f);
}

static enum err slack_update(void *c, const struct notify_message *m, const _Atomic bool *stop,
                             struct notify_told *told, struct fault *f)
{
    struct post *p = c;
    struct slack_message to = {.conf = p->conf};
    to.ts = str_of(told->ref);
    if (!str_cut(&to.ts, ' ', &to.channel))
        return ERR_OK;
    post_begin(p);
    slack_blocks(&to, m, &p->arena, &p->body);
    return slack_post(p, "/chat.update", stop, told, f);
}

static enum err slack_say(void *c, const struct notify_word *w, const _Atomic bool *stop, struct notify_told *told,
                          struct fault *f)
{
    struct post *p = c;
    struct json_out o = post_begin(p);
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
    return slack_post(p, "/chat.postEphemeral", stop, told, f);
}

static enum err slack_page_post(void *c, const struct notify_page *page, const _Atomic bool *stop,
                                struct notify_told *told, struct fault *f)
{
    struct post *p = c;
    const struct slack_message to = {.conf = p->conf, .channel = p->conf->channel};
    struct page_view v;
    post_begin(p);
    page_shown(page, &p->arena, &v);
    slack_page(&to, &v, &p->arena, &p->body);
    return slack_post(p, "/chat.postMessage", stop, told, f);
}

const struct notifier notify_slack = {.name = "slack",
                                      .lasts = true,
                                      .open = slack_open,
                                      .ask = slack_ask,
                                      .update = slack_update,
                                      .page = slack_page_post,
                                      .say = slack_say,
                                      .close = post_close};
