/* Access tokens: what they name, and what is not taken for one. */
#include "sessions.h"

#include "identity/token.h"

#define ISSUER   "https://gate.example"
#define AUDIENCE "https://gate.example/mcp"

struct bench {
    struct desk desk;
    char dir[64];
    struct keys *keys;
    struct token_cache *cache;
    struct lease *lease; /* a session, and a token for it */
    struct buf token;
};

static int enter(void **state)
{
    static struct bench b;
    struct session_wish w = {0};
    struct fault f = {0};
    b = (struct bench){.cache = token_cache_new()};
    folder_make(b.dir);
    desk_open(&b.desk, "{}");
    if (keys_open(b.dir, JOSE_ES256, &b.keys, &f))
        fail_msg("%s", f.text);
    b.lease = desk_session(&b.desk, &w);
    buf_init(&b.token, JOSE_TOKEN_MAX);
    assert_int_equal(token_mint(b.keys, b.lease, STR(ISSUER), STR(AUDIENCE), &b.token, &f), ERR_OK);
    *state = &b;
    return 0;
}

static int leave(void **state)
{
    struct bench *b = *state;
    buf_done(&b->token);
    lease_unref(b->lease);
    token_cache_free(b->cache);
    keys_free(b->keys);
    desk_close(&b->desk);
    folder_remove(b->dir);
    return 0;
}

static enum err verify_at(struct bench *b, struct str token, const char *issuer, const char *audience)
{
    struct lease *l = NULL;
    struct fault f;
    enum err e = token_verify(b->cache, b->keys, b->desk.leases, token, str_of(issuer), str_of(audience), &l, &f);
    assert_true((l != NULL) == (e == ERR_OK));
    lease_unref(l);
    return e;
}

static enum err verify(struct bench *b, struct str token)
{
    return verify_at(b, token, ISSUER, AUDIENCE);
}

/* Claims of the test's choice, signed with the gateway's own key. */
static enum err verify_claims(struct bench *b, const char *typ, const char *claims)
{
    struct buf t;
    struct fault f;
    char text[512];
    snprintf(text, sizeof(text), "%s", claims);
    buf_init(&t, JOSE_TOKEN_MAX);
    assert_int_equal(jose_sign(keys_signing(b->keys), typ, str_of(quotes(text)), &t, &f), ERR_OK);
    enum err e = verify(b, buf_view(&t));
    buf_done(&t);
    return e;
}

static void a_token_names_its_session_and_carries_what_rfc_9068_asks_for(void **state)
{
    struct bench *b = *state;
    struct arena a;
    struct jose_peek p;
    struct fault f;
    int64_t exp = 0, iat = 0;
    assert_int_equal(verify(b, buf_view(&b->token)), ERR_OK);
    arena_init(&a, 1u << 16);
    assert_int_equal(jose_peek(buf_view(&b->token), &a, &p, &f), ERR_OK);
    const struct json *j = &p.claims;
    assert_true(str_is(p.typ, "at+jwt") && str_is(p.alg, "ES256"));
    assert_true(json_str_is(j, json_get(j, JSON_ROOT, STR("iss")), STR(ISSUER)));
    assert_true(json_str_is(j, json_get(j, JSON_ROOT, STR("aud")), STR(AUDIENCE)));
    assert_true(json_str_is(j, json_get(j, JSON_ROOT, STR("sub")), STR("support-1")));
    assert_true(json_str_is(j, json_get(j, JSON_ROOT, STR("client_id")), STR("support-1")));
    assert_true(json_str_is(j, json_get(j, JSON_ROOT, STR("sid")), b->lease->sid));
    assert_true(json_str(j, json_get(j, JSON_ROOT, STR("jti")), &a).n > 10);
    assert_true(json_i64(j, json_get(j, JSON_ROOT, STR("exp")), &exp) &&
                json_i64(j, json_get(j, JSON_ROOT, STR("iat")), &iat));
    assert_in_range(exp - iat, 900, 901);
    arena_done(&a);
}

static void what_was_verified_once_is_refused_as_soon_as_the_session_is_over(void **state)
{
    struct bench *b = *state;
    assert_int_equal(verify(b, buf_view(&b->token)), ERR_OK);
    assert_int_equal(verify(b, buf_view(&b->token)), ERR_OK); /* from memory */
    assert_true(session_end(b->desk.sessions, b->lease->sid, STR_NONE, STR_NONE));
    assert_int_equal(verify(b, buf_view(&b->token)), ERR_SESSION_ENDED);
    token_cache_free(b->cache);
    b->cache = token_cache_new();
    assert_int_equal(verify(b, buf_view(&b->token)), ERR_SESSION_ENDED);
}

static void a_token_ends_with_its_session_though_it_is_remembered(void **state)
{
    struct bench *b = *state;
    assert_int_equal(verify(b, buf_view(&b->token)), ERR_OK);
    b->lease->expires_mono = clock_mono_ns(); /* its time is up */
    assert_int_equal(verify(b, buf_view(&b->token)), ERR_SESSION_ENDED);
}

static void a_session_that_is_over_is_not_kept_because_its_token_was_seen(void **state)
{
    struct bench *b = *state;
    struct session_wish w = {0};
    struct fault f;
    assert_int_equal(verify(b, buf_view(&b->token)), ERR_OK);
    unsigned seen = atomic_load(&b->lease->refs);
    session_end(b->desk.sessions, b->lease->sid, STR_NONE, STR("a test"));
    for (int i = 0; i < 300; i++) { /* others come and go */
        struct buf token;
        struct lease *l = desk_session(&b->desk, &w);
        buf_init(&token, JOSE_TOKEN_MAX);
        assert_int_equal(token_mint(b->keys, l, STR(ISSUER), STR(AUDIENCE), &token, &f), ERR_OK);
        assert_int_equal(verify(b, buf_view(&token)), ERR_OK);
        session_end(b->desk.sessions, l->sid, STR_NONE, STR("a test"));
        buf_done(&token);
        lease_unref(l);
    }
    assert_int_equal(atomic_load(&b->lease->refs), seen - 1);
    assert_int_equal(verify(b, buf_view(&b->token)), ERR_SESSION_ENDED);
}

static void a_token_of_another_issuer_audience_or_key_is_refused(void **state)
{
    struct bench *b = *state;
    struct jose_key *stranger = NULL;
    struct buf *t = &b->token, forged;
    struct fault f;
    assert_int_equal(verify_at(b, buf_view(t), "https://other.example", AUDIENCE), ERR_TOKEN);
    assert_int_equal(verify_at(b, buf_view(t), ISSUER, ISSUER), ERR_TOKEN);
    assert_int_equal(jose_key_generate(JOSE_ES256, &stranger, &f), ERR_OK);
    buf_init(&forged, JOSE_TOKEN_MAX);
    assert_int_equal(jose_sign(stranger, "at+jwt", STR("{}"), &forged, &f), ERR_OK);
    assert_int_equal(verify(b, buf_view(&forged)), ERR_TOKEN);
    /* any changed byte */
    for (size_t i = 0; i < t->n; i += 7) {
        char was = t->p[i];
        t->p[i] = was == 'A' ? 'B' : 'A';
        if (t->p[i] != was && verify(b, buf_view(t)) != ERR_TOKEN)
            fail_msg("byte %zu of the token does not matter", i);
        t->p[i] = was;
    }
    assert_int_equal(verify(b, buf_view(t)), ERR_OK);
    jose_key_free(stranger);
    buf_done(&forged);
}

static void what_the_gateway_signed_for_another_purpose_is_no_access_token(void **state)
{
    struct bench *b = *state;
    char good[512], agent[512], sid[512], late[512];
    long long now = (long long)clock_wall_ms() / 1000;
    static const char shape[] =
        "{'iss':'" ISSUER "','aud':'" AUDIENCE "','sub':'%s','sid':'%.*s','iat':%lld,'exp':%lld}";
    snprintf(good, sizeof(good), shape, "support-1", STR_ARG(b->lease->sid), now, now + 60);
    snprintf(agent, sizeof(agent), shape, "support-2", STR_ARG(b->lease->sid), now, now + 60);
    snprintf(sid, sizeof(sid), shape, "support-1", 6, "sess_0", now, now + 60);
    snprintf(late, sizeof(late), shape, "support-1", STR_ARG(b->lease->sid), now - 60, now);
    assert_int_equal(verify_claims(b, "at+jwt", good), ERR_OK);
    assert_int_equal(verify_claims(b, "JWT", good), ERR_TOKEN);
    assert_int_equal(verify_claims(b, "at+jwt", agent), ERR_TOKEN);
    assert_int_equal(verify_claims(b, "at+jwt", sid), ERR_SESSION_ENDED);
    assert_int_equal(verify_claims(b, "at+jwt", late), ERR_SESSION_ENDED);
    assert_int_equal(verify_claims(b, "at+jwt", "{'iss':'" ISSUER "','aud':'" AUDIENCE "','sub':'support-1'}"),
                     ERR_TOKEN);
    assert_int_equal(verify_claims(b, "at+jwt", "[]"), ERR_TOKEN);
}

static void nonsense_is_no_token(void **state)
{
    struct bench *b = *state;
    char longer[JOSE_TOKEN_MAX + 1];
    static const char *const texts[] = {"", ".", "..", "...", "a.b", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", " "};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(verify(b, str_of(texts[i])), ERR_TOKEN);
    memset(longer, 'a', sizeof(longer));
    assert_int_equal(verify(b, (struct str){longer, sizeof(longer)}), ERR_TOKEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_token_names_its_session_and_carries_what_rfc_9068_asks_for, enter, leave),
        cmocka_unit_test_setup_teardown(what_was_verified_once_is_refused_as_soon_as_the_session_is_over, enter, leave),
        cmocka_unit_test_setup_teardown(a_token_ends_with_its_session_though_it_is_remembered, enter, leave),
        cmocka_unit_test_setup_teardown(a_session_that_is_over_is_not_kept_because_its_token_was_seen, enter, leave),
        cmocka_unit_test_setup_teardown(a_token_of_another_issuer_audience_or_key_is_refused, enter, leave),
        cmocka_unit_test_setup_teardown(what_the_gateway_signed_for_another_purpose_is_no_access_token, enter, leave),
        cmocka_unit_test_setup_teardown(nonsense_is_no_token, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
