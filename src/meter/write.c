/*
 * The text of /metrics: OpenMetrics 1.0 (openmetrics.io) and Prometheus' text format 0.0.4, and the page of all
 * metrics.
 */
#include <stdio.h>

#include "meter/inner.h"

static const struct {
    enum meter_kind kind;
    const char *name, *help;
} families[METER_FAMILIES] = {
#define FAMILY(id, kind, name, help) {METER_##kind, name, help},
#define SERIES(id, family, labels)
#include "meter/meter.def"
#undef FAMILY
#undef SERIES
};

static const struct {
    enum meter_family family;
    const char *labels;
} series[METER_SERIES_COUNT] = {
    [METER_NONE] = {METER_FAMILIES, ""},
#define FAMILY(id, kind, name, help)
#define SERIES(id, family, labels) [METER_##id] = {METER_F_##family, labels},
#include "meter/meter.def"
#undef FAMILY
#undef SERIES
};

static const char *write_suffix(enum meter_kind k)
{
    return k == METER_COUNTER ? "_total" : k == METER_INFO ? "_info" : "";
}

static void write_sample(struct meter_out *o, const char *suffix, struct str labels, double value)
{
    buf_z(o->b, families[o->family].name);
    buf_z(o->b, suffix);
    if (labels.n) {
        buf_char(o->b, '{');
        buf_str(o->b, labels);
        buf_char(o->b, '}');
    }
    if (value == (double)(int64_t)value)
        buf_fmt(o->b, " %lld\n", (long long)value);
    else
        buf_fmt(o->b, " %.9f\n", value);
}

void meter_put(struct meter_out *o, struct str labels, double value)
{
    write_sample(o, write_suffix(families[o->family].kind), labels, value);
}

void meter_label(struct buf *b, const char *name, struct str value)
{
    buf_fmt(b, "%s=\"", name);
    for (size_t i = 0; i < value.n; i++) {
        char c = value.p[i];
        if (c == '\n')
            buf_put(b, "\\n", 2);
        else if (c == '"' || c == '\\')
            buf_put(b, (const char[]){'\\', c}, 2);
        else
            buf_char(b, c);
    }
    buf_char(b, '"');
}

static void write_histogram(struct meter_out *o, enum meter_histogram h)
{
    struct meter_histogram_sum sum;
    int64_t count = 0;
    char bound[48];
    meter_histogram_sum(h, &sum);
    for (unsigned i = 0; i < METER_BUCKETS; i++) {
        count += sum.bucket[i];
        int n = i == METER_BUCKETS - 1 ? snprintf(bound, sizeof(bound), "le=\"+Inf\"")
                                       : snprintf(bound, sizeof(bound), "le=\"%.10g\"", meter_bound(h, i));
        /* In OpenMetrics a bound is a float. */
        if (o->open_metrics && i < METER_BUCKETS - 1 && !strchr(bound, '.'))
            n = snprintf(bound, sizeof(bound), "le=\"%.1f\"", meter_bound(h, i));
        write_sample(o, "_bucket", (struct str){bound, (size_t)n}, (double)count);
    }
    write_sample(o, "_sum", STR_NONE, (double)sum.ns / 1e9);
    write_sample(o, "_count", STR_NONE, (double)count);
}

/* OpenMetrics names a family without what its samples end with, and knows more kinds. */
static void write_head(struct meter_out *o)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram", "info"};
    enum meter_kind k = families[o->family].kind;
    const char *name = families[o->family].name, *suffix = o->open_metrics ? "" : write_suffix(k);
    buf_fmt(o->b, "# HELP %s%s %s\n", name, suffix, families[o->family].help);
    buf_fmt(o->b, "# TYPE %s%s %s\n", name, suffix, k == METER_INFO && !o->open_metrics ? "gauge" : kinds[k]);
}

static bool write_counted(struct meter_out *o)
{
    bool any = false;
    for (unsigned i = METER_NONE + 1; i < METER_SERIES_COUNT; i++) {
        if (series[i].family != o->family)
            continue;
        meter_put(o, str_of(series[i].labels), (double)meter_sum((enum meter_series)i));
        any = true;
    }
    return any;
}

void meter_write(struct buf *b, bool open_metrics, void (*look)(void *ctx, struct meter_out *o, enum meter_family f),
                 void *ctx)
{
    struct meter_out o = {.b = b, .open_metrics = open_metrics};
    unsigned histogram = 0;
    for (unsigned i = 0; i < METER_FAMILIES; i++) {
        o.family = (enum meter_family)i;
        write_head(&o);
        if (families[i].kind == METER_HISTOGRAM)
            write_histogram(&o, (enum meter_histogram)histogram++);
        else if (!write_counted(&o))
            look(ctx, &o, o.family);
    }
    if (open_metrics)
        buf_z(b, "# EOF\n");
}

/* Label number `at` of a series; false: it has fewer. */
static bool reference_label(unsigned i, unsigned at, struct str *ret_name, struct str *ret_value)
{
    struct str rest = str_of(series[i].labels), one = STR_NONE;
    for (unsigned n = 0; n <= at; n++) {
        if (!rest.n)
            return false;
        str_cut(&rest, ',', &one);
    }
    str_cut(&one, '=', ret_name);
    *ret_value = one;
    return true;
}

/* Has a series of the family before this one the same value there? */
static bool reference_seen(unsigned i, unsigned at, struct str value)
{
    struct str name, other;
    for (unsigned k = METER_NONE + 1; k < i; k++)
        if (series[k].family == series[i].family && reference_label(k, at, &name, &other) && str_eq(other, value))
            return true;
    return false;
}

/* Each label with the values that it can have. */
static void reference_labels(struct buf *b, enum meter_family f)
{
    struct str name, value;
    for (unsigned at = 0;; at++) {
        bool any = false;
        for (unsigned i = METER_NONE + 1; i < METER_SERIES_COUNT; i++) {
            if (series[i].family != f || !reference_label(i, at, &name, &value) || reference_seen(i, at, value))
                continue;
            if (any)
                buf_fmt(b, ", " STR_FMT, STR_ARG(value));
            else
                buf_fmt(b, "%s`" STR_FMT "`: " STR_FMT, at ? "<br>" : "", STR_ARG(name), STR_ARG(value));
            any = true;
        }
        if (!any)
            break;
    }
    if (f == METER_F_SERVER_UP || f == METER_F_SERVER_TOOLS || f == METER_F_SERVER_WITHHELD ||
        f == METER_F_SERVER_PROCESSES)
        buf_z(b, "`server`: its name");
    else if (f == METER_F_BUILD)
        buf_z(b, "`version`");
}

void meter_reference(struct buf *b)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram", "info"};
    buf_z(b, "# Metrics\n\nWhat `/metrics` of the operators' listener tells, and what each metric means; how to read "
             "it is in [OPERATIONS.md](OPERATIONS.md).\nNo metric names an agent, a session or a tool. This page is "
             "made from the table that the program uses\n(`doorward metrics`).\n\n");
    buf_z(b, "| metric | kind | labels | what it says |\n|---|---|---|---|\n");
    for (unsigned i = 0; i < METER_FAMILIES; i++) {
        buf_fmt(b, "| `%s%s` | %s | ", families[i].name, write_suffix(families[i].kind), kinds[families[i].kind]);
        reference_labels(b, (enum meter_family)i);
        buf_fmt(b, " | %s |\n", families[i].help);
    }
}
