/* What all channels say in the same words. */
#include "notify/inner.h"

static bool shown_begins(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

struct str shown_cut(struct str s, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        if (shown_begins(s.p[i]) && n++ == max)
            return (struct str){s.p, i};
    return s;
}

struct str shown_bytes(struct str s, size_t max)
{
    size_t n = s.n < max ? s.n : max;
    while (n && n < s.n && !shown_begins(s.p[n]))
        n--;
    return (struct str){s.p, n};
}

size_t shown_length(struct str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++)
        n += shown_begins(s.p[i]);
    return n;
}

size_t shown_size(const struct approval_view *v)
{
    size_t n = shown_length(v->headline) + shown_length(v->deadline);
    for (size_t i = 0; i < VIEW_PARTS; i++)
        for (size_t k = 0; k < v->section[i].n; k++)
            n += shown_length(v->section[i].field[k].name) + shown_length(v->section[i].field[k].value) +
                 shown_length(v->section[i].field[k].note) + 4;
    return n;
}

/* The last one who said something, of decisions: an array, the oldest first. */
static uint32_t shown_last(const struct json *j)
{
    uint32_t last = 0;
    JSON_EACH(j, JSON_ROOT, one)
    last = one;
    return last;
}

void shown_end(struct notify_message *m, struct arena *a)
{
    static const char *const words[] = {[APPROVAL_PENDING] = "One more person has to say yes",
                                        [APPROVAL_GRANTED] = "Approved",
                                        [APPROVAL_TAKEN] = "Approved",
                                        [APPROVAL_DONE] = "Approved",
                                        [APPROVAL_DENIED] = "Denied",
                                        [APPROVAL_EXPIRED] = "Out of time: it counts as denied",
                                        [APPROVAL_VOID] = "Void: what it was bound to has changed"};
    static const struct json_limits small = {.depth = 8, .nodes = 1000};
    enum approval_state s = m->card.state;
    struct json j;
    m->over = s != APPROVAL_PENDING;
    m->escalated = !m->over && m->card.escalated;
    bool said = m->card.decisions.n && json_parse(&j, m->card.decisions, a, &small, NULL) == ERR_OK;
    uint32_t last = said ? shown_last(&j) : 0;
    m->escalated = m->escalated && !last;
    if (!m->over && !last)
        return;
    const char *word = (size_t)s < sizeof(words) / sizeof(words[0]) && words[s] ? words[s] : "Over";
    struct str by = last ? json_str(&j, json_get(&j, last, STR("by")), a) : STR_NONE;
    struct str channel = last ? json_str(&j, json_get(&j, last, STR("channel")), a) : STR_NONE;
    struct str at = last ? json_str(&j, json_get(&j, last, STR("at")), a) : STR_NONE;
    if (!last || s == APPROVAL_EXPIRED || s == APPROVAL_VOID)
        m->end = str_of(word);
    else
        m->end = arena_fmt(a, "%s%s" STR_FMT " (" STR_FMT ") at " STR_FMT, word, m->over ? " by " : "; yes from ",
                           STR_ARG(by), STR_ARG(channel), STR_ARG(at));
}

void shown_indented(struct buf *out, struct str value, const char *indent)
{
    struct str line;
    for (bool more = true; more;) {
        more = str_cut(&value, '\n', &line);
        buf_str(out, line);
        if (more) {
            buf_char(out, '\n');
            buf_z(out, indent);
        }
    }
}

struct str shown_link(const struct conf_channel *conf, struct str id, struct arena *a)
{
    const char *at = conf->link.n ? strstr(conf->link.p, "{id}") : NULL;
    if (!at)
        return conf->link;
    struct str head = {conf->link.p, (size_t)(at - conf->link.p)};
    return ARENA_JOIN(a, head, id, str_skip(conf->link, head.n + 4));
}

struct str shown_command(const struct notify_message *m, struct arena *a)
{
    return arena_fmt(a, "doorward approvals show " STR_FMT, STR_ARG(m->card.id));
}

bool notify_is_id(struct str s)
{
    if (s.n < 5 || s.n >= ENC_ID_MAX || !str_starts(s, STR("apr_")))
        return false;
    for (size_t i = 4; i < s.n; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'A' && s.p[i] <= 'Z') || (s.p[i] >= 'a' && s.p[i] <= 'z')))
            return false;
    return true;
}
