/* Text for a terminal: nothing in it steers the terminal; times and durations as people say them. */
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/visible.h"
#include "cli/cli.h"

void cli_visible(struct buf *out, struct str s, bool lines)
{
    visible_put(out, s, lines);
}

size_t cli_width(struct str s)
{
    return visible_width(s);
}

/* As many bytes as `max` characters have. */
static size_t text_cut(struct str s, size_t max)
{
    size_t i = 0;
    for (size_t n = 0; i < s.n; i++)
        if (((unsigned char)s.p[i] & 0xc0) != 0x80 && n++ == max)
            break;
    return i;
}

const char *cli_shown(struct cli *c, struct str s, size_t max)
{
    struct buf b;
    buf_init(&b, 64u << 20);
    cli_visible(&b, max && s.n > 16 * max ? (struct str){s.p, 16 * max} : s, false);
    struct str shown = buf_view(&b), copy;
    if (max && cli_width(shown) > max)
        copy = arena_fmt(&c->arena, STR_FMT "…", (int)text_cut(shown, max - 1), shown.p);
    else
        copy = arena_str(&c->arena, shown);
    buf_done(&b);
    return copy.p ? copy.p : "";
}

bool cli_color(FILE *to)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(fileno(to)) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

void cli_when(int64_t wall_ms, char ret[CLI_TIME])
{
    char text[CLOCK_RFC3339];
    clock_format(wall_ms, text);
    text[10] = 0;
    text[19] = 0;
    snprintf(ret, CLI_TIME, "%s %s UTC", text, text + 11);
}

void cli_duration(int64_t ms, char ret[CLI_TIME])
{
    long long s = ms / 1000, m = s / 60, h = m / 60, d = h / 24;
    if (ms < 1000)
        snprintf(ret, CLI_TIME, "%lld ms", (long long)ms);
    else if (s < 60)
        snprintf(ret, CLI_TIME, "%llds", s);
    else if (m < 60)
        snprintf(ret, CLI_TIME, s % 60 ? "%lldm %llds" : "%lldm", m, s % 60);
    else if (h < 48)
        snprintf(ret, CLI_TIME, m % 60 ? "%lldh %lldm" : "%lldh", h, m % 60);
    else
        snprintf(ret, CLI_TIME, h % 24 ? "%lldd %lldh" : "%lldd", d, h % 24);
}

void cli_ago(int64_t wall_ms, char ret[CLI_TIME])
{
    char text[CLI_TIME];
    int64_t left = wall_ms - clock_wall_ms(), far = left < 0 ? -left : left;
    int64_t unit = far >= 3600000 ? 60000 : 1000; /* "in 24h", not "in 23h 59m", of what was made just now */
    far = (far + unit / 2) / unit * unit;
    if (far == 0) {
        snprintf(ret, CLI_TIME, "now");
        return;
    }
    cli_duration(far, text);
    snprintf(ret, CLI_TIME, left < 0 ? "%.40s ago" : "in %.40s", text);
}
