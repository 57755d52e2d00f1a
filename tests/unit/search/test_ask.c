/* What is found, and that it is the same with an index, with half of one, and with none. */
#include "made.h"

#include "audit/large.h"
#include "search/follow.h"

static char digest_of[65] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/* Ten entries, one for each thing that can be asked. */
static void fill(struct made *m)
{
    const struct made_entry all[] = {
        {.agent = "anna",
         .session = "s1",
         .user = "ute",
         .tool = "desk/refund",
         .event = "TOOL_CALL",
         .allowed = 1,
         .trace = "4bf92f3577b34da6a3ce929d0e0e4736",
         .digest = digest_of,
         .parameters = "{\"amount\":129.5,\"note\":\"the second parcel\",\"orderId\":\"ORD-77\"}"},
        {.agent = "anna",
         .session = "s1",
         .user = "ute",
         .tool = "desk/refund",
         .event = "TOOL_RESULT",
         .allowed = -1,
         .result = "success",
         .trace = "4bf92f3577b34da6a3ce929d0e0e4736"},
        {.agent = "bert",
         .session = "s2",
         .tool = "desk/refund",
         .event = "TOOL_DENIED",
         .allowed = 0,
         .result = "denied",
         .reason = "over the limit of the desk",
         .parameters = "{\"amount\":900}"},
        {.agent = "bert",
         .session = "s2",
         .tool = "mail/send",
         .event = "TOOL_CALL",
         .allowed = 1,
         .parameters = "{\"text\":\"Grüße aus Köln\\nund mehr\"}"},
        {.agent = "bert",
         .session = "s2",
         .tool = "mail/send",
         .event = "TOOL_RESULT",
         .allowed = -1,
         .result = "timeout"},
        {.event = "CONFIG_RELOADED",
         .allowed = -1,
         .chain = "[{\"id\":\"olga\",\"role\":\"operator\",\"type\":\"HUMAN\"}]"},
        {.agent = "dom\\anna",
         .session = "s\"3",
         .tool = "mail/send",
         .event = "TOOL_CALL",
         .allowed = 1,
         .parameters = "{\"text\":\"quoted agent\"}"},
    };
    for (size_t i = 0; i < COUNT(all); i++)
        made_add(m, &all[i]);
}

static void finds_all(const struct made *m)
{
    FINDS(m, "7,6,5,4,3,2,1", .limit = 2);
    FINDS(m, "1,2,3,4,5,6,7", .oldest_first = true, .limit = 3);
    FINDS(m, "2,1", .agent = STR("anna"));
    FINDS(m, "7", .agent = STR("dom\\anna"));
    FINDS(m, "7", .session = STR("s\"3"));
    FINDS(m, "", .agent = STR("ann"));
    FINDS(m, "5,4,3", .session = STR("s2"));
    FINDS(m, "2,1", .user = STR("ute"));
    FINDS(m, "6", .user = STR("olga"));
    FINDS(m, "3,2,1", .tool = STR("desk/refund"));
    FINDS(m, "7,4,1", .event = STR("TOOL_CALL"));
    FINDS(m, "7,4,1", .decision = STR("allowed"));
    FINDS(m, "3", .decision = STR("denied"));
    FINDS(m, "2", .decision = STR("success"));
    FINDS(m, "5", .decision = STR("timeout"));
    FINDS(m, "2,1", .trace = STR("4bf92f3577b34da6a3ce929d0e0e4736"));
    FINDS(m, "1", .digest = str_of(digest_of));
    FINDS(m, "4,3", .since = made_epoch + 3000, .until = made_epoch + 5000);
    FINDS(m, "2,1", .until = made_epoch + 3000);
    FINDS(m, "1", .text = STR("parcel"));
    FINDS(m, "3,1", .text = STR("amount"));
    FINDS(m, "3", .text = STR("LIMIT over"));
    FINDS(m, "4", .text = STR("köln"));
    FINDS(m, "4", .text = STR("\"köln und\""));
    FINDS(m, "", .text = STR("\"und köln\""));
    FINDS(m, "1", .text = STR("ord-7*"));
    FINDS(m, "4", .agent = STR("bert"), .event = STR("TOOL_CALL"));
    FINDS(m, "1,2", .agent = STR("anna"), .tool = STR("desk/refund"), .oldest_first = true);
    FINDS(m, "", .event = STR("TOOL_CALL"), .decision = STR("success"));
    FINDS(m, "3,2,1", .after = 4);
    FINDS(m, "5,6,7", .after = 4, .oldest_first = true);
    FINDS(m, "", .after = 1);
    FINDS(m, "", .after = 7, .oldest_first = true);
}

static void everything_that_can_be_asked_is_found(void **state)
{
    struct made *m = *state;
    fill(m);
    finds_all(m);
    made_index(m);
    finds_all(m);
}

static void what_is_not_indexed_yet_is_found_at_once(void **state)
{
    struct made *m = *state;
    static struct made_found found;
    made_add(m, &(struct made_entry){.agent = "anna", .allowed = 1});
    made_index(m);
    made_add(m, &(struct made_entry){.agent = "anna", .allowed = 1});
    FINDS(m, "2,1", .agent = STR("anna"));
    FINDS(m, "1,2", .agent = STR("anna"), .oldest_first = true);
    while (m->next <= 256)
        made_add(m, &(struct made_entry){.agent = "bert", .allowed = 1});
    made_segment(m, 257);
    made_add(m, &(struct made_entry){.agent = "anna", .allowed = 1});
    made_ask(m, (struct search_question){.agent = STR("anna")}, &found);
    assert_int_equal(found.n, 3);
    assert_int_equal(found.answer.indexed, 1);
    assert_int_equal(found.answer.scanned, 256);
    made_index(m);
    made_ask(m, (struct search_question){.agent = STR("anna")}, &found);
    assert_int_equal(found.n, 3);
    assert_int_equal(found.answer.indexed, 257);
    assert_int_equal(found.answer.scanned, 0);
}

static void a_question_that_is_none_says_what_would_be_right(void **state)
{
    struct made *m = *state;
    static struct made_found found;
    struct search_answer answer;
    const struct {
        struct search_question q;
        const char *words;
    } wrong[] = {
        {{.limit = 0}, "from 1 to 1000"},
        {{.limit = SEARCH_LIMIT + 1}, "from 1 to 1000"},
        {{.limit = 1, .event = STR("TOOL_CAL")}, "no event TOOL_CAL"},
        {{.limit = 1, .decision = STR("maybe")}, "allowed or denied"},
        {{.limit = 1, .text = STR("?!")}, "1 to 32 words"},
        {{.limit = 1, .since = 5, .until = 5}, "since must be before until"},
    };
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct fault f = {.text = ""};
        assert_int_equal(search_ask(m->dir, &wrong[i].q, made_take, &found, &answer, &f), ERR_PARAMS);
        assert_non_null(strstr(f.text, wrong[i].words));
    }
}

static void a_record_without_an_entry_answers_with_nothing(void **state)
{
    struct made *m = *state;
    FINDS(m, "", .agent = STR("anna"));
    made_index(m);
    FINDS(m, "", .agent = STR("anna"));
    made_drop_segment(m, 1);
    FINDS(m, "", .agent = STR("anna"));
    made_index(m);
}

/* Entries come between two pages: none is lost, none comes twice. */
static void pages_hold_while_entries_come(void **state)
{
    struct made *m = *state;
    static struct made_found found;
    struct search_question q = {.agent = STR("anna"), .limit = 7};
    struct fault f;
    for (unsigned i = 0; i < 100; i++)
        made_add(m, &(struct made_entry){.agent = i % 2 ? "anna" : "bert", .allowed = 1});
    for (found.n = 0;; q.after = found.answer.next) {
        assert_int_equal(search_ask(m->dir, &q, made_take, &found, &found.answer, &f), ERR_OK);
        made_add(m, &(struct made_entry){.agent = "anna", .allowed = 1});
        if (found.n == 21)
            made_index(m);
        if (!found.answer.next)
            break;
    }
    assert_int_equal(found.n, 50);
    for (size_t i = 0; i < found.n; i++)
        assert_int_equal(found.seq[i], 100 - 2 * i);
    made_ask(m, (struct search_question){.agent = STR("anna"), .limit = 7, .oldest_first = true}, &found);
    assert_int_equal(found.n, 50 + 8);
    for (size_t i = 1; i < found.n; i++)
        assert_true(found.seq[i] > found.seq[i - 1]);
}

static void the_page_that_holds_the_last_one_says_so(void **state)
{
    struct made *m = *state;
    static struct made_found found;
    struct fault f;
    for (unsigned i = 0; i < 4; i++)
        made_add(m, &(struct made_entry){.agent = "anna", .allowed = 1});
    for (unsigned round = 0; round < 2; round++) {
        struct search_question q = {.agent = STR("anna"), .limit = 4};
        found.n = 0;
        assert_int_equal(search_ask(m->dir, &q, made_take, &found, &found.answer, &f), ERR_OK);
        assert_int_equal(found.answer.next, 0);
        q.limit = 3;
        found.n = 0;
        assert_int_equal(search_ask(m->dir, &q, made_take, &found, &found.answer, &f), ERR_OK);
        assert_int_equal(found.answer.next, 2);
        made_index(m);
    }
}

/* More than one chunk and more than one segment, values of every rarity. */
static void fill_many(struct made *m)
{
    static const char *const agents[] = {"anna", "bert", "carl", "dora"};
    static const char *const events[] = {"TOOL_CALL", "TOOL_RESULT", "TOOL_DENIED", "INPUT_ASKED"};
    char parameters[96], session[32];
    unsigned noise = 1;
    for (unsigned i = 0; i < 70000; i++) {
        noise = noise * 1664525 + 1013904223;
        unsigned x = noise >> 8;
        if (i && i % 8192 == 0)
            made_segment(m, m->next);
        snprintf(session, sizeof(session), "s%u", x % 3000);
        snprintf(parameters, sizeof(parameters), "{\"a\":\"w%u w%u\",\"n\":\"all %s\"}", x % 50, x / 50 % 7,
                 x % 9001 == 7 ? "rare" : "of them");
        made_add(m, &(struct made_entry){.agent = agents[x % 13 % 4],
                                         .session = session,
                                         .event = events[x / 16 % 4],
                                         .allowed = x % 3 == 0,
                                         .parameters = parameters});
    }
}

/* Whoever looks through all entries finds the same. */
static void finds_what_looking_finds(const struct made *m)
{
    static struct made_found with, without;
    char command[160];
    const struct search_question all[] = {
        {.session = STR("s77")},
        {.session = STR("s77"), .agent = STR("bert")},
        {.text = STR("rare")},
        {.text = STR("rare w3*")},
        {.text = STR("\"w11 w3\""), .event = STR("TOOL_DENIED"), .decision = STR("denied"), .agent = STR("dora")},
        {.text = STR("w11 w3 all"), .event = STR("TOOL_DENIED"), .decision = STR("denied"), .agent = STR("dora")},
        {.agent = STR("carl"), .since = made_epoch + 65000000, .until = made_epoch + 66000000},
        {.text = STR("all"), .after = 300},
        {.text = STR("\"them all\"")},
    };
    struct made_found *const both[] = {&with, &without};
    for (size_t i = 0; i < 2 * COUNT(all); i++) {
        struct search_question q = all[i / 2];
        q.oldest_first = i % 2;
        if (q.oldest_first && q.after)
            q.after = 69000;
        for (unsigned k = 0; k < 2; k++) {
            snprintf(command, sizeof(command), "mv %s/index%s %s/index%s", m->dir, k ? "" : "-away", m->dir,
                     k ? "-away" : "");
            if (k || i)
                assert_int_equal(system(command), 0);
            made_ask(m, q, both[k]);
        }
        assert_true(with.answer.scanned == 0 && without.answer.scanned > 0);
        assert_true(with.n == without.n && (with.n > 0 || str_eq(q.text, STR("\"them all\""))));
        assert_memory_equal(with.seq, without.seq, with.n * sizeof(with.seq[0]));
    }
}

static void the_index_finds_what_looking_finds(void **state)
{
    struct made *m = *state;
    fill_many(m);
    made_index(m);
    finds_what_looking_finds(m);
}

static void what_is_entered_bit_by_bit_is_found_as_well(void **state)
{
    struct made *m = *state;
    struct follow *w;
    struct fault f;
    static const uint64_t turns[] = {1,     2,     100,   4096,  4097,  8191,  30000,
                                     30001, 41000, 60000, 65535, 65536, 65600, 70000};
    fill_many(m);
    for (size_t i = 0; i < COUNT(turns); i++) {
        if (i % 4 == 0)
            assert_int_equal(follow_open(m->dir, 1 << 20, false, &w, &f), ERR_OK);
        assert_int_equal(follow_run(w, turns[i], NULL, NULL, NULL, &f), ERR_OK);
        if (i % 4 == 3 || i + 1 == COUNT(turns))
            follow_close(w);
        if (turns[i] == 60000) {
            static struct made_found found;
            made_ask(m, (struct search_question){.text = STR("rare"), .after = 60001}, &found);
            assert_true(found.n > 3 && found.answer.scanned == 0);
        }
    }
    finds_what_looking_finds(m);
}

static void words_that_are_kept_in_a_file_are_found(void **state)
{
    struct made *m = *state;
    char hex[65], member[160], *text = malloc(200000);
    struct fault f;
    strcpy(text, "{\"note\":\"");
    for (unsigned i = 0; i < 20000; i++)
        strcat(text + i * 6, "padded ");
    strcat(text, "needle\"}");
    assert_int_equal(large_put(m->dir, str_of(text), hex, &f), ERR_OK);
    snprintf(member, sizeof(member), "{\"parameters\":{\"bytes\":%zu,\"sha256\":\"%s\"}}", strlen(text), hex);
    made_add(m, &(struct made_entry){.agent = "anna", .allowed = 1, .large = member});
    free(text);
    FINDS(m, "1", .text = STR("needle"));
    made_index(m);
    FINDS(m, "1", .text = STR("needle"));
    FINDS(m, "1", .agent = STR("anna"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(everything_that_can_be_asked_is_found, made_setup, made_teardown),
        cmocka_unit_test_setup_teardown(what_is_not_indexed_yet_is_found_at_once, made_setup, made_teardown),
        cmocka_unit_test_setup_teardown(a_question_that_is_none_says_what_would_be_right, made_setup, made_teardown),
        cmocka_unit_test_setup_teardown(a_record_without_an_entry_answers_with_nothing, made_setup, made_teardown),
        cmocka_unit_test_setup_teardown(pages_hold_while_entries_come, made_setup, made_teardown),
        cmocka_unit_test_setup_teardown(the_page_that_holds_the_last_one_says_so, made_setup, made_teardown),
        cmocka_unit_test_setup_teardown(the_index_finds_what_looking_finds, made_setup, made_teardown),
        cmocka_unit_test_setup_teardown(what_is_entered_bit_by_bit_is_found_as_well, made_setup, made_teardown),
        cmocka_unit_test_setup_teardown(words_that_are_kept_in_a_file_are_found, made_setup, made_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
