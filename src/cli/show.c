/* JSON for people: tables and records, in columns. */
#include "base/clock.h"
#include "cli/cli.h"

enum { SHOW_COLUMNS = 12, SHOW_CELL = 48 };

static bool show_ends(const char *name, const char *tail)
{
    return str_ends(str_of(name), str_of(tail));
}

static const char *show_list(struct cli *c, const struct json *j, uint32_t array)
{
    struct buf b;
    buf_init(&b, 1u << 20);
    JSON_EACH(j, array, v)
    {
        if (b.n)
            buf_z(&b, ", ");
        if (json_type(j, v) == JSON_STRING)
            buf_str(&b, json_str(j, v, &c->arena));
        else
            buf_str(&b, json_raw(j, v));
    }
    const char *shown = b.n ? cli_shown(c, buf_view(&b), 0) : "none";
    buf_done(&b);
    return shown;
}

/* A value by its kind and its name. `whole`: in a record, where there is room. */
static const char *show_value(struct cli *c, const struct json *j, uint32_t v, const char *name, bool whole)
{
    char text[2 * CLI_TIME + 8] = "", ago[CLI_TIME];
    int64_t n;
    struct str s = json_str(j, v, &c->arena);
    switch (json_type(j, v)) {
    case JSON_STRING:
        if (!s.n)
            return "-";
        if (!show_ends(name, "At") || clock_parse(s, &n))
            return cli_shown(c, s, whole ? 0 : SHOW_CELL);
        cli_ago(n, ago);
        if (!whole)
            return cli_shown(c, str_of(ago), 0);
        cli_when(n, text);
        return arena_fmt(&c->arena, "%s (%s)", text, ago).p;
    case JSON_TRUE: return "yes";
    case JSON_FALSE: return "no";
    case JSON_NUMBER:
        if (!show_ends(name, "Ms") || !json_i64(j, v, &n))
            return cli_shown(c, json_raw(j, v), 0);
        cli_duration(n, text);
        return cli_shown(c, str_of(text), 0);
    case JSON_ARRAY: return show_list(c, j, v);
    case JSON_OBJECT: return cli_shown(c, json_raw(j, v), 0);
    default: return "-";
    }
}

static const char *show_cell(struct cli *c, const struct json *j, uint32_t row, const char *path)
{
    if (path[0] != '#')
        return show_value(c, j, json_path(j, row, path), path, false);
    uint32_t list = json_path(j, row, path + 1);
    return json_type(j, list) == JSON_ARRAY ? arena_fmt(&c->arena, "%u", (unsigned)j->node[list].size).p : "-";
}

static void show_row(const char *const *cells, const size_t *widths, size_t n, const char *before, const char *after)
{
    fputs(before, stdout);
    for (size_t i = 0; i < n; i++) {
        const char *cell = cells[i] ? cells[i] : "-";
        fputs(cell, stdout);
        if (i + 1 < n)
            printf("%*s", (int)(widths[i] - cli_width(str_of(cell)) + 2), "");
    }
    printf("%s\n", after);
}

void cli_table(struct cli *c, const struct json *j, uint32_t array, const char *const (*columns)[2])
{
    const char *titles[SHOW_COLUMNS], **cells;
    size_t widths[SHOW_COLUMNS], n = 0, rows = json_type(j, array) == JSON_ARRAY ? j->node[array].size : 0, at = 0;
    for (; columns[n][0] && n < SHOW_COLUMNS; n++) {
        titles[n] = columns[n][0];
        widths[n] = strlen(titles[n]);
    }
    cells = arena_alloc(&c->arena, (rows * n + 1) * sizeof(*cells));
    if (!cells)
        return;
    JSON_EACH(j, array, row)
    for (size_t i = 0; i < n; i++) {
        const char *cell = show_cell(c, j, row, columns[i][1]);
        cells[at++] = cell;
        size_t w = cell ? cli_width(str_of(cell)) : 1;
        widths[i] = w > widths[i] ? w : widths[i];
    }
    bool color = cli_color(stdout);
    show_row(titles, widths, n, color ? "\033[1m" : "", color ? "\033[0m" : "");
    for (size_t i = 0; i < rows; i++)
        show_row(cells + i * n, widths, n, "", "");
}

/* "maxToolCalls" -> "max tool calls" */
static const char *show_name(struct cli *c, struct str key)
{
    struct buf b;
    buf_init(&b, 4096);
    for (size_t i = 0; i < key.n; i++) {
        char k = key.p[i];
        if (k >= 'A' && k <= 'Z') {
            buf_char(&b, ' ');
            k = (char)(k + 32);
        }
        buf_char(&b, k == '_' ? ' ' : k);
    }
    const char *shown = cli_shown(c, buf_view(&b), SHOW_CELL);
    buf_done(&b);
    return shown;
}

static bool show_is_nested(const struct json *j, uint32_t v)
{
    return json_type(j, v) == JSON_ARRAY && json_type(j, json_first(j, v)) == JSON_OBJECT;
}

static void show_pairs(struct cli *c, const struct json *j, uint32_t object, size_t indent, size_t width, bool blanks)
{
    JSON_PAIRS(j, object, k, v)
    {
        if (!blanks && json_type(j, v) == JSON_NULL)
            continue;
        struct str key = json_str(j, k, &c->arena);
        const char *name = show_name(c, key);
        int pad = (int)(width > cli_width(str_of(name)) ? width - cli_width(str_of(name)) : 0);
        if (!show_is_nested(j, v)) {
            const char *value = show_value(c, j, v, arena_str(&c->arena, key).p, true);
            printf("%*s%s%*s  %s\n", (int)indent, "", name, pad, "", value ? value : "-");
            continue;
        }
        printf("%*s%s\n", (int)indent, "", name);
        JSON_EACH(j, v, one)
        show_pairs(c, j, one, indent + 2, width > 2 ? width - 2 : 0, blanks);
    }
}

void cli_record(struct cli *c, const struct json *j, uint32_t object, bool blanks)
{
    size_t width = 0;
    JSON_PAIRS(j, object, k, v)
    {
        size_t w = cli_width(str_of(show_name(c, json_str(j, k, &c->arena))));
        width = w > width ? w : width;
    }
    show_pairs(c, j, object, 0, width, blanks);
}

/* JSON escapes what is below 0x20 already, but what comes from a record that somebody made may be none; the rest that a
 * terminal might obey stands in strings only. */
void cli_put_json(struct str text)
{
    struct buf b;
    buf_init(&b, 512u << 20);
    for (size_t i = 0; i < text.n; i++) {
        unsigned char a = (unsigned char)text.p[i], z = i + 1 < text.n ? (unsigned char)text.p[i + 1] : 0;
        if (a == 0x7f || (a < 0x20 && a != '\n' && a != '\r' && a != '\t')) {
            buf_fmt(&b, "\\u%04x", a);
        } else if (a == 0xc2 && z < 0xa0) {
            buf_fmt(&b, "\\u00%02x", z);
            i++;
        } else if (a == '\n' || a == '\r') {
            buf_char(&b, ' ');
        } else {
            buf_char(&b, (char)a);
        }
    }
    fwrite(b.p, 1, b.n, stdout);
    buf_done(&b);
}

void cli_print_json(struct str text)
{
    cli_put_json(str_trim(text));
    putchar('\n');
}

void cli_print_list(struct cli *c, const struct json *j, struct str text, const char *member,
                    const char *const (*columns)[2], const char *none)
{
    uint32_t list = json_get(j, JSON_ROOT, str_of(member));
    if (c->json)
        cli_print_json(text);
    else if (json_first(j, list))
        cli_table(c, j, list, columns);
    else
        fprintf(stderr, "%s\n", none);
}
