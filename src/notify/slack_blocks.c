/*
 * A question as Slack's Block Kit. Words of others stand in rich text and plain text only, which Slack shows as they
 * are: no mrkdwn, no mentions, no links. What does not fit is not cut in silence: then the message says so, and has no
 * button that approves, since nobody approves what is not all there.
 */
#include "notify/inner.h"

enum {
    SLACK_HEADER = 150,  /* characters of a header block */
    SLACK_SHOWN = 12000, /* of all that is shown */
    SLACK_WORDS = 1500,  /* of the agent's own words */
    SLACK_PIECE = 2900,  /* of one text element */
    SLACK_RECENT = 10,
};

struct blocks {
    struct json_out o;
    size_t left;
    bool cut;
};

static void blocks_text(struct json_out *o, const char *type, struct str text)
{
    json_open(o, '{');
    json_kv_z(o, "type", type);
    json_kv_str(o, "text", text);
    if (strcmp(type, "plain_text") == 0)
        json_kv_bool(o, "emoji", false);
    json_close(o, '}');
}

static void blocks_element(struct json_out *o, struct str text, const char *style)
{
    if (!text.n) /* Slack refuses empty ones */
        return;
    json_open(o, '{');
    json_kv_z(o, "type", "text");
    json_kv_str(o, "text", text);
    if (style) {
        json_key(o, STR("style"));
        json_open(o, '{');
        json_kv_bool(o, style, true);
        json_close(o, '}');
    }
    json_close(o, '}');
}

/* {"type": TYPE, "elements": [ … open */
static void blocks_rich(struct json_out *o, const char *type)
{
    json_open(o, '{');
    json_kv_z(o, "type", type);
    json_key(o, STR("elements"));
    json_open(o, '[');
}

static void blocks_close(struct json_out *o)
{
    json_close(o, ']');
    json_close(o, '}');
}

/* At most what is left. */
static struct str blocks_fit(struct blocks *b, struct str s)
{
    struct str fit = shown_cut(s, b->left);
    b->cut |= fit.n < s.n;
    b->left -= shown_length(fit);
    return fit;
}

static void blocks_value(struct blocks *b, struct str value, const char *style)
{
    for (struct str rest = value, piece; rest.n; rest = str_skip(rest, piece.n)) {
        piece = shown_cut(rest, SLACK_PIECE);
        blocks_element(&b->o, piece, style);
    }
}

static void blocks_field(struct blocks *b, const struct view_field *field, const char *style, struct arena *a)
{
    struct str name = blocks_fit(b, field->name);
    struct buf in CLEANUP(buf_done);
    char indent[64];
    unsigned deep = field->depth < 20 ? field->depth : 20;
    memset(indent, ' ', sizeof(indent));
    indent[2 * deep + 4] = 0;
    buf_init(&in, 64u << 20);
    shown_indented(&in, field->value, indent);
    indent[2 * deep] = 0;
    struct str value = arena_buf(a, &in);
    if (deep)
        blocks_element(&b->o, str_of(indent), NULL);
    blocks_element(&b->o, name, "bold");
    if (name.n && value.n)
        blocks_element(&b->o, STR(": "), NULL);
    blocks_value(b, blocks_fit(b, value), style);
    if (field->bytes)
        blocks_element(
            &b->o, arena_fmt(a, " (%zu bytes in all, sha256 " STR_FMT ")", field->bytes, STR_ARG(field->hash)), NULL);
    b->cut |= field->bytes > 0;
    if (field->note.n)
        blocks_element(&b->o, ARENA_JOIN(a, STR("  – "), blocks_fit(b, field->note)), "italic");
    blocks_element(&b->o, STR("\n"), NULL);
}

static void blocks_section(struct blocks *b, const struct view_section *s, struct arena *a)
{
    bool code = s->part == VIEW_EFFECT;
    if (!s->n || s->part == VIEW_TIME) /* the deadline says it */
        return;
    size_t before = b->left;
    bool cut = b->cut;
    if (s->untrusted)
        b->left = b->left < SLACK_WORDS ? b->left : SLACK_WORDS;
    size_t had = b->left;
    blocks_rich(&b->o, "rich_text");
    blocks_rich(&b->o, "rich_text_section");
    blocks_element(&b->o, s->title, "bold");
    blocks_element(&b->o, STR("\n"), NULL);
    if (s->untrusted) {
        blocks_close(&b->o);
        blocks_rich(&b->o, "rich_text_quote");
    }
    for (size_t i = 0; i < s->n; i++)
        blocks_field(b, &s->field[i], code ? "code" : NULL, a);
    if (s->untrusted) {
        if (b->cut && !cut)
            blocks_element(&b->o, STR("… and more"), "italic");
        b->cut = cut; /* nobody has to read these to decide */
        b->left = before - (had - b->left);
    }
    blocks_close(&b->o);
    blocks_close(&b->o);
}

static void blocks_plain(struct json_out *o, struct str text)
{
    json_open(o, '{');
    json_kv_z(o, "type", "section");
    json_key(o, STR("text"));
    blocks_text(o, "plain_text", text);
    json_close(o, '}');
}

static void blocks_button(struct json_out *o, const char *verb, const char *label, const char *style, struct str id,
                          struct str value, struct arena *a)
{
    json_open(o, '{');
    json_kv_z(o, "type", "button");
    json_key(o, STR("text"));
    blocks_text(o, "plain_text", str_of(label));
    json_kv_str(o, "action_id", ARENA_JOIN(a, str_of(verb), STR("_"), id));
    json_kv_str(o, "value", value);
    json_kv_z(o, "style", style);
    json_close(o, '}');
}

/* Without the signing secret nobody hears that one is pressed. */
static void blocks_actions(struct blocks *b, const struct conf_channel *conf, const struct notify_message *m,
                           struct arena *a)
{
    if (!conf->secret)
        return;
    json_open(&b->o, '{');
    json_kv_z(&b->o, "type", "actions");
    json_kv_str(&b->o, "block_id", m->card.id);
    json_key(&b->o, STR("elements"));
    json_open(&b->o, '[');
    if (conf->approve && !b->cut)
        blocks_button(&b->o, "approve", "Approve", "primary", m->card.id, m->card.digest, a);
    blocks_button(&b->o, "deny", "Deny", "danger", m->card.id, m->card.digest, a);
    blocks_close(&b->o);
}

static void blocks_where(struct blocks *b, const struct conf_channel *conf, const struct notify_message *m,
                         struct arena *a)
{
    struct str link = shown_link(conf, m->card.id, a), command = shown_command(m, a);
    if (b->cut)
        blocks_plain(&b->o,
                     ARENA_JOIN(a, STR("This is not all of it. Before approving, look at the whole: "), command));
    blocks_rich(&b->o, "rich_text");
    blocks_rich(&b->o, "rich_text_section");
    if (link.n) {
        json_open(&b->o, '{');
        json_kv_z(&b->o, "type", "link");
        json_kv_str(&b->o, "url", link);
        json_kv_z(&b->o, "text", "Look at it");
        json_close(&b->o, '}');
        blocks_element(&b->o, STR("  or  "), NULL);
    }
    blocks_element(&b->o, command, "code");
    blocks_close(&b->o);
    blocks_close(&b->o);
}

static void blocks_all(struct blocks *b, const struct conf_channel *conf, const struct notify_message *m,
                       struct arena *a)
{
    const struct approval_view *v = &m->view;
    blocks_plain(&b->o, shown_cut(v->headline, SLACK_PIECE));
    if (m->end.n)
        blocks_plain(&b->o, shown_cut(m->end, SLACK_PIECE));
    else
        blocks_plain(&b->o, shown_cut(v->deadline, SLACK_PIECE));
    for (size_t i = 0; i < VIEW_PARTS; i++)
        blocks_section(b, &v->section[i], a);
    blocks_where(b, conf, m, a);
    if (!m->over)
        blocks_actions(b, conf, m, a);
}

/* For notifications of devices: Slack reads mrkdwn there unless told otherwise, and its own signs in any case. */
static struct str blocks_fallback(struct str s, struct arena *a)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 65536);
    s = shown_cut(s, SLACK_PIECE);
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == '&' || s.p[i] == '<' || s.p[i] == '>')
            buf_z(&b, s.p[i] == '&' ? "&amp;" : s.p[i] == '<' ? "&lt;" : "&gt;");
        else
            buf_char(&b, s.p[i]);
    return arena_buf(a, &b);
}

/* All of a message but its blocks. */
static void blocks_open(struct blocks *b, const struct slack_message *to, struct str words, struct arena *a)
{
    json_open(&b->o, '{');
    json_kv_str(&b->o, "channel", to->channel);
    if (to->ts.n)
        json_kv_str(&b->o, "ts", to->ts);
    json_kv_str(&b->o, "text", blocks_fallback(words, a));
    json_kv_z(&b->o, "parse", "none");
    json_kv_bool(&b->o, "link_names", false);
    if (!to->ts.n) { /* a change keeps them */
        json_kv_bool(&b->o, "mrkdwn", false);
        json_kv_bool(&b->o, "unfurl_links", false);
        json_kv_bool(&b->o, "unfurl_media", false);
    }
    json_key(&b->o, STR("blocks"));
    json_open(&b->o, '[');
}

static void blocks_header(struct blocks *b, struct str text)
{
    json_open(&b->o, '{');
    json_kv_z(&b->o, "type", "header");
    json_key(&b->o, STR("text"));
    blocks_text(&b->o, "plain_text", text);
    json_close(&b->o, '}');
}

static void blocks_command(struct blocks *b, struct str command)
{
    blocks_rich(&b->o, "rich_text");
    blocks_rich(&b->o, "rich_text_section");
    blocks_element(&b->o, command, "code");
    blocks_close(&b->o);
    blocks_close(&b->o);
}

void slack_blocks(const struct slack_message *to, const struct notify_message *m, struct arena *a, struct buf *out)
{
    struct blocks b = {.o = json_out(out), .left = SLACK_SHOWN};
    struct str words = m->over ? ARENA_JOIN(a, m->view.headline, STR(": "), m->end) : m->view.headline;
    blocks_open(&b, to, words, a);
    blocks_header(&b, m->over ? STR("A call that was held") : STR("A call waits for a person"));
    blocks_all(&b, to->conf, m, a);
    blocks_close(&b.o);
}

void slack_page(const struct slack_message *to, const struct page_view *v, struct arena *a, struct buf *out)
{
    struct blocks b = {.o = json_out(out), .left = SLACK_SHOWN};
    blocks_open(&b, to, v->summary, a);
    blocks_header(&b, v->title);
    blocks_plain(&b.o, shown_cut(v->summary, SLACK_PIECE));
    struct view_section s = v->section;
    s.part = VIEW_WHO;
    blocks_section(&b, &s, a);
    blocks_command(&b, v->command);
    blocks_close(&b.o);
}
