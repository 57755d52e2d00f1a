/* What Slack says when a button is pressed: a form with one field, `payload`, which is JSON. Judged after its signature
 * was, and still as a stranger's. */
#include "notify/inner.h"

/* %XX and +. False: that is no form. */
static bool heard_decode(struct str s, struct arena *a, struct str *ret)
{
    char *out = arena_raw(a, s.n + 1, 1);
    size_t n = 0;
    for (size_t i = 0; out && i < s.n; i++) {
        unsigned char byte = (unsigned char)s.p[i];
        if (byte == '+') {
            byte = ' ';
        } else if (byte == '%') {
            if (i + 3 > s.n || !enc_unhex((struct str){s.p + i + 1, 2}, &byte, 1))
                return false;
            i += 2;
        }
        out[n++] = (char)byte;
    }
    *ret = (struct str){out, n};
    return out != NULL;
}

static bool heard_word(struct str s, size_t max)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= 0x20 || s.p[i] >= 0x7f)
            return false;
    return s.n && s.n <= max;
}

static enum err heard_action(const struct json *j, uint32_t action, struct arena *a, struct slack_press *ret,
                             struct fault *f)
{
    struct str name = json_str(j, json_get(j, action, STR("action_id")), a), verb;
    unsigned char sum[SHA256_BYTES];
    ret->digest = json_str(j, json_get(j, action, STR("value")), a);
    ret->id = name;
    if (!str_cut(&ret->id, '_', &verb) || (!str_is(verb, "approve") && !str_is(verb, "deny")) || !notify_is_id(ret->id))
        return fault_set(f, ERR_INVALID, "action_id is none of a button of ours");
    if (!enc_unhex(ret->digest, sum, sizeof(sum)))
        return fault_set(f, ERR_INVALID, "the button's value is no digest");
    ret->approve = str_is(verb, "approve");
    return ERR_OK;
}

static enum err heard_payload(struct str text, struct arena *a, struct slack_press *ret, struct fault *f)
{
    static const struct json_limits bounds = {.depth = 64, .nodes = 100000};
    struct json j;
    TRY(json_parse(&j, text, a, &bounds, f));
    if (!json_str_is(&j, json_get(&j, JSON_ROOT, STR("type")), STR("block_actions")))
        return fault_set(f, ERR_INVALID, "type is not block_actions");
    uint32_t actions = json_get(&j, JSON_ROOT, STR("actions"));
    uint32_t action = json_type(&j, actions) == JSON_ARRAY ? json_first(&j, actions) : 0;
    if (!action || json_next(&j, actions, action))
        return fault_set(f, ERR_INVALID, "actions must hold one");
    TRY(heard_action(&j, action, a, ret, f));
    ret->user = json_str(&j, json_path(&j, JSON_ROOT, "user.id"), a);
    ret->channel = json_str(&j, json_path(&j, JSON_ROOT, "channel.id"), a);
    ret->message = json_str(&j, json_path(&j, JSON_ROOT, "message.ts"), a);
    if (!heard_word(ret->user, 60) || !heard_word(ret->channel, 60) || !heard_word(ret->message, 60))
        return fault_set(f, ERR_INVALID, "user.id, channel.id and message.ts must be there");
    return arena_failed(a) ? fault_set(f, ERR_NOMEM, "no memory for a request") : ERR_OK;
}

enum err slack_heard(struct str body, struct arena *a, struct slack_press *ret, struct fault *f)
{
    struct str payload = STR_NONE, pair, name;
    struct slack_press press = {0};
    while (body.n) {
        str_cut(&body, '&', &pair);
        str_cut(&pair, '=', &name);
        if (!str_is(name, "payload"))
            continue;
        if (payload.p)
            return fault_set(f, ERR_INVALID, "payload came twice");
        if (!heard_decode(pair, a, &payload))
            return fault_set(f, arena_failed(a) ? ERR_NOMEM : ERR_INVALID, "payload is not encoded as a form's");
    }
    if (!payload.p)
        return fault_set(f, ERR_INVALID, "there is no payload");
    TRY(heard_payload(payload, a, &press, f));
    *ret = press;
    return ERR_OK;
}
