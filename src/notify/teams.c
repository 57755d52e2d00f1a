/*
 * Microsoft Teams: a workflow's webhook, which takes an Adaptive Card (1.5). Its URL is a credential, since it holds
 * its own signature. A card leads to where one decides; nobody decides from it. A message that is there cannot be
 * changed this way: how it ended is another one.
 *
 * Words of others stand in text runs only, which know no markdown, no links and no mentions.
 */
#include "notify/inner.h"
#include "sink/address.h"

enum { TEAMS_SHOWN = 8000, TEAMS_WORDS = 1000, TEAMS_BODY = 1 << 20 };

struct teams { /* one card */
    struct post *post;
    size_t left; /* characters */
    bool cut;
};

static enum err teams_open(const struct conf_channel *conf, void **ret, struct fault *f)
{
    struct str url = {(const char *)secret_bytes(conf->secret), secret_len(conf->secret)};
    struct fault hidden; /* it would repeat the address */
    if (sink_address_http(url, &hidden) || memchr(url.p, 0, url.n))
        return fault_set(f, ERR_CONFIG, "secret is wrong: must be the workflow's URL, https://host/path");
    const struct sink_http_to to = {.url = url, .ca = conf->ca};
    struct post *p;
    TRY(post_open(conf, &to, TEAMS_BODY, &p, f));
    *ret = p;
    return ERR_OK;
}

/* ---- the card ---- */

static void teams_run(struct json_out *o, struct str text, const char *key, const char *value)
{
    if (!text.n)
        return;
    json_open(o, '{');
    json_kv_z(o, "type", "TextRun");
    json_kv_str(o, "text", text);
    if (key)
        json_kv_z(o, key, value);
    json_close(o, '}');
}

static void teams_begin(struct json_out *o, bool apart)
{
    json_open(o, '{');
    json_kv_z(o, "type", "RichTextBlock");
    if (apart)
        json_kv_z(o, "spacing", "Medium");
    else
        json_kv_z(o, "spacing", "None");
    json_key(o, STR("inlines"));
    json_open(o, '[');
}

static void teams_end(struct json_out *o)
{
    json_close(o, ']');
    json_close(o, '}');
}

static void teams_line(struct json_out *o, struct str text, const char *key, const char *value)
{
    teams_begin(o, true);
    teams_run(o, text, key, value);
    teams_end(o);
}

static struct str teams_fit(struct teams *t, struct str s)
{
    struct str fit = shown_cut(s, t->left);
    t->cut |= fit.n < s.n;
    t->left -= shown_length(fit);
    return fit;
}

static void teams_field(struct teams *t, struct json_out *o, const struct view_field *field, bool code)
{
    struct buf in CLEANUP(buf_done);
    char indent[48];
    unsigned deep = field->depth < 20 ? field->depth : 20;
    for (unsigned i = 0; i < deep; i++) /* spaces that Teams does not fold */
        memcpy(indent + 2 * i, "\xc2\xa0", 2);
    indent[2 * deep] = 0;
    buf_init(&in, 64u << 20);
    shown_indented(&in, field->value, "\xc2\xa0\xc2\xa0\xc2\xa0\xc2\xa0");
    struct str name = teams_fit(t, field->name), value = teams_fit(t, arena_buf(&t->post->arena, &in));
    teams_begin(o, false);
    teams_run(o, str_of(indent), NULL, NULL);
    teams_run(o, name, "weight", "Bolder");
    if (name.n && value.n)
        teams_run(o, STR(": "), NULL, NULL);
    teams_run(o, value, code ? "fontType" : NULL, "Monospace");
    if (field->bytes)
        teams_run(
            o,
            arena_fmt(&t->post->arena, " (%zu bytes in all, sha256 " STR_FMT ")", field->bytes, STR_ARG(field->hash)),
            NULL, NULL);
    if (field->note.n)
        teams_run(o, ARENA_JOIN(&t->post->arena, STR(" – "), teams_fit(t, field->note)), "size", "Small");
    teams_end(o);
}

static void teams_section(struct teams *t, struct json_out *o, const struct view_section *s)
{
    if (!s->n || s->part == VIEW_TIME)
        return;
    size_t before = t->left;
    bool cut = t->cut;
    json_open(o, '{');
    json_kv_z(o, "type", "Container");
    json_kv_z(o, "spacing", "Medium");
    if (s->untrusted) { /* only who wants to read it does */
        json_kv_z(o, "id", "words");
        json_kv_bool(o, "isVisible", false);
        json_kv_z(o, "style", "warning");
        t->left = t->left < TEAMS_WORDS ? t->left : TEAMS_WORDS;
    }
    size_t had = t->left;
    json_key(o, STR("items"));
    json_open(o, '[');
    teams_line(o, s->title, "weight", "Bolder");
    for (size_t i = 0; i < s->n; i++)
        teams_field(t, o, &s->field[i], s->part == VIEW_EFFECT);
    if (s->untrusted) {
        if (t->cut && !cut)
            teams_line(o, STR("… and more"), NULL, NULL);
        t->cut = cut;
        t->left = before - (had - t->left);
    }
    json_close(o, ']');
    json_close(o, '}');
}

static void teams_actions(struct teams *t, struct json_out *o, const struct notify_message *m, bool words)
{
    struct str link = shown_link(t->post->conf, m->card.id, &t->post->arena);
    json_key(o, STR("actions"));
    json_open(o, '[');
    if (link.n) {
        json_open(o, '{');
        json_kv_z(o, "type", "Action.OpenUrl");
        json_kv_z(o, "title", "Look at it");
        json_kv_str(o, "url", link);
        json_close(o, '}');
    }
    if (words) {
        json_open(o, '{');
        json_kv_z(o, "type", "Action.ToggleVisibility");
        json_kv_z(o, "title", "What the agent says");
        json_kv_strs(o, "targetElements", (const struct str[]){STR("words")}, 1);
        json_close(o, '}');
    }
    json_close(o, ']');
}

/* {…, "body": [ … open */
static void teams_card_open(struct json_out *o)
{
    json_open(o, '{');
    json_kv_z(o, "$schema", "http://adaptivecards.io/schemas/adaptive-card.json");
    json_kv_z(o, "type", "AdaptiveCard");
    json_kv_z(o, "version", "1.5");
    json_kv_raw(o, "msteams", STR("{\"width\":\"Full\"}"));
    json_key(o, STR("body"));
    json_open(o, '[');
}

static void teams_card(struct teams *t, struct json_out *o, const struct notify_message *m)
{
    const struct approval_view *v = &m->view;
    bool words = !m->over && v->section[VIEW_REASONING].n;
    teams_card_open(o);
    teams_line(o, shown_cut(v->headline, TEAMS_WORDS), "size", "Large");
    teams_line(o, m->end.n ? shown_cut(m->end, TEAMS_WORDS) : v->deadline, "weight", "Bolder");
    for (size_t i = 0; i < VIEW_PARTS && !m->over; i++)
        teams_section(t, o, &v->section[i]);
    if (t->cut)
        teams_line(o, STR("This is not all of it: look at the whole before deciding."), "weight", "Bolder");
    teams_line(o, shown_command(m, &t->post->arena), "fontType", "Monospace");
    json_close(o, ']');
    teams_actions(t, o, m, words);
    json_close(o, '}');
}

/* {"type":"message","attachments":[{…,"content": … */
static struct json_out teams_begin_message(struct post *p)
{
    struct json_out o = post_begin(p);
    json_open(&o, '{');
    json_kv_z(&o, "type", "message");
    json_key(&o, STR("attachments"));
    json_open(&o, '[');
    json_open(&o, '{');
    json_kv_z(&o, "contentType", "application/vnd.microsoft.card.adaptive");
    json_kv_null(&o, "contentUrl");
    json_key(&o, STR("content"));
    return o;
}

static enum err teams_post(struct post *p, struct json_out *o, const _Atomic bool *stop, struct notify_told *told,
                           struct fault *f)
{
    struct sink_http_answer answer;
    json_close(o, '}');
    json_close(o, ']');
    json_close(o, '}');
    const struct sink_http_post how = {.type = "application/json", .stop = stop};
    enum err e = post_send(p, &how, told, &answer, f);
    told->refused |= answer.status == 400 || answer.status == 413;
    return e;
}

static enum err teams_send(void *c, const struct notify_message *m, const _Atomic bool *stop, struct notify_told *told,
                           struct fault *f)
{
    struct teams t = {.post = c, .left = TEAMS_SHOWN};
    struct json_out o = teams_begin_message(t.post);
    teams_card(&t, &o, m);
    return teams_post(t.post, &o, stop, told, f);
}

static enum err teams_page(void *c, const struct notify_page *page, const _Atomic bool *stop, struct notify_told *told,
                           struct fault *f)
{
    struct teams t = {.post = c, .left = TEAMS_SHOWN};
    struct json_out o = teams_begin_message(t.post);
    struct page_view v;
    page_shown(page, &t.post->arena, &v);
    teams_card_open(&o);
    teams_line(&o, v.title, "size", "Large");
    teams_line(&o, v.summary, "weight", "Bolder");
    for (size_t i = 0; i < v.section.n; i++)
        teams_field(&t, &o, &v.section.field[i], false);
    teams_line(&o, v.command, "fontType", "Monospace");
    json_close(&o, ']');
    json_close(&o, '}');
    return teams_post(t.post, &o, stop, told, f);
}

const struct notifier notify_teams = {.name = "teams",
                                      .open = teams_open,
                                      .ask = teams_send,
                                      .update = teams_send,
                                      .page = teams_page,
                                      .close = post_close};
