/* The table in pipeline.c is the architecture: docs/ARCHITECTURE.md shows it as it is. */
#include "../unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "gate/gate.h"
#include "meter/meter.h"

#define BEGIN "<!-- pipeline -->\n"
#define END   "<!-- /pipeline -->"

static const char *page_path;

static char *page_read(void)
{
    static char text[1u << 20];
    FILE *from = fopen(page_path, "r");
    if (!from)
        fail_msg("%s cannot be read", page_path);
    text[fread(text, 1, sizeof(text) - 1, from)] = 0;
    fclose(from);
    return text;
}

/* What stands between the marks. */
static struct str page_block(char *page)
{
    char *begin = strstr(page, BEGIN), *end = begin ? strstr(begin, END) : NULL;
    if (!end)
        fail_msg("%s has no block between " BEGIN "and " END, page_path);
    return (struct str){begin + strlen(BEGIN), (size_t)(end - begin) - strlen(BEGIN)};
}

/* The table as Markdown shows it word by word: indented, with an empty line before and behind. */
static void page_wanted(struct buf *ret)
{
    struct buf table;
    buf_init(&table, 65536);
    buf_init(ret, 65536);
    gate_print_pipeline(&table);
    buf_char(ret, '\n');
    for (struct str rest = buf_view(&table), line; rest.n;) {
        str_cut(&rest, '\n', &line);
        buf_fmt(ret, "    " STR_FMT "\n", STR_ARG(line));
    }
    buf_char(ret, '\n');
    buf_done(&table);
}

static void the_page_shows_the_stages_as_they_are(void **state)
{
    (void)state;
    struct buf wanted;
    page_wanted(&wanted);
    if (!str_eq(page_block(page_read()), buf_view(&wanted)))
        fail_msg("%s does not show the stages as they are: run ./dev docs", page_path);
    buf_done(&wanted);
}

/* Whatever is added: nothing leaves the house that was not judged, counted and put on record, in this order. */
static void the_order_that_must_never_change(void **state)
{
    (void)state;
    static const char *const order[] = {"\nwhitelist ", "\nvalidate ", "\npolicy ", "\napproval ", "\nbudget ",
                                        "\nintent ",    "\nexecute ",  "\nresult ", "\nfilter ",   "\noutcome "};
    struct buf out;
    const char *before = NULL;
    buf_init(&out, 65536);
    buf_char(&out, '\n');
    gate_print_pipeline(&out);
    buf_char(&out, 0);
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        const char *at = strstr(out.p, order[i]);
        if (!at || (before && at < before))
            fail_msg("the stage%s is missing or comes too early in\n%s", order[i], out.p);
        before = at;
    }
    assert_true(strncmp(out.p, "\nlimit ", 7) == 0);
    buf_done(&out);
}

/* /metrics says of every stage that can refuse a call how often it did. */
static void refusals_of_every_stage_are_counted_under_its_name(void **state)
{
    (void)state;
    struct buf table, page;
    char want[64];
    buf_init(&table, 65536);
    buf_init(&page, 1u << 20);
    gate_print_pipeline(&table);
    meter_reference(&page);
    buf_char(&page, 0);
    for (struct str rest = buf_view(&table), line, name; rest.n;) {
        str_cut(&rest, '\n', &line);
        str_cut(&line, ' ', &name);
        if (str_is(name, "execute")) /* from there on nothing is refused */
            break;
        snprintf(want, sizeof(want), "\"" STR_FMT "\"", STR_ARG(name));
        if (str_starts(str_trim(line), STR("built")) && !strstr(page.p, want))
            fail_msg("meter.def has no series for the refusals of the stage " STR_FMT, STR_ARG(name));
    }
    buf_done(&table);
    buf_done(&page);
}

int main(int argc, char **argv)
{
    page_path = argc > 1 ? argv[1] : "docs/ARCHITECTURE.md";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_shows_the_stages_as_they_are),
        cmocka_unit_test(the_order_that_must_never_change),
        cmocka_unit_test(refusals_of_every_stage_are_counted_under_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
