/* What counts as a word, and what a question's text asks for. */
#include "../unit.h"

#include <stdio.h>
#include <string.h>

#include "search/words.h"

/* The words of a text with a space between them, and "|" before the first of each string. */
static void parts(const char *text, bool json, const char *want)
{
    char have[1024] = "";
    struct words w;
    struct str word;
    words_of(&w, str_of(text), json);
    while (words_next(&w, &word))
        snprintf(have + strlen(have), sizeof(have) - strlen(have), "%s%.*s", w.fresh ? "|" : " ", (int)word.n, word.p);
    assert_string_equal(have, want);
}

static bool has(const char *wanted, const char *text)
{
    struct wanted w;
    assert_true(wanted_read(str_of(wanted), &w));
    struct wanted_seen seen = {.w = &w};
    wanted_look(&seen, str_of(text), true);
    return wanted_found(&seen);
}

static void runs_of_letters_and_digits_are_words(void **state)
{
    (void)state;
    parts("Refund ORD-A1B2 to alice@example.com: 129.50", false, "|refund ord a1b2 to alice example com 129 50");
    parts("", false, "");
    parts(" ,;- ", false, "");
}

static void escapes_part_words_and_strings_are_apart(void **state)
{
    (void)state;
    parts("{\"note\":\"line\\nbreak\\u0007bell\",\"n\":12}", true, "|note|line break bell|n|12");
    parts("[\"a\\\"b\"]", true, "|a b");
    parts("\"ends in a \\", true, "|ends in a");
    parts("\"ends in \\u00", true, "|ends in");
}

static void every_script_is_folded(void **state)
{
    (void)state;
    parts("ÄRGER Straße ПРИВЕТ Ελλάδα", false, "|ärger straße привет ελλάδα");
    parts("cafe\xcc\x81", false, "|cafe");
}

static void scripts_without_spaces_are_found_by_the_character(void **state)
{
    (void)state;
    parts("東京都 ok", false, "|東 京 都 ok");
    assert_true(has("京都", "\"東京都\""));
    assert_false(has("京東", "\"東京都\""));
}

static void bytes_that_are_no_utf8_part_words(void **state)
{
    (void)state;
    parts("a\xff"
          "b\xe4\xb8",
          false, "|a b");
}

static void a_long_word_counts_by_its_beginning(void **state)
{
    (void)state;
    char text[512], quoted[520];
    memset(text, 'x', 300);
    text[300] = 0;
    snprintf(quoted, sizeof(quoted), "\"%s\"", text);
    assert_true(has(text, quoted));
    strcat(text, "*");
    assert_true(has(text, quoted));
}

static void all_words_must_be_there_in_any_order(void **state)
{
    (void)state;
    const char *text = "{\"note\":\"The second parcel, as agreed on the phone\",\"orderId\":\"ORD-77\"}";
    assert_true(has("phone PARCEL", text));
    assert_true(has("orderid ord-77", text));
    assert_false(has("phone parcels", text));
    assert_true(has("parc* ph*", text));
}

static void a_phrase_stands_in_one_string(void **state)
{
    (void)state;
    const char *text = "{\"a\":\"second parcel\",\"b\":\"second hand parcel\",\"c\":\"as agreed\"}";
    assert_true(has("\"second parcel\"", text));
    assert_true(has("\"second hand\" agreed", text));
    assert_false(has("\"parcel second\"", text));
    assert_false(has("\"parcel as\"", text));
    assert_false(has("\"one two\"", "[\"one\",\"two\"]"));
    assert_true(has("\"hand par\"*", text));
    assert_true(has("\"second second", "\"second second hand\""));
    assert_true(has("\"a b a c\"", "\"a b a b a c\""));
    assert_true(has("second.parcel", text));
}

static void a_text_without_a_word_is_no_question(void **state)
{
    (void)state;
    static struct wanted w;
    char many[4 * WANTED_WORDS + 8] = "", large[WANTED_BYTES + 2];
    static const char *const none[] = {"", " ", "\"\"", "*", "--- \"", "\"* *\"", "\xff\xfe"};
    for (size_t i = 0; i < COUNT(none); i++)
        assert_false(wanted_read(str_of(none[i]), &w));
    for (unsigned i = 0; i < WANTED_WORDS; i++)
        strcat(many, "ab ");
    assert_true(wanted_read(str_of(many), &w));
    strcat(many, "c");
    assert_false(wanted_read(str_of(many), &w));
    memset(large, 'a', sizeof(large));
    assert_false(wanted_read((struct str){large, WANTED_BYTES + 1}, &w));
    assert_true(wanted_read((struct str){large, WANTED_BYTES}, &w));
}

/* What means something to a database is a word like any other, or parts words. */
static void nothing_in_a_text_is_an_operator(void **state)
{
    (void)state;
    assert_true(has("a AND b", "\"b and a\""));
    assert_true(has("NOT(x)", "\"not x\""));
    assert_true(has("key:val^2", "\"key val 2\""));
    assert_true(has("'; DROP TABLE posting; --", "\"drop table posting\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_of_letters_and_digits_are_words),
        cmocka_unit_test(escapes_part_words_and_strings_are_apart),
        cmocka_unit_test(every_script_is_folded),
        cmocka_unit_test(scripts_without_spaces_are_found_by_the_character),
        cmocka_unit_test(bytes_that_are_no_utf8_part_words),
        cmocka_unit_test(a_long_word_counts_by_its_beginning),
        cmocka_unit_test(all_words_must_be_there_in_any_order),
        cmocka_unit_test(a_phrase_stands_in_one_string),
        cmocka_unit_test(a_text_without_a_word_is_no_question),
        cmocka_unit_test(nothing_in_a_text_is_an_operator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
