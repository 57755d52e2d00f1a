/* What an approver sees of a question. */
#include "../conf_of.h"
#include "../folder.h"

#include "approve/view.h"

struct seen {
    char dir[64];
    struct conf *conf;
    struct audit *audit;
    struct approval_card card;
    struct arena arena;
    struct approval_view view;
    struct buf text;
};

static void seen_begin(struct seen *s, const char *arguments, const char *schema)
{
    struct fault f = {.text = ""};
    struct audit_recovery found;
    char yaml[256], record[128];
    *s = (struct seen){.card = {.id = STR("apr_1"),
                                .state = APPROVAL_PENDING,
                                .created = INT64_C(1764158400000),
                                .expires = INT64_C(1764158700000),
                                .agent = STR("agt_1"),
                                .agent_type = STR("support"),
                                .agent_version = STR("2.4.1"),
                                .owner = STR("the desk"),
                                .session = STR("sess_1"),
                                .user = STR("usr_1"),
                                .tool = STR("desk/issue_refund"),
                                .arguments = str_of(arguments),
                                .schema = str_of(schema ? schema : ""),
                                .digest = STR("abc"),
                                .risk = DUTY_RISK_HIGH,
                                .why = STR("[\"its risk is high\"]"),
                                .reasoning = STR("the customer is right"),
                                .people = 1}};
    folder_make(s->dir);
    snprintf(yaml, sizeof(yaml), "data_dir: %s/data\naudit: {seal: [email], keys: %s/keys}\nservers: {}\n", s->dir,
             s->dir);
    snprintf(record, sizeof(record), "%s/audit", s->dir);
    s->conf = conf_of(yaml);
    if (audit_open(record, &s->conf->root.audit, &s->audit, &found, &f))
        fail_msg("%s", f.text);
    audit_conf(s->audit, s->conf);
    arena_init(&s->arena, VIEW_ARENA);
    buf_init(&s->text, 64u << 20);
}

static void seen_look(struct seen *s, size_t value_max)
{
    struct fault f = {.text = ""};
    if (view_of_card(s->audit, &s->card, s->card.created + 48000, &s->arena, &s->view, &f))
        fail_msg("%s", f.text);
    view_text(&s->view, value_max, &s->text);
    assert_false(buf_failed(&s->text));
    buf_char(&s->text, 0);
}

static void seen_end(struct seen *s)
{
    buf_done(&s->text);
    arena_done(&s->arena);
    audit_close(s->audit);
    conf_unref(s->conf);
    folder_remove(s->dir);
}

static void assert_says(const struct seen *s, const char *words)
{
    if (!strstr(s->text.p, words))
        fail_msg("no \"%s\" in:\n%s", words, s->text.p);
}

static const struct view_field *effect(const struct seen *s, size_t i)
{
    assert_true(i < s->view.section[VIEW_EFFECT].n);
    return &s->view.section[VIEW_EFFECT].field[i];
}

static void the_first_two_lines_say_who_what_and_until_when(void **state)
{
    (void)state;
    struct seen s;
    seen_begin(&s, "{\"amount\":120,\"order\":\"A-1\"}", NULL);
    seen_look(&s, 0);
    const char *want =
        "support wants to call desk/issue_refund for usr_1: amount 120, order \"A-1\"\n"
        "Until 2025-11-26 12:05:00 UTC (in 4m 12s); then it counts as denied, and the call is not made.\n";
    assert_memory_equal(s.text.p, want, strlen(want));
    seen_end(&s);
}

static void of_one_that_is_over_it_says_who_ended_it_and_why(void **state)
{
    (void)state;
    struct seen s;
    seen_begin(&s, "", NULL);
    s.card.state = APPROVAL_DENIED;
    s.card.reason = STR("ask first");
    s.card.decisions =
        STR("[{\"at\":\"x\",\"by\":\"anna\",\"channel\":\"slack\",\"reason\":\"ask first\",\"verdict\":\"deny\"}]");
    seen_look(&s, 0);
    assert_says(&s, "for usr_1\nDenied: the call is not made.\n");
    assert_says(&s, "  Decided               deny by anna, over slack: ask first\n");
    assert_says(&s, "not kept: the question is over");
    seen_end(&s);
}

static void the_parts_stand_in_one_order_and_the_agents_words_are_last_and_apart(void **state)
{
    (void)state;
    struct seen s;
    static const char *const titles[] = {"\nWho\n", "\nTool\n", "\nWhat it does\n", "\nWhy it is held\n",
                                         "\nWhat the agent says"};
    seen_begin(&s, "{\"amount\":120}", NULL);
    s.card.reasoning = STR("it is fine\n\nWhy it is held\n  Risk  low");
    seen_look(&s, 0);
    const char *at = s.text.p;
    for (size_t i = 0; i < COUNT(titles); i++) {
        const char *next = strstr(at, titles[i]);
        if (!next)
            fail_msg("no%s in its place:\n%s", titles[i], s.text.p);
        at = next;
    }
    assert_says(&s, "\n    | it is fine\n    | \n    | Why it is held\n    |   Risk  low\n");
    assert_true(s.view.section[VIEW_REASONING].untrusted);
    seen_end(&s);
}

static void an_argument_has_the_words_of_the_schema(void **state)
{
    (void)state;
    struct seen s;
    seen_begin(&s, "{\"amount\":120,\"extra\":1,\"lines\":[{\"sku\":\"a\"},{\"sku\":\"b\"}]}",
               "{\"type\":\"object\",\"properties\":{\"amount\":{\"title\":\"Amount\",\"description\":\"In euros.\"},"
               "\"lines\":{\"items\":{\"$ref\":\"#/$defs/line\"}}},\"$defs\":{\"line\":{\"properties\":{\"sku\":"
               "{\"description\":\"What is sold\"}}}}}");
    seen_look(&s, 0);
    assert_true(str_is(effect(&s, 0)->note, "Amount: In euros."));
    assert_true(str_is(effect(&s, 1)->note, "not in the tool's schema"));
    assert_says(&s, "lines\n    [0]\n      sku");
    assert_true(str_is(effect(&s, 4)->note, "What is sold"));
    assert_false(effect(&s, 6)->note.n); /* said once for the list */
    assert_true(str_is(effect(&s, 6)->value, "\"b\""));
    seen_end(&s);
}

static void what_steers_a_terminal_or_hides_is_visible(void **state)
{
    (void)state;
    struct seen s;
    seen_begin(&s, "{\"a\\u001b[2J\":\"x\\u202ey\\u200bz\\u001b]0;t\\u0007\",\"b\":\"one\\ntwo\\r\"}", NULL);
    s.card.user = STR("usr\x1b[31m");
    s.card.description = STR("nice \xe2\x80\xae tool");
    s.card.reasoning = STR("\xe2\x81\xa6hidden\xe2\x81\xa9");
    seen_look(&s, 0);
    assert_null(strchr(s.text.p, '\x1b'));
    assert_null(strchr(s.text.p, '\a'));
    assert_null(strchr(s.text.p, '\r'));
    assert_null(strstr(s.text.p, "\xe2\x80"));
    assert_null(strstr(s.text.p, "\xe2\x81"));
    assert_true(str_is(effect(&s, 0)->name, "a\\x1b[2J"));
    assert_true(str_is(effect(&s, 0)->value, "\"x\\u{202e}y\\u{200b}z\\x1b]0;t\\x07\""));
    assert_says(&s, "| one\n");
    assert_says(&s, "| two\\x0d\n");
    assert_says(&s, "for usr\\x1b[31m");
    assert_says(&s, "| \\u{2066}hidden\\u{2069}");
    seen_end(&s);
}

static void secrets_and_what_is_sealed_are_not_shown_and_said_to_be_there(void **state)
{
    (void)state;
    struct seen s;
    seen_begin(&s, "{\"deep\":{\"email\":\"ann@example.org\"},\"order\":\"A-1\",\"password\":\"hunter2hunter2\"}",
               NULL);
    s.card.reasoning = STR("I use Bearer abcdefghijklmnop0123456789");
    seen_look(&s, 0);
    assert_null(strstr(s.text.p, "hunter2"));
    assert_null(strstr(s.text.p, "ann@example.org"));
    assert_null(strstr(s.text.p, "abcdefghijklmnop"));
    assert_true(s.view.masked);
    assert_true(
        str_is(s.view.arguments, "{\"deep\":{\"email\":\"[sealed]\"},\"order\":\"A-1\",\"password\":\"[masked]\"}"));
    assert_says(&s, "\"[sealed]\"   (not shown: 17 bytes of JSON)");
    assert_says(&s, "\"[masked]\"   (not shown: 16 bytes of JSON)");
    assert_says(&s, "\"A-1\"\n");
    seen_end(&s);
}

static void no_value_passes_for_a_line_of_ours_where_a_terminal_breaks_it(void **state)
{
    (void)state;
    struct seen s;
    seen_begin(
        &s,
        "{\"a\":\"x                                                                                                 "
        "   Risk                  low\"}",
        NULL);
    seen_look(&s, 0);
    for (struct str rest = {s.text.p, s.text.n - 1}, line; rest.n;) {
        str_cut(&rest, '\n', &line);
        assert_true(line.n <= 140);
        if (str_ends(line, STR("low\"")))
            assert_true(str_starts(line, STR("    : ")));
    }
    assert_says(&s, "Risk                  low");
    seen_end(&s);
}

static char *much(const char *before, const char *one, size_t n, const char *after)
{
    struct buf b;
    buf_init(&b, 256u << 20);
    buf_z(&b, before);
    for (size_t i = 0; i < n; i++)
        buf_z(&b, one);
    buf_z(&b, after);
    buf_char(&b, 0);
    assert_false(buf_failed(&b));
    return b.p;
}

static void a_long_value_is_whole_and_where_it_is_shortened_its_length_and_hash_say_so(void **state)
{
    (void)state;
    struct seen s;
    char *text = much("{\"body\":\"", "abcdefgh", 50000, "-END\"}");
    seen_begin(&s, text, NULL);
    seen_look(&s, 0);
    assert_true(str_ends(effect(&s, 0)->value, STR("gh-END\"")));
    assert_says(&s, "-END\"");
    buf_clear(&s.text);
    view_text(&s.view, 1000, &s.text);
    buf_char(&s.text, 0);
    assert_null(strstr(s.text.p, "-END"));
    assert_says(&s, "\xe2\x80\xa6 (400006 bytes, SHA-256 ");
    assert_true(s.text.n < 5000);
    free(text);
    seen_end(&s);
}

static void very_many_arguments_are_one_row_with_all_of_them(void **state)
{
    (void)state;
    struct seen s;
    char *text = much("{\"v\":[0", ",1", 100000, ",777]}");
    seen_begin(&s, text, NULL);
    seen_look(&s, 0);
    assert_int_equal(s.view.section[VIEW_EFFECT].n, 2); /* and the digest */
    assert_true(str_is(effect(&s, 0)->value, text));
    assert_says(&s, "too many to be shown one by one");
    free(text);
    seen_end(&s);
}

static void the_words_of_a_schema_that_says_too_much_are_bounded(void **state)
{
    (void)state;
    struct seen s;
    struct buf b, args;
    char *long_word = much("", "x", 100000, "");
    buf_init(&b, 64u << 20);
    buf_init(&args, 1u << 20);
    buf_fmt(&b, "{\"additionalProperties\":{\"description\":\"%s\"}}", long_word);
    buf_char(&b, 0);
    buf_char(&args, '{');
    for (int i = 0; i < 1000; i++)
        buf_fmt(&args, "%s\"k%04d\":1", i ? "," : "", i);
    buf_z(&args, "}");
    buf_char(&args, 0);
    seen_begin(&s, args.p, b.p);
    seen_look(&s, 0);
    assert_int_equal(effect(&s, 1)->note.n, 100000);
    assert_true(str_is(effect(&s, 2)->note,
                       "what the schema says of it (100000 bytes) is left out: it has said too much already"));
    assert_true(s.text.n < 1u << 20);
    free(long_word);
    buf_done(&b);
    buf_done(&args);
    seen_end(&s);
}

static void deep_arguments_are_indented_and_end(void **state)
{
    (void)state;
    struct seen s;
    char *open = much("", "{\"a\":", 60, "1"), *text = much(open, "}", 60, "");
    seen_begin(&s, text, "{\"properties\":{\"a\":{\"$ref\":\"#\",\"description\":\"again\"}}}");
    seen_look(&s, 0);
    assert_int_equal(s.view.section[VIEW_EFFECT].n, 61);
    assert_int_equal(effect(&s, 59)->depth, 59);
    assert_true(str_is(effect(&s, 59)->value, "1"));
    free(open);
    free(text);
    seen_end(&s);
}

static void a_schema_that_refers_to_itself_is_no_way_to_stay_forever(void **state)
{
    (void)state;
    struct seen s;
    seen_begin(&s, "{\"a\":1}", "{\"properties\":{\"a\":{\"$ref\":\"#/properties/a\"}}}");
    seen_look(&s, 0);
    assert_true(str_is(effect(&s, 0)->value, "1"));
    seen_end(&s);
}

static void no_memory_is_an_error_and_no_half_of_a_view(void **state)
{
    (void)state;
    struct seen s;
    struct fault f;
    seen_begin(&s, "{\"amount\":120,\"note\":\"abcdefghijklmnop\"}", NULL);
    for (size_t cap = 64; cap <= 65536; cap += 997) {
        struct arena a;
        struct approval_view v = {.state = APPROVAL_NONE};
        arena_init(&a, cap);
        enum err e = view_of_card(s.audit, &s.card, 0, &a, &v, &f);
        if (e)
            assert_null(v.headline.p);
        else
            assert_int_equal(v.state, APPROVAL_PENDING);
        arena_done(&a);
    }
    seen_end(&s);
}

static void a_view_comes_back_from_its_json_as_it_was(void **state)
{
    (void)state;
    struct seen s;
    struct json j;
    struct approval_view back;
    struct fault f = {.text = ""};
    struct buf b, text;
    seen_begin(&s, "{\"a\":{\"b\":\"one\\ntwo\"},\"c\":\"x\\u202e\"}", NULL);
    seen_look(&s, 0);
    buf_init(&b, 1u << 20);
    buf_init(&text, 1u << 20);
    struct json_out o = json_out(&b);
    json_open(&o, '{');
    view_json(&s.view, &o);
    json_close(&o, '}');
    assert_int_equal(json_parse(&j, buf_view(&b), &s.arena, NULL, &f), ERR_OK);
    assert_int_equal(view_read(&j, JSON_ROOT, &s.arena, &back, &f), ERR_OK);
    view_text(&back, 0, &text);
    buf_char(&text, 0);
    assert_string_equal(text.p, s.text.p);
    buf_done(&b);
    buf_done(&text);
    seen_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_two_lines_say_who_what_and_until_when),
        cmocka_unit_test(of_one_that_is_over_it_says_who_ended_it_and_why),
        cmocka_unit_test(the_parts_stand_in_one_order_and_the_agents_words_are_last_and_apart),
        cmocka_unit_test(an_argument_has_the_words_of_the_schema),
        cmocka_unit_test(what_steers_a_terminal_or_hides_is_visible),
        cmocka_unit_test(secrets_and_what_is_sealed_are_not_shown_and_said_to_be_there),
        cmocka_unit_test(no_value_passes_for_a_line_of_ours_where_a_terminal_breaks_it),
        cmocka_unit_test(a_long_value_is_whole_and_where_it_is_shortened_its_length_and_hash_say_so),
        cmocka_unit_test(very_many_arguments_are_one_row_with_all_of_them),
        cmocka_unit_test(the_words_of_a_schema_that_says_too_much_are_bounded),
        cmocka_unit_test(deep_arguments_are_indented_and_end),
        cmocka_unit_test(a_schema_that_refers_to_itself_is_no_way_to_stay_forever),
        cmocka_unit_test(no_memory_is_an_error_and_no_half_of_a_view),
        cmocka_unit_test(a_view_comes_back_from_its_json_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
