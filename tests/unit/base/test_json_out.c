/* Writing JSON: what comes out is read back as what went in. */
#include "base_test.h"

static void commas_are_the_writers_business(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    struct json_out o = json_out(&b);
    const struct str words[] = {STR("a"), STR("\"")};
    json_open(&o, '{');
    json_kv_z(&o, "name", "desk");
    json_kv_i64(&o, "min", INT64_MIN);
    json_kv_bool(&o, "on", true);
    json_kv_null(&o, "none");
    json_key(&o, STR("list"));
    json_open(&o, '[');
    json_open(&o, '[');
    json_close(&o, ']');
    json_open(&o, '{');
    json_close(&o, '}');
    json_put_i64(&o, 1);
    json_put_str(&o, STR("x"));
    json_put_bool(&o, false);
    json_put_null(&o);
    json_put_raw(&o, STR("{\"a\":1}"));
    json_put_strs(&o, NULL, 0);
    json_close(&o, ']');
    json_kv_strs(&o, "words", words, 2);
    json_kv_raw(&o, "raw", STR("[1]"));
    json_kv_str(&o, "last", STR_NONE);
    json_close(&o, '}');
    assert_str(buf_view(&b),
               "{\"name\":\"desk\",\"min\":-9223372036854775808,\"on\":true,\"none\":null,\"list\":"
               "[[],{},1,\"x\",false,null,{\"a\":1},[]],\"words\":[\"a\",\"\\\"\"],\"raw\":[1],\"last\":\"\"}");
    buf_done(&b);
}

static void strings_are_escaped(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 1000);
    struct json_out o = json_out(&b);
    json_put_str(&o, (struct str){"\"\\/\b\f\n\r\t\0\x1f\x7f\xc3\xa9\xf0\x9f\x90\xb2", 17});
    assert_str(buf_view(&b), "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\x7f\xc3\xa9\xf0\x9f\x90\xb2\"");
    buf_done(&b);
}

#define LOST "\xef\xbf\xbd"

static void bytes_that_are_not_utf8_are_replaced_one_by_one(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"\xff", LOST},
        {"a\x80z", "a" LOST "z"},
        {"\xe2\x82\xac\x80", "\xe2\x82\xac" LOST}, /* the character before is whole */
        {"\xe2\x82", LOST LOST},
        {"\xc3\xa9\xc3", "\xc3\xa9" LOST},
        {"\xed\xa0\x80", LOST LOST LOST},
        {"\xf0\x9f\x90\xb2\xf0\x9f\x90", "\xf0\x9f\x90\xb2" LOST LOST LOST},
        {"\xc3\"", LOST "\\\""}, /* a quote is not swallowed */
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf b;
        buf_init(&b, 1000);
        struct json_out o = json_out(&b);
        json_put_str(&o, str_of(rows[i].in));
        struct str inner = {b.p + 1, b.n - 2};
        if (!str_is(inner, rows[i].out))
            fail_msg("row %zu: " STR_FMT, i, STR_ARG(inner));
        buf_done(&b);
    }
}

static void nothing_behind_the_end_is_written(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    struct json_out o = json_out(&b);
    json_put_str(&o, (struct str){"\xe2\x82\xac", 2}); /* the third byte is somebody else's */
    assert_str(buf_view(&b), "\"" LOST LOST "\"");
    buf_done(&b);
}

static void every_byte_pair_comes_out_as_json(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 1 << 20);
    for (unsigned v = 0; v < 65536; v++) {
        struct buf b;
        char bytes[4] = {'x', (char)(v >> 8), (char)v, 'y'};
        buf_init(&b, 100);
        struct json_out o = json_out(&b);
        json_put_str(&o, (struct str){bytes, 4});
        struct json j = test_json(&a, buf_view(&b));
        if (str_utf8_valid((struct str){bytes, 4}))
            assert_true(json_str_is(&j, JSON_ROOT, (struct str){bytes, 4}));
        buf_done(&b);
        arena_reset(&a);
    }
    arena_done(&a);
}

static void a_full_buffer_is_noticed(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 8);
    struct json_out o = json_out(&b);
    json_open(&o, '[');
    json_put_str(&o, STR("too long for it"));
    json_close(&o, ']');
    assert_true(buf_failed(&b));
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_are_the_writers_business),
        cmocka_unit_test(strings_are_escaped),
        cmocka_unit_test(bytes_that_are_not_utf8_are_replaced_one_by_one),
        cmocka_unit_test(nothing_behind_the_end_is_written),
        cmocka_unit_test(every_byte_pair_comes_out_as_json),
        cmocka_unit_test(a_full_buffer_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
