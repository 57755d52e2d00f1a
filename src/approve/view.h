/*
 * What an approver sees of a question: the same, in the same order, in the operators' API, on the command line and in
 * every channel. One text is made of it here, so that nobody is shown another one.
 *
 *   time left and what happens then · who · the tool · what it would do · why it is held · the session's last calls ·
 *   earlier decisions on such calls · the agent's own words, last and marked as untrusted
 *
 * Every string in a view is fit for showing: control characters, bidirectional overrides and what else makes a line
 * read other than it is written are visible ("\x1b", "\u{202e}"), and nothing of it is markup. What is secret is
 * "[masked]", what is sealed on record (audit.seal) "[sealed]". Nothing is cut without a word: where a value is
 * shortened, `bytes` says how long it is and `hash` of what it was.
 *
 * Threads: any. Functions marked (blocks) read the record: pool threads, or a thread of one's own.
 */
#ifndef APPROVE_VIEW_H
#define APPROVE_VIEW_H

#include "approve/approve.h"

enum view_part {
    VIEW_TIME = 0,  /* until when, and what then */
    VIEW_WHO,       /* agent, version, owner, session, user */
    VIEW_TOOL,      /* the tool, its title and description */
    VIEW_EFFECT,    /* its arguments, against the tool's schema */
    VIEW_WHY,       /* why it is held, and who may decide */
    VIEW_CALLS,     /* the session's last ten calls, the newest first */
    VIEW_EARLIER,   /* decisions on the same tool for agents of this type, the newest first */
    VIEW_REASONING, /* the agent's words */
    VIEW_PARTS
};
extern const char *const view_parts[]; /* "time", "who", …: names that do not change */

struct view_field {
    struct str name;  /* "Owner"; of an argument its name in the JSON; may be empty: a line of its own */
    struct str value; /* may hold newlines; empty of what only has fields below it */
    struct str note;  /* of an argument what the schema calls it and says of it; or empty */
    unsigned depth;   /* 0 …: an argument inside of another one is below it */
    size_t bytes;     /* 0: value is all of it; else how long all of it is */
    struct str hash;  /* with bytes: SHA-256 of all of it, hex */
};

struct view_section {
    enum view_part part;
    struct str title; /* "What it would do" */
    struct view_field *field;
    size_t n;
    bool untrusted; /* words of the agent or of a server: to be shown apart, and so marked */
};

struct approval_view {
    struct str id;
    enum approval_state state;
    struct str headline;                     /* "support-agent wants to call desk/issue_refund for usr_1": one line */
    struct str deadline;                     /* "Until 2026-11-26 12:00:05 UTC. Then it counts as denied." */
    int64_t expires;                         /* wall clock, ms */
    struct str risk;                         /* "high" */
    struct str digest;                       /* of the arguments: what a decision names */
    struct view_section section[VIEW_PARTS]; /* in this order */
    struct str arguments;                    /* canonical JSON, with what is secret masked; of view_read: empty */
    bool masked; /* something of the arguments is not shown: it is a secret, or sealed on record */
};

/* (blocks) All that there is to see now. Strings are in the arena, which should take VIEW_ARENA. ERR_NOT_FOUND. That
 * the record cannot be read is said in the section, and no error. */
enum { VIEW_ARENA = 256 << 20 };
enum err approvals_view(struct approvals *a, struct str id, struct arena *arena, struct approval_view *ret,
                        struct approval_card *ret_card /* or NULL */, struct fault *f) MUST_USE;
/* The same without the record: of a card (approve.h) alone. `calls` and `earlier` are empty sections. */
enum err view_of_card(struct audit *audit, const struct approval_card *c, int64_t now, struct arena *arena,
                      struct approval_view *ret, struct fault *f) MUST_USE;

/* As text for people: headline, deadline, sections. value_max: longer values are shortened to about so many bytes, with
 * their length and hash behind them; 0: none is. */
void view_text(const struct approval_view *v, size_t value_max, struct buf *out);
/* One section, likewise, without its title. */
void view_section_text(const struct view_section *s, size_t value_max, struct buf *out);
/* A value for a place that takes at most `max` bytes: all of it, or its beginning and "… (4711 bytes, sha256 …)". */
struct str view_short(const struct view_field *field, size_t max, struct arena *arena);
/* {"headline", "deadline", …, "sections": [{"part", "title", "untrusted", "fields": […]}]}: an object's members. */
void view_json(const struct approval_view *v, struct json_out *o);
/* The view that such JSON was made of. ERR_SYNTAX: it is none. */
enum err view_read(const struct json *j, uint32_t object, struct arena *arena, struct approval_view *ret,
                   struct fault *f) MUST_USE;

#endif
