/* Pins: what is served and what is withheld, what is told of it, and what stays when the store does not answer. */
#include "../folder.h"
#include "definitions.h"

#include <sqlite3.h>

#define OLD  TOOL_WITH("t", "'description':'old'")
#define NEW  TOOL_WITH("t", "'description':'new'")
#define NEXT TOOL_WITH("t", "'description':'next'")

static char folder[64], file[128];
static struct shelf shelf;
static struct store *store;
static struct pins *pins;
static struct buf told;

static void tell(void *ctx, enum pin_event event, const struct tool *t, struct str before)
{
    static const char *const words[] = {"pinned", "new", "changed", "restored"};
    (void)ctx;
    buf_fmt(&told, "%s " STR_FMT "%s; ", words[event], STR_ARG(t->name), before.n ? " (pinned before)" : "");
}

static void open_pins(void)
{
    struct fault f = {.text = ""};
    if (store_sqlite_open(file, &store, &f) || pins_new(store, tell, NULL, &pins, &f))
        fail_msg("%s", f.text);
}

static void close_pins(void)
{
    pins_free(pins);
    store_close(store);
}

static int setup(void **state)
{
    (void)state;
    folder_make(folder);
    snprintf(file, sizeof(file), "%s/store.db", folder);
    shelf_init(&shelf, "desk");
    buf_init(&told, 1u << 20);
    log_level_set(LOG_ERROR);
    open_pins();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    close_pins();
    buf_done(&told);
    folder_remove(folder);
    return 0;
}

static void sql(const char *text)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void told_is(const char *want)
{
    buf_char(&told, 0);
    assert_string_equal(told.p, want);
    buf_clear(&told);
}

/* The server lists these: what happens to each tool, "t served, u changed", and what is told. */
static void lists(const char *definitions, bool strict, const char *verdicts, const char *tellings)
{
    struct tool_set *set = shelf_tools(&shelf, definitions);
    struct fault f;
    struct buf b;
    buf_init(&b, 4096);
    if (!strict && pins_lack(pins, set) && pins_first(pins, set, &f))
        buf_fmt(&told, "%s; ", err_code(f.err));
    pins_tell(pins, set, strict);
    pins_judge(pins, set, strict);
    for (size_t i = 0; i < set->count; i++) {
        const char *word = pin_word(set->tool[i].pin);
        assert_int_equal(word == NULL, tool_served(&set->tool[i]));
        buf_fmt(&b, "%s" STR_FMT " %s", i ? ", " : "", STR_ARG(set->tool[i].name), word ? word : "served");
    }
    buf_char(&b, 0);
    assert_string_equal(b.p, verdicts);
    buf_done(&b);
    told_is(tellings);
    tool_set_unref(set);
}

static enum err accepts(const char *definition)
{
    struct tool_set *set = shelf_tools(&shelf, definition);
    struct fault f;
    char before[65];
    enum err e = pins_accept(pins, &set->tool[0], STR("eve"), before, &f);
    tool_set_unref(set);
    return e;
}

static void a_change_is_withheld_until_the_server_takes_it_back(void **state)
{
    (void)state;
    lists("[" OLD "," TOOL("u") "]", false, "t served, u served", "pinned t; pinned u; ");
    lists("[" NEW "," TOOL("u") "]", false, "t changed, u served", "changed t (pinned before); ");
    lists("[" NEW "," TOOL("u") "]", false, "t changed, u served", "");
    lists("[" NEXT "]", false, "t changed", "changed t (pinned before); ");
    lists("[" OLD "]", false, "t served", "restored t (pinned before); ");
    lists("[" OLD "]", false, "t served", "");
    lists("[" NEXT "]", false, "t changed", "changed t (pinned before); ");
}

static void a_tool_that_was_away_is_judged_by_its_old_pin(void **state)
{
    (void)state;
    lists("[" OLD "]", false, "t served", "pinned t; ");
    lists("[]", false, "", "");
    lists("[" OLD "]", false, "t served", "");
    lists("[]", false, "", "");
    lists("[" NEW "]", false, "t changed", "changed t (pinned before); ");
}

static void what_is_accepted_is_the_pin_and_what_was_before_is_a_change(void **state)
{
    (void)state;
    struct arena a;
    struct store_pin pin;
    struct fault f;
    lists("[" OLD "]", false, "t served", "pinned t; ");
    lists("[" NEW "]", false, "t changed", "changed t (pinned before); ");
    assert_int_equal(accepts("[" NEW "]"), ERR_OK);
    lists("[" NEW "]", false, "t served", "");
    lists("[" OLD "]", false, "t changed", "changed t (pinned before); ");
    arena_init(&a, 1u << 20);
    assert_int_equal(pins_read(pins, STR("desk/t"), &a, &pin, &f), ERR_OK);
    assert_true(str_is(pin.accepted_by, "eve"));
    assert_true(
        str_is(pin.definition, "{\"description\":\"new\",\"inputSchema\":{\"type\":\"object\"},\"name\":\"t\"}"));
    assert_int_equal(pins_read(pins, STR("desk/u"), &a, &pin, &f), ERR_NOT_FOUND);
    arena_done(&a);
}

static void a_restart_keeps_pins_and_tells_again_what_is_still_withheld(void **state)
{
    (void)state;
    lists("[" OLD "," TOOL("u") "]", false, "t served, u served", "pinned t; pinned u; ");
    assert_int_equal(accepts("[" NEW "]"), ERR_OK);
    lists("[" NEXT "," TOOL("u") "]", false, "t changed, u served", "changed t (pinned before); ");
    close_pins();
    open_pins();
    lists("[" NEXT "," TOOL("u") "]", false, "t changed, u served", "changed t (pinned before); ");
    lists("[" NEW "," TOOL("u") "]", false, "t served, u served", "restored t (pinned before); ");
}

static void strict_waits_for_an_operator(void **state)
{
    (void)state;
    lists("[" OLD "]", true, "t new", "new t; ");
    lists("[" OLD "]", true, "t new", "");
    lists("[" NEW "]", true, "t new", "new t; ");
    assert_int_equal(accepts("[" OLD "]"), ERR_OK);
    lists("[" NEW "]", true, "t changed", "changed t (pinned before); ");
    lists("[" OLD "," TOOL("u") "]", true, "t served, u new", "restored t (pinned before); new u; ");
    lists("[" OLD "," TOOL("u") "]", false, "t served, u served", "pinned u; ");
}

static void what_the_store_does_not_take_is_not_served(void **state)
{
    (void)state;
    lists("[" OLD "]", false, "t served", "pinned t; ");
    sql("ALTER TABLE tool_pins RENAME TO away");
    lists("[" OLD "," TOOL("u") "]", false, "t served, u unpinned", "store_unavailable; ");
    assert_int_equal(accepts("[" NEW "]"), ERR_STORE);
    lists("[" NEW "]", false, "t changed", "changed t (pinned before); "); /* what was not written was not accepted */
    sql("ALTER TABLE away RENAME TO tool_pins");
    lists("[" OLD "," TOOL("u") "]", false, "t served, u served", "pinned u; restored t (pinned before); ");
}

/* Other names with each list: the store does not grow without end, and other servers do not suffer. */
static void a_server_cannot_fill_the_store(void **state)
{
    (void)state;
    enum { NAMES = 5000 };
    struct fault f;
    enum err e = ERR_OK;
    unsigned round = 0;
    for (; round < 10 && !e; round++) {
        struct tool_set *set = tool_set_new(&shelf.upstream);
        set->tool = calloc(NAMES, sizeof(*set->tool));
        for (unsigned i = 0; i < NAMES; i++) {
            struct tool *t = &set->tool[set->count++];
            t->id = arena_fmt(&set->arena, "desk/n%u_%u", round, i);
            t->definition = STR("{}");
            memset(t->hash, 'a', sizeof(t->hash) - 1);
        }
        e = pins_first(pins, set, &f);
        tool_set_unref(set);
    }
    assert_int_equal(e, ERR_LIMIT);
    assert_int_equal(round, 5);
    buf_clear(&told);
    shelf_init(&shelf, "other");
    lists("[" OLD "]", false, "t served", "pinned t; ");
}

int main(void)
{
#define SCENE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        SCENE(a_change_is_withheld_until_the_server_takes_it_back),
        SCENE(a_tool_that_was_away_is_judged_by_its_old_pin),
        SCENE(what_is_accepted_is_the_pin_and_what_was_before_is_a_change),
        SCENE(a_restart_keeps_pins_and_tells_again_what_is_still_withheld),
        SCENE(strict_waits_for_an_operator),
        SCENE(what_the_store_does_not_take_is_not_served),
        SCENE(a_server_cannot_fill_the_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
