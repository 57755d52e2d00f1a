/*
 * The new text of doorward.yaml: entries put in at the end of `servers:` and of `tools:`, and every other byte as it
 * was. The text is looked at line by line, as far as that is safe; whoever calls compares what the parser makes of the
 * old and the new.
 */
#include "cli/import.h"
#include "cli/risk.h"

struct yaml_place {
    size_t at;              /* where the entries go */
    size_t cut_from, cut_n; /* an empty {} behind the key */
    size_t indent;          /* of the names below it */
    bool there;             /* the key is there */
};

/* ---- where ---- */

static size_t yaml_indent(struct str line)
{
    size_t n = 0;
    while (n < line.n && line.p[n] == ' ')
        n++;
    return n;
}

/* Behind the key and its colon; false: another line. */
static bool yaml_key(struct str line, const char *key, struct str *ret_rest)
{
    static const char quotes[] = "\"'";
    struct str rest = line;
    const char *quote = rest.n ? memchr(quotes, rest.p[0], 2) : NULL;
    rest = str_skip(rest, quote != NULL);
    if (!str_starts(rest, str_of(key)))
        return false;
    rest = str_skip(rest, strlen(key));
    if (quote && (!rest.n || rest.p[0] != *quote))
        return false;
    rest = str_skip(rest, quote != NULL);
    while (rest.n && rest.p[0] == ' ')
        rest = str_skip(rest, 1);
    if (!rest.n || rest.p[0] != ':' || (rest.n > 1 && !memchr(" \t", rest.p[1], 2)))
        return false;
    *ret_rest = str_skip(rest, 1);
    return true;
}

/* What stands behind the key on its line must be nothing, or an empty mapping, which makes room. */
static enum err yaml_value(struct str text, const char *key, struct str rest, struct yaml_place *p, struct fault *f)
{
    static const char *const empty[] = {"{}", "{ }", "~", "null"};
    for (size_t i = 1; i < rest.n; i++)
        if (rest.p[i] == '#' && (rest.p[i - 1] == ' ' || rest.p[i - 1] == '\t'))
            rest.n = i;
    rest = str_trim(rest);
    if (!rest.n)
        return ERR_OK;
    for (size_t i = 0; i < sizeof(empty) / sizeof(empty[0]); i++)
        if (str_is(rest, empty[i])) {
            p->cut_from = (size_t)(rest.p - text.p);
            p->cut_n = rest.n;
            return ERR_OK;
        }
    return fault_set(f, ERR_CONFLICT,
                     "%s: is written on one line ({ … }), and cannot be extended without rewriting it: write it as "
                     "a block, one entry under the other, then import again",
                     key);
}

static enum err yaml_find(struct str text, const char *key, struct yaml_place *p, struct fault *f)
{
    struct str rest = text, line, value;
    bool first = true, inside = false;
    *p = (struct yaml_place){.at = text.n};
    while (rest.n) {
        str_cut(&rest, '\n', &line);
        size_t end = (size_t)(line.p - text.p) + line.n + (line.p + line.n < text.p + text.n);
        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        size_t indent = yaml_indent(line);
        bool comment = indent < line.n && line.p[indent] == '#';
        if (indent == line.n || (comment && !indent))
            continue;
        if (first && !comment && !str_starts(line, STR("---")) && line.p[0] != '%') {
            first = false;
            if (line.p[indent] == '{' || indent)
                return fault_set(f, ERR_CONFLICT,
                                 "it is written in flow style (as JSON) or indented as a whole, and cannot be extended "
                                 "without rewriting it: write its keys as a block, one under the other, then import "
                                 "again");
        }
        if (inside && indent) {
            p->indent = p->indent || comment ? p->indent : indent;
            p->at = end;
        } else if (inside) {
            return ERR_OK;
        } else if (!indent && yaml_key(line, key, &value)) {
            inside = p->there = true;
            p->at = end;
            TRY(yaml_value(text, key, value, p, f));
        }
    }
    return ERR_OK;
}

/* ---- what ---- */

static bool yaml_plain(struct str s)
{
    bool ok = s.n && s.n < 200 && !str_is(s, "null");
    for (size_t i = 0; i < s.n && ok; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'), later = (c >= '0' && c <= '9') || c == '.';
        ok = letter || c == '/' || c == '_' || (i && later) || (c == '-' && s.n > 2 && !str_starts(s, STR("---")));
    }
    return ok;
}

/* Plain where nobody can read it otherwise, double-quoted (YAML 1.2, 5.7) everywhere else. */
static void yaml_scalar(struct buf *b, struct str s)
{
    if (yaml_plain(s)) {
        buf_str(b, s);
        return;
    }
    buf_char(b, '"');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i], next = i + 1 < s.n ? (unsigned char)s.p[i + 1] : 0;
        unsigned char third = i + 2 < s.n ? (unsigned char)s.p[i + 2] : 0;
        if (c == '"' || c == '\\') {
            buf_char(b, '\\');
            buf_char(b, (char)c);
        } else if (c < 0x20 || c == 0x7f) {
            buf_fmt(b, "\\x%02x", c);
        } else if (c == 0xc2 && next < 0xa0) {
            buf_fmt(b, "\\x%02x", next);
            i++;
        } else if ((c == 0xe2 && next == 0x80 && (third == 0xa8 || third == 0xa9)) ||
                   (c == 0xef && next == 0xbb && third == 0xbf)) {
            buf_fmt(b, "\\u%04x", ((c & 15u) << 12) | ((next & 63u) << 6) | (third & 63u));
            i += 2;
        } else {
            buf_char(b, (char)c);
        }
    }
    buf_char(b, '"');
}

struct yaml_out {
    struct buf *b;
    size_t indent;
    const char *eol;
    bool clear;
    bool rules; /* risks are written under `tools:` */
};

static void yaml_line(const struct yaml_out *o, size_t deeper)
{
    buf_fmt(o->b, "%*s", (int)(o->indent + deeper), "");
}

static void yaml_pairs(const struct yaml_out *o, const struct import_server *s)
{
    if (!s->pair_count)
        return;
    yaml_line(o, 2);
    buf_fmt(o->b, "%s:%s", s->url.n ? "headers" : "env", o->eol);
    for (size_t i = 0; i < s->pair_count; i++) {
        const struct import_pair *p = &s->pair[i];
        yaml_line(o, 4);
        yaml_scalar(o->b, p->name);
        buf_z(o->b, ": ");
        if (p->secret && !o->clear)
            buf_fmt(o->b, "\"file:" STR_FMT "\"", STR_ARG(p->file)); /* of letters, digits, dots and hyphens */
        else
            yaml_scalar(o->b, p->secret && str_starts(p->value, STR("file:")) ? STR("x") : p->value);
        buf_z(o->b, o->eol);
    }
}

/* A name that means itself alone: a * would speak of others. */
static bool yaml_is_tool(struct str s)
{
    bool ok = s.n && s.n <= 128;
    for (size_t i = 0; i < s.n && ok; i++) {
        char c = s.p[i];
        ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("_-.", c));
    }
    return ok;
}

bool import_has_rule(const struct import *im, const struct import_server *s, size_t tool)
{
    struct str name = s->tool[tool];
    size_t n = strlen(s->name);
    if (!yaml_is_tool(name))
        return false;
    for (size_t i = 0; i < tool; i++)
        if (str_eq(s->tool[i], name))
            return false;
    for (size_t i = 0; im->rules && i < im->rules->n; i++) {
        struct str there = im->rules->v[i].name;
        if (str_starts(there, str_of(s->name)) && there.n == n + 1 + name.n && there.p[n] == '/' &&
            str_eq(str_skip(there, n + 1), name))
            return false;
    }
    return true;
}

/* What is not written as a rule stands with the server, to be read. */
static void yaml_risks(const struct yaml_out *o, const struct import *im, const struct import_server *s)
{
    bool first = true;
    for (size_t i = 0; i < s->tool_count; i++) {
        struct risk_verdict v;
        if (o->rules && (import_has_rule(im, s, i) || yaml_is_tool(s->tool[i])))
            continue;
        if (first) {
            yaml_line(o, 2);
            buf_fmt(o->b,
                    "# Proposed risk of tools that the client names (by name alone; doorward tools list --propose):%s",
                    o->eol);
        }
        first = false;
        risk_propose(s->tool[i], STR_NONE, 0, &v);
        yaml_line(o, 2);
        buf_z(o->b, "#   ");
        cli_visible(o->b, s->tool[i], false);
        buf_fmt(o->b, ": %s (%s)%s", risk_name(v.risk), v.words, o->eol);
    }
}

/* "repo/get_issue": { risk: low }   # get */
static void yaml_rules(const struct yaml_out *o, const struct import *im, const struct import_server *s)
{
    bool first = true;
    for (size_t i = 0; i < s->tool_count; i++) {
        struct risk_verdict v;
        if (!import_has_rule(im, s, i))
            continue;
        if (first) {
            yaml_line(o, 0);
            buf_fmt(o->b, "# Proposed by name alone, for the tools of %s that the client names: look at each.%s",
                    s->name, o->eol);
        }
        first = false;
        risk_propose(s->tool[i], STR_NONE, 0, &v);
        yaml_line(o, 0);
        buf_fmt(o->b, "\"%s/" STR_FMT "\": { risk: %s }   # %s%s", s->name, STR_ARG(s->tool[i]), risk_name(v.risk),
                v.words, o->eol);
    }
}

/* Docker's client asks its daemon for everything, through a Unix socket: it does nothing itself that a box could hold.
 */
static bool yaml_is_docker(const struct import_server *s)
{
    struct str name = s->command[0];
    const char *slash = name.n ? memrchr(name.p, '/', name.n) : NULL;
    if (slash)
        name = str_skip(name, (size_t)(slash - name.p) + 1);
    return str_is(name, "docker") || str_is(name, "podman");
}

/* What is proposed of its box: clients have none, so that what the server was used to is written down to be looked at.
 */
static void yaml_box(const struct yaml_out *o, const struct import_server *s)
{
    if (!s->command_count)
        return;
    yaml_line(o, 2);
    if (yaml_is_docker(s)) {
        buf_fmt(o->b, "sandbox: off   # it reaches Docker through a Unix socket, which no sandbox lets it%s", o->eol);
        return;
    }
    buf_fmt(o->b,
            "network: true   # most servers call a service, and npx and uvx fetch them: false if this one need not%s",
            o->eol);
    if (!s->folder_count)
        return;
    yaml_line(o, 2);
    buf_z(o->b, "write: [");
    for (size_t i = 0; i < s->folder_count; i++) {
        buf_z(o->b, i ? ", " : "");
        yaml_scalar(o->b, s->folder[i]);
    }
    buf_fmt(o->b, "]   # its arguments name this: read instead, if it need not change it%s", o->eol);
}

static void yaml_server(const struct yaml_out *o, const struct import *im, const struct import_server *s)
{
    yaml_line(o, 0);
    buf_fmt(o->b, "# From %s: ", import_client_names[s->client]);
    cli_visible(o->b, s->file, false);
    buf_z(o->b, o->eol);
    yaml_line(o, 0);
    buf_fmt(o->b, "%s:%s", s->name, o->eol);
    yaml_line(o, 2);
    buf_z(o->b, s->url.n ? "url: " : "command: [");
    if (s->url.n)
        yaml_scalar(o->b, s->url);
    for (size_t i = 0; i < s->command_count; i++) {
        buf_z(o->b, i ? ", " : "");
        yaml_scalar(o->b, s->command[i]);
    }
    buf_fmt(o->b, "%s%s", s->url.n ? "" : "]", o->eol);
    if (s->cwd.n) {
        yaml_line(o, 2);
        buf_z(o->b, "cwd: ");
        yaml_scalar(o->b, s->cwd);
        buf_z(o->b, o->eol);
    }
    yaml_box(o, s);
    yaml_pairs(o, s);
    yaml_risks(o, im, s);
}

/* Everything up to the place, and the key when it is not there yet. */
static void yaml_until(struct yaml_out *o, struct str old, const char *key, const struct yaml_place *p)
{
    struct buf *out = o->b;
    o->indent = p->indent ? p->indent : 2;
    if (p->cut_n) {
        size_t from = p->cut_from + p->cut_n;
        buf_put(out, old.p, p->cut_from);
        while (out->n && out->p[out->n - 1] == ' ')
            out->n--;
        buf_put(out, old.p + from, p->at - from);
    } else {
        buf_put(out, old.p, p->at);
    }
    if (p->at && old.p[p->at - 1] != '\n')
        buf_z(out, o->eol);
    if (!p->there)
        buf_fmt(out, "%s%s:%s", p->at ? o->eol : "", key, o->eol);
}

static void yaml_rest(struct yaml_out *o, struct str old, const struct yaml_place *p)
{
    buf_put(o->b, old.p ? old.p + p->at : "", old.n - p->at);
}

static bool yaml_added(const struct import_server *s)
{
    return !s->left_out && !s->same_as;
}

static enum err yaml_put_rules(const struct import *im, struct yaml_out *o, struct str old, struct fault *f)
{
    struct yaml_place p;
    TRY(yaml_find(old, "tools", &p, f));
    yaml_until(o, old, "tools", &p);
    for (size_t i = 0; i < im->count; i++)
        if (yaml_added(&im->server[i]))
            yaml_rules(o, im, &im->server[i]);
    yaml_rest(o, old, &p);
    return ERR_OK;
}

size_t import_rules(const struct import *im)
{
    size_t n = 0;
    for (size_t i = 0; i < im->count; i++)
        for (size_t k = 0; yaml_added(&im->server[i]) && k < im->server[i].tool_count; k++)
            n += import_has_rule(im, &im->server[i], k);
    return n;
}

bool import_takes_rules(struct str old)
{
    struct yaml_place p;
    return yaml_find(old, "tools", &p, NULL) == ERR_OK;
}

enum err import_yaml(const struct import *im, struct str old, bool clear, struct buf *out, struct fault *f)
{
    struct yaml_place p;
    struct buf servers CLEANUP(buf_done);
    buf_init(&servers, out->max);
    TRY(yaml_find(old, "servers", &p, f));
    bool crlf = old.n && memmem(old.p, old.n, "\r\n", 2), rules = import_rules(im) > 0 && import_takes_rules(old);
    struct yaml_out o = {.eol = crlf ? "\r\n" : "\n", .clear = clear, .rules = rules};
    o.b = rules ? &servers : out;
    yaml_until(&o, old, "servers", &p);
    for (size_t i = 0; i < im->count; i++)
        if (yaml_added(&im->server[i]))
            yaml_server(&o, im, &im->server[i]);
    yaml_rest(&o, old, &p);
    enum err e = ERR_OK;
    if (rules && !buf_failed(&servers)) {
        o.b = out;
        e = yaml_put_rules(im, &o, buf_view(&servers), f);
    }
    bool failed = buf_failed(out) || buf_failed(&servers);
    return e ? e : failed ? fault_set(f, ERR_LIMIT, "doorward.yaml would be larger than %zu bytes", out->max) : ERR_OK;
}
