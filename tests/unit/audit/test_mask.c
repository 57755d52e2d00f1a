/* Which secrets of a call's arguments are not written down. JSON is written with ' for ". */
#include "../conf_of.h"
#include "record.h"

struct row {
    const char *in, *out; /* out NULL: as it came */
};

#define M "'[masked]'"

static const struct row by_name[] = {
    {"{'password':'hunter2'}", "{'password':" M "}"},
    {"{'a':{'b':[{'clientSecret':'x'}]},'c':1}", "{'a':{'b':[{'clientSecret':" M "}]},'c':1}"},
    {"{'api_key':'k','apiKey':'k','API-KEY':'k','x.api.key':'k','api key':'k','api/key':'k'}",
     "{'api_key':" M ",'apiKey':" M ",'API-KEY':" M ",'x.api.key':" M ",'api key':" M ",'api/key':" M "}"},
    {"{'token':'t','github_token':'t','access_token_2':'t','max_tokens':5,'tokens':7}",
     "{'token':" M ",'github_token':" M ",'access_token_2':" M ",'max_tokens':5,'tokens':7}"},
    {"{'Proxy-Authorization':'x','Set-Cookie':'x','cookies':'x'}",
     "{'Proxy-Authorization':" M ",'Set-Cookie':" M ",'cookies':" M "}"},
    {"{'credentials':{'user':'u','key':'k'}}", "{'credentials':" M "}"}, /* everything under it */
    {"{'secrets':['a','b'],'pin':1234,'password':null}", "{'secrets':" M ",'pin':" M ",'password':" M "}"},
    {"{'pass\\u0077ord':'x'}", "{'password':" M "}"},
    {"[{'name':'DB_PASSWORD','value':'x'},{'name':'PORT','value':'5432'}]",
     "[{'name':'DB_PASSWORD','value':" M "},{'name':'PORT','value':'5432'}]"},
    {"{'shipping':'x','opinion':'y','tokenizer':'z','secretary':'s'}",
     "{'shipping':'x','opinion':'y','tokenizer':'z','secretary':" M "}"}, /* rather one too many */
};

static const struct row by_value[] = {
    {"{'a':'Bearer abcdef0123456789'}", "{'a':" M "}"},
    {"{'a':'curl -H \\'authorization: bearer abcdef0123456789\\' x'}", "{'a':" M "}"},
    {"{'a':'Basic dXNlcjpwYXNz'}", "{'a':" M "}"},
    {"{'a':'Basic understanding'}", NULL},
    {"{'a':'Bearer of news'}", NULL},
    {"{'a':'sk-proj-0123456789abcdef'}", "{'a':" M "}"},
    {"{'a':'line\\nsk-proj-0123456789abcdef'}", "{'a':" M "}"},
    {"{'a':'sk-SK','b':'risk-0123456789abcdefgh'}", NULL},
    {"{'a':'ghp_0123456789abcdefghij','b':'AKIAIOSFODNN7EXAMPLE12'}", "{'a':" M ",'b':" M "}"},
    {"{'a':'-----BEGIN PRIVATE KEY-----\\nMII'}", "{'a':" M "}"},
    {"{'a':'eyJhbGciOiJFUzI1NiJ9.e30.sig'}", "{'a':" M "}"},
    {"{'a':'postgresql://app:pw@db/x'}", "{'a':" M "}"},
    {"{'a':'https://db:5432/a@b','b':'https://user@host/'}", NULL},
    {"['ghp_0123456789abcdefghij',['ok']]", "[" M ",['ok']]"},
    {"'ghp_0123456789abcdefghij'", M},
    {"{}", NULL},
    {"{'order':'ord_8fk2','note':'a word','n':1.50,'list':[true,null,{}]}", NULL},
};

static void masks(struct record *r, const struct row *row)
{
    struct arena a;
    struct buf scratch;
    arena_init(&a, 1 << 20);
    buf_init(&scratch, 1 << 20);
    char *in = quotes(strdup(row->in)), *out = quotes(strdup(row->out ? row->out : row->in));
    for (char *c = in; (c = strstr(c, "\\\"")); *c = '\'') /* what was meant is a plain apostrophe */
        memmove(c, c + 1, strlen(c));
    struct str got = audit_mask(r->audit, NULL, 0, str_of(in), &a, &scratch);
    if (!str_is(got, out))
        fail_msg("%s becomes " STR_FMT ", not %s", in, STR_ARG(got), out);
    if (!row->out)
        assert_ptr_equal(got.p, in);
    struct json doc; /* the same when the document is at hand */
    assert_int_equal(json_parse(&doc, str_of(in), &a, NULL, NULL), ERR_OK);
    assert_true(str_is(audit_mask(r->audit, &doc, JSON_ROOT, str_of(in), &a, &scratch), out));
    free(in);
    free(out);
    buf_done(&scratch);
    arena_done(&a);
}

static void members_with_a_secret_s_name_are_masked(void **state)
{
    record_open(*state);
    for (size_t i = 0; i < sizeof(by_name) / sizeof(by_name[0]); i++)
        masks(*state, &by_name[i]);
}

static void values_that_look_like_a_credential_are_masked(void **state)
{
    record_open(*state);
    for (size_t i = 0; i < sizeof(by_value) / sizeof(by_value[0]); i++)
        masks(*state, &by_value[i]);
}

/* Texts are looked through in steps of 16 bytes. */
static void a_credential_is_found_wherever_it_stands(void **state)
{
    record_open(*state);
    static const char *const credentials[] = {"ghp_0123456789abcdefghij", "Bearer abcdefgh", "://app:pw@"};
    char in[256], out[256];
    for (size_t c = 0; c < 3; c++)
        for (int before = 0; before < 50; before++)
            for (int after = 0; after < 20; after++) {
                const char *lead = credentials[c][0] == ':' || before == 0 ? "" : " ";
                snprintf(in, sizeof(in), "'%.*s%s%s%.*s'", before,
                         "....................................................", lead, credentials[c], after,
                         "                    ");
                snprintf(out, sizeof(out), "'[masked]'");
                masks(*state, &(struct row){in, out});
            }
    for (int before = 1; before < 50; before++) { /* in the middle of a word it is none */
        snprintf(in, sizeof(in), "'%.*sghp_0123456789abcdefghij'", before,
                 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
        masks(*state, &(struct row){in, NULL});
    }
}

static void names_of_the_configuration_are_masked_after_a_reload(void **state)
{
    struct record *r = *state;
    static const struct row before = {"{'iban':'DE02','home address':'x'}", NULL};
    static const struct row after = {"{'iban':'DE02','home address':'x'}", "{'iban':" M ",'home address':" M "}"};
    struct conf *c = conf_of("audit: { mask: [IBAN, '*_address'] }");
    record_open(r);
    masks(r, &before);
    audit_conf(r->audit, c);
    masks(r, &after);
    conf_unref(c);
}

static void a_name_too_long_to_be_compared_is_masked(void **state)
{
    char in[1200], out[1200];
    snprintf(in, sizeof(in), "{'%0600d':1}", 0);
    snprintf(out, sizeof(out), "{'%0600d':" M "}", 0);
    record_open(*state);
    masks(*state, &(struct row){in, out});
}

static void what_cannot_be_masked_within_bounds_is_not_shown(void **state)
{
    struct record *r = *state;
    static const char text[] = "{\"password\":\"hunter2\",\"b\":\"0123456789\"}";
    struct arena a;
    struct buf scratch;
    record_open(r);
    arena_init(&a, 1 << 20);
    buf_init(&scratch, 16); /* too small for the answer */
    assert_true(str_is(audit_mask(r->audit, NULL, 0, str_of(text), &a, &scratch), "\"[masked]\""));
    arena_done(&a);
    arena_init(&a, 16); /* no memory to read it */
    assert_true(str_is(audit_mask(r->audit, NULL, 0, str_of(text), &a, &scratch), "\"[masked]\""));
    arena_done(&a);
    buf_done(&scratch);
}

int main(void)
{
#define SCENE(name) cmocka_unit_test_setup_teardown(name, record_setup, record_teardown)
    const struct CMUnitTest tests[] = {
        SCENE(members_with_a_secret_s_name_are_masked),  SCENE(values_that_look_like_a_credential_are_masked),
        SCENE(a_credential_is_found_wherever_it_stands), SCENE(names_of_the_configuration_are_masked_after_a_reload),
        SCENE(a_name_too_long_to_be_compared_is_masked), SCENE(what_cannot_be_masked_within_bounds_is_not_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
