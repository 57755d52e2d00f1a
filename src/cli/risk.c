#include "cli/risk.h"

#include <stdio.h>

/* What a word says. READS and DOES are verbs. ABOUT names a matter: `risk` is its tier when the tool does something
 * with it, `read` when it only reads. ANYWHERE counts in a description too, wherever it stands. */
enum risk_kind { READS, DOES, ABOUT, ANYWHERE };
static const struct risk_word {
    const char *word;
    enum risk_kind kind;
    enum risk risk, read;
} risk_words[] = {
    {"get", READS, RISK_LOW, 0},
    {"list", READS, RISK_LOW, 0},
    {"read", READS, RISK_LOW, 0},
    {"search", READS, RISK_LOW, 0},
    {"find", READS, RISK_LOW, 0},
    {"lookup", READS, RISK_LOW, 0},
    {"look", READS, RISK_LOW, 0},
    {"show", READS, RISK_LOW, 0},
    {"view", READS, RISK_LOW, 0},
    {"describe", READS, RISK_LOW, 0},
    {"count", READS, RISK_LOW, 0},
    {"check", READS, RISK_LOW, 0},
    {"fetch", READS, RISK_LOW, 0},
    {"query", READS, RISK_LOW, 0},
    {"browse", READS, RISK_LOW, 0},
    {"summarize", READS, RISK_LOW, 0},
    {"validate", READS, RISK_LOW, 0},
    {"verify", READS, RISK_LOW, 0},
    {"compare", READS, RISK_LOW, 0},
    {"diff", READS, RISK_LOW, 0},
    {"status", READS, RISK_LOW, 0},
    {"echo", READS, RISK_LOW, 0},
    {"ping", READS, RISK_LOW, 0},
    {"help", READS, RISK_LOW, 0},
    {"tree", READS, RISK_LOW, 0},

    {"create", DOES, RISK_MEDIUM, 0},
    {"add", DOES, RISK_MEDIUM, 0},
    {"update", DOES, RISK_MEDIUM, 0},
    {"edit", DOES, RISK_MEDIUM, 0},
    {"modify", DOES, RISK_MEDIUM, 0},
    {"change", DOES, RISK_MEDIUM, 0},
    {"set", DOES, RISK_MEDIUM, 0},
    {"put", DOES, RISK_MEDIUM, 0},
    {"patch", DOES, RISK_MEDIUM, 0},
    {"write", DOES, RISK_MEDIUM, 0},
    {"save", DOES, RISK_MEDIUM, 0},
    {"send", DOES, RISK_MEDIUM, 0},
    {"post", DOES, RISK_MEDIUM, 0},
    {"reply", DOES, RISK_MEDIUM, 0},
    {"comment", DOES, RISK_MEDIUM, 0},
    {"notify", DOES, RISK_MEDIUM, 0},
    {"email", DOES, RISK_MEDIUM, 0},
    {"publish", DOES, RISK_MEDIUM, 0},
    {"share", DOES, RISK_MEDIUM, 0},
    {"upload", DOES, RISK_MEDIUM, 0},
    {"move", DOES, RISK_MEDIUM, 0},
    {"rename", DOES, RISK_MEDIUM, 0},
    {"copy", DOES, RISK_MEDIUM, 0},
    {"assign", DOES, RISK_MEDIUM, 0},
    {"close", DOES, RISK_MEDIUM, 0},
    {"open", DOES, RISK_MEDIUM, 0},
    {"book", DOES, RISK_MEDIUM, 0},
    {"schedule", DOES, RISK_MEDIUM, 0},
    {"submit", DOES, RISK_MEDIUM, 0},
    {"insert", DOES, RISK_MEDIUM, 0},
    {"trigger", DOES, RISK_MEDIUM, 0},
    {"start", DOES, RISK_MEDIUM, 0},
    {"escalate", DOES, RISK_MEDIUM, 0},
    {"subscribe", DOES, RISK_MEDIUM, 0},

    {"delete", DOES, RISK_HIGH, 0},
    {"remove", DOES, RISK_HIGH, 0},
    {"erase", DOES, RISK_HIGH, 0},
    {"unlink", DOES, RISK_HIGH, 0},
    {"cancel", DOES, RISK_HIGH, 0},
    {"stop", DOES, RISK_HIGH, 0},
    {"kill", DOES, RISK_HIGH, 0},
    {"restart", DOES, RISK_HIGH, 0},
    {"deploy", DOES, RISK_HIGH, 0},
    {"merge", DOES, RISK_HIGH, 0},
    {"push", DOES, RISK_HIGH, 0},
    {"overwrite", DOES, RISK_HIGH, 0},
    {"reset", DOES, RISK_HIGH, 0},
    {"pay", DOES, RISK_HIGH, 0},
    {"charge", DOES, RISK_HIGH, 0},
    {"transfer", DOES, RISK_HIGH, 0},
    {"purchase", DOES, RISK_HIGH, 0},
    {"buy", DOES, RISK_HIGH, 0},
    {"sell", DOES, RISK_HIGH, 0},
    {"approve", DOES, RISK_HIGH, 0},
    {"grant", DOES, RISK_HIGH, 0},
    {"revoke", DOES, RISK_HIGH, 0},
    {"disable", DOES, RISK_HIGH, 0},
    {"suspend", DOES, RISK_HIGH, 0},
    {"ban", DOES, RISK_HIGH, 0},
    {"export", DOES, RISK_HIGH, 0},
    {"dump", DOES, RISK_HIGH, 0},
    {"execute", DOES, RISK_HIGH, 0},
    {"exec", DOES, RISK_HIGH, 0},
    {"run", DOES, RISK_HIGH, 0},
    {"eval", DOES, RISK_HIGH, 0},
    {"invoke", DOES, RISK_HIGH, 0},

    {"drop", DOES, RISK_CRITICAL, 0},
    {"truncate", DOES, RISK_CRITICAL, 0},
    {"destroy", DOES, RISK_CRITICAL, 0},
    {"purge", DOES, RISK_CRITICAL, 0},
    {"wipe", DOES, RISK_CRITICAL, 0},
    {"shutdown", DOES, RISK_CRITICAL, 0},
    {"impersonate", DOES, RISK_CRITICAL, 0},
    {"sudo", DOES, RISK_CRITICAL, 0},

    {"refund", ABOUT, RISK_HIGH, RISK_LOW},
    {"payment", ABOUT, RISK_HIGH, RISK_MEDIUM},
    {"payout", ABOUT, RISK_HIGH, RISK_MEDIUM},
    {"invoice", ABOUT, RISK_HIGH, RISK_LOW},
    {"bank", ABOUT, RISK_HIGH, RISK_MEDIUM},
    {"salary", ABOUT, RISK_HIGH, RISK_HIGH},
    {"permission", ABOUT, RISK_CRITICAL, RISK_MEDIUM},
    {"role", ABOUT, RISK_CRITICAL, RISK_LOW},
    {"admin", ABOUT, RISK_CRITICAL, RISK_MEDIUM},
    {"policy", ABOUT, RISK_HIGH, RISK_LOW},
    {"firewall", ABOUT, RISK_CRITICAL, RISK_MEDIUM},
    {"production", ABOUT, RISK_HIGH, RISK_LOW},
    {"password", ABOUT, RISK_CRITICAL, RISK_HIGH},
    {"secret", ABOUT, RISK_CRITICAL, RISK_HIGH},
    {"credential", ABOUT, RISK_CRITICAL, RISK_HIGH},
    {"token", ABOUT, RISK_HIGH, RISK_HIGH},
    {"pii", ABOUT, RISK_CRITICAL, RISK_HIGH},
    {"ssn", ABOUT, RISK_CRITICAL, RISK_HIGH},
    {"passport", ABOUT, RISK_CRITICAL, RISK_HIGH},
    {"medical", ABOUT, RISK_HIGH, RISK_HIGH},
    {"patient", ABOUT, RISK_HIGH, RISK_HIGH},
    {"shell", ABOUT, RISK_CRITICAL, RISK_HIGH},
    {"sql", ABOUT, RISK_HIGH, RISK_MEDIUM},
    {"command", ABOUT, RISK_CRITICAL, RISK_LOW},
    {"code", ABOUT, RISK_HIGH, RISK_LOW},

    {"permanently", ANYWHERE, RISK_HIGH, 0},
    {"irreversible", ANYWHERE, RISK_HIGH, 0},
    {"irreversibly", ANYWHERE, RISK_HIGH, 0},
    {"undone", ANYWHERE, RISK_HIGH, 0},
    {"overwrites", ANYWHERE, RISK_HIGH, 0},
    {"destructive", ANYWHERE, RISK_HIGH, 0},
};

const char *risk_name(enum risk r)
{
    static const char *const names[] = {"low", "medium", "high", "critical"};
    return names[r];
}

static bool risk_letter(char c)
{
    return (c | 32) >= 'a' && (c | 32) <= 'z';
}

/* The next word: letters, cut where a capital follows a small one and before the last of several capitals
 * ("getHTTPStatus": get, http, status). False at the end. */
static bool risk_next(struct str *s, char ret[24])
{
    size_t n = 0;
    while (s->n && !risk_letter(s->p[0]))
        *s = str_skip(*s, 1);
    for (; s->n && risk_letter(s->p[0]); *s = str_skip(*s, 1)) {
        bool capital = s->p[0] < 'a';
        bool small_next = s->n > 1 && risk_letter(s->p[1]) && s->p[1] >= 'a';
        if (n && capital && (s->p[-1] >= 'a' || small_next))
            break;
        if (n < 23)
            ret[n++] = (char)(s->p[0] | 32);
    }
    ret[n] = 0;
    return n > 0;
}

/* As it is, or as the plural or third person of a word of the table. */
static const struct risk_word *risk_find(const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i < sizeof(risk_words) / sizeof(risk_words[0]); i++) {
        const char *known = risk_words[i].word;
        size_t k = strlen(known);
        if (n < k || strncmp(word, known, k) != 0) {
            if (n > 3 && n == k + 2 && strcmp(word + n - 3, "ies") == 0 && known[k - 1] == 'y' &&
                strncmp(word, known, k - 1) == 0)
                return &risk_words[i];
            continue;
        }
        if (n == k || (n == k + 1 && word[k] == 's') || (n == k + 2 && word[k] == 'e' && word[k + 1] == 's'))
            return &risk_words[i];
    }
    return NULL;
}

/* A higher tier forgets the words of a lower one. */
static void risk_raise(struct risk_verdict *v, enum risk r, const char *word)
{
    size_t n = strlen(v->words);
    if (r < v->risk)
        return;
    if (r > v->risk)
        n = 0;
    v->risk = r;
    snprintf(v->words + n, sizeof(v->words) - n, "%s%s", n ? ", " : "", word);
}

/* How its verbs have it: does it only read? False and no verb: the name says nothing. */
static bool risk_reads(struct str name, bool *ret_verb)
{
    char word[24];
    bool reads = false, does = false;
    while (risk_next(&name, word)) {
        const struct risk_word *w = risk_find(word);
        reads |= w && w->kind == READS;
        does |= w && w->kind == DOES && !reads; /* list_open_orders: what follows a reading verb is no verb … */
        does |= w && w->kind == DOES && w->risk >= RISK_HIGH; /* … unless it would hurt */
    }
    *ret_verb = reads || does;
    return reads && !does;
}

void risk_propose(struct str name, struct str description, unsigned hints, struct risk_verdict *ret)
{
    char word[24];
    bool verb, reads = risk_reads(name, &verb), first = true;
    *ret = (struct risk_verdict){0};
    while (risk_next(&name, word)) {
        const struct risk_word *w = risk_find(word);
        if (w && !(reads && w->kind == DOES))
            risk_raise(ret, w->kind == ABOUT && reads ? w->read : w->risk, word);
    }
    if (!verb && ret->risk < RISK_HIGH)
        risk_raise(ret, RISK_HIGH, "no verb that is known");
    for (; risk_next(&description, word); first = false) {
        const struct risk_word *w = risk_find(word);
        if (w && w->risk > ret->risk && (w->kind == ANYWHERE || (w->kind == DOES && first)))
            risk_raise(ret, w->risk, word);
    }
    if (hints & RISK_DESTRUCTIVE && ret->risk < RISK_HIGH)
        risk_raise(ret, RISK_HIGH, "destructiveHint");
    if (hints & (RISK_WRITES | RISK_OPEN_WORLD) && ret->risk < RISK_MEDIUM)
        risk_raise(ret, RISK_MEDIUM, hints & RISK_WRITES ? "readOnlyHint: false" : "openWorldHint");
}

void risk_of_tool(const struct json *j, uint32_t tool, struct arena *a, struct risk_verdict *ret)
{
    uint32_t said = json_path(j, tool, "definition.annotations");
    unsigned hints = 0;
    if (json_bool(j, json_get(j, said, STR("destructiveHint")), false))
        hints |= RISK_DESTRUCTIVE;
    if (json_bool(j, json_get(j, said, STR("openWorldHint")), false))
        hints |= RISK_OPEN_WORLD;
    if (!json_bool(j, json_get(j, said, STR("readOnlyHint")), true))
        hints |= RISK_WRITES;
    risk_propose(json_str(j, json_get(j, tool, STR("name")), a), json_str(j, json_get(j, tool, STR("description")), a),
                 hints, ret);
}
