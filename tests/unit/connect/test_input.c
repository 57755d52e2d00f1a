/* What clients declare that they can be asked, what servers may ask of them, and results that want input first. */
#include <stdio.h>

#include "../unit.h"

#include "connect/inner.h"

static struct arena arena;

static int scene_open(void **state)
{
    (void)state;
    arena_init(&arena, 1u << 20);
    return 0;
}

static int scene_close(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

static struct json *parsed(const char *text)
{
    struct json *j = arena_alloc(&arena, sizeof(*j));
    char *copy = quotes((char *)arena_str(&arena, str_of(text)).p);
    struct fault f;
    if (json_parse(j, str_of(copy), &arena, NULL, &f))
        fail_msg("%s: %s", text, f.text);
    return j;
}

static void what_is_carried_of_a_declaration_goes_on(void **state)
{
    static const struct {
        const char *declared, *told;
    } cases[] = {
        {"{}", "{}"},
        {"{'elicitation':{}}", "{'elicitation':{'form':{}}}"},
        {"{'elicitation':{'form':{}}}", "{'elicitation':{'form':{}}}"},
        {"{'elicitation':{'url':{}}}", "{'elicitation':{'url':{}}}"},
        {"{'sampling':{}}", "{'sampling':{}}"},
        {"{'sampling':{'tools':{},'context':{}},'roots':{'listChanged':true}}",
         "{'sampling':{'tools':{},'context':{}},'roots':{'listChanged':true}}"},
        {"{'roots':{'listChanged':false}}", "{'roots':{}}"},
        {"{'roots':true,'sampling':[],'tasks':{},'experimental':{'x':{}}}", "{}"},
        {"7", "{}"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf b;
        char told[256];
        buf_init(&b, 4096);
        connect_can_write(&b, connect_can_read(parsed(cases[i].declared), JSON_ROOT));
        snprintf(told, sizeof(told), "%s", cases[i].told);
        assert_true(str_is(buf_view(&b), quotes(told)));
        buf_done(&b);
    }
}

static void a_client_is_asked_what_it_offered(void **state)
{
    static const struct {
        const char *declared, *method, *params;
        bool may;
    } cases[] = {
        {"{'roots':{}}", "roots/list", "{}", true},
        {"{'sampling':{}}", "roots/list", "{}", false},
        {"{'elicitation':{}}", "elicitation/create", "{'message':'?'}", true},
        {"{'elicitation':{}}", "elicitation/create", "{'mode':'url','url':'https://a.b'}", false},
        {"{'elicitation':{'url':{}}}", "elicitation/create", "{'mode':'url','url':'https://a.b'}", true},
        {"{'elicitation':{'url':{}}}", "elicitation/create", "{'mode':'form'}", false},
        {"{'elicitation':{}}", "elicitation/create", "[]", false},
        {"{'sampling':{}}", "sampling/createMessage", "{'messages':[]}", true},
        {"{'sampling':{}}", "sampling/createMessage", "{'messages':[],'tools':[]}", false},
        {"{'sampling':{'tools':{}}}", "sampling/createMessage", "{'messages':[],'tools':[]}", true},
        {"{'elicitation':{},'sampling':{},'roots':{}}", "tools/call", "{}", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        unsigned can = connect_can_read(parsed(cases[i].declared), JSON_ROOT);
        if (connect_can_answer(can, parsed(cases[i].params), str_of(cases[i].method), JSON_ROOT) != cases[i].may)
            fail_msg("%s, %s: %s", cases[i].declared, cases[i].method, cases[i].params);
    }
}

static enum err judged(const char *method, const char *result, bool *ret_input)
{
    struct conf_server server = {.name = STR("desk")};
    struct upstream u = {.server = &server};
    struct connect_call c = {.upstream = &u, .method = method, .can = CAN_ROOTS};
    struct fault f;
    return input_judge(&c, parsed(result), JSON_ROOT, &arena, ret_input, &f);
}

static void a_result_that_wants_input_says_what_within_what_was_offered(void **state)
{
    static const char *const garbage[] = {
        "{'resultType':'input_required'}",
        "{'resultType':'input_required','inputRequests':{}}",
        "{'resultType':'input_required','inputRequests':[]}",
        "{'resultType':'input_required','requestState':7}",
        "{'resultType':'input_required','inputRequests':{'a':{'method':'roots/list'},'b':{'method':'elicitation/"
        "create',"
        "'params':{}}}}",
        "{'resultType':'input_required','inputRequests':{'a':7}}",
        "{'resultType':'task'}",
        "{'resultType':7}",
    };
    bool input = true;
    (void)state;
    for (size_t i = 0; i < COUNT(garbage); i++)
        if (judged("tools/call", garbage[i], &input) != ERR_UPSTREAM_GARBAGE)
            fail_msg("%s", garbage[i]);
    assert_int_equal(judged("tools/call", "{'content':[]}", &input), ERR_OK);
    assert_false(input);
    static const char wanted[] = "{'resultType':'input_required','inputRequests':{'a':{'method':'roots/list'}}}";
    assert_int_equal(judged("prompts/get", wanted, &input), ERR_OK);
    assert_true(input);
    assert_int_equal(judged("tools/call", "{'resultType':'input_required','requestState':'s'}", &input), ERR_OK);
    assert_true(input);
    assert_int_equal(judged("completion/complete", wanted, &input), ERR_UPSTREAM_GARBAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_carried_of_a_declaration_goes_on, scene_open, scene_close),
        cmocka_unit_test_setup_teardown(a_client_is_asked_what_it_offered, scene_open, scene_close),
        cmocka_unit_test_setup_teardown(a_result_that_wants_input_says_what_within_what_was_offered, scene_open,
                                        scene_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
