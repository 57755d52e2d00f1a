/* Who may be registered, what is kept of it, and what a key proves. */
#include "registry.h"

#include <pthread.h>

static int open_registry(void **state)
{
    static struct registry r;
    registry_open(&r);
    *state = &r;
    return 0;
}

static int close_registry(void **state)
{
    registry_done(*state);
    return 0;
}

static void refused(struct registry *r, const struct agent_wish *w, enum err want, const char *word)
{
    struct fault f = {0};
    enum err e = register_agent(r, w, &f);
    if (e != want || !strstr(f.text, word))
        fail_msg("wanted %s with \"%s\", got %s: %s", err_code(want), word, err_code(e), f.text);
}

static void everything_survives_a_restart(void **state)
{
    struct registry *r = *state;
    struct fault f;
    char jwk[512];
    struct str allowed[] = {STR("desk/lookup_order"), STR("desk/search_faq")}, denied[] = {STR("desk/delete_*")};
    int64_t expires = clock_wall_ms() + 3600000;
    key_text(jwk);
    struct agent_wish w = wish_of("support-1", jwk);
    w.env = STR("staging");
    w.expires = expires;
    w.max_sessions = 7;
    w.allowed = (struct conf_strings){allowed, 2, true};
    w.denied = (struct conf_strings){denied, 1, true};
    assert_int_equal(register_agent(r, &w, &f), ERR_OK);
    registry_restart(r);
    struct agent *a = agents_find(r->agents, STR("support-1"));
    assert_non_null(a);
    assert_true(str_is(a->type, "support") && str_is(a->version, "2.4.1") && str_is(a->owner, "support-team"));
    assert_true(str_is(a->env, "staging"));
    assert_int_equal(a->expires, expires);
    assert_int_equal(a->max_sessions, 7);
    assert_int_equal(a->allowed.n, 2);
    assert_true(str_is(a->allowed.v[1], "desk/search_faq"));
    assert_true(agent_denies(a, STR("desk/delete_account")) && !agent_denies(a, STR("desk/lookup_order")));
    assert_int_equal(a->key_count, 1);
    assert_true(a->enabled && a->created > 0);
    agent_unref(a);
}

static void expiry_is_mandatory_and_bounded(void **state)
{
    struct registry *r = *state;
    struct fault f;
    char jwk[512];
    key_text(jwk);
    struct agent_wish w = wish_of("bounded", jwk);
    w.expires = clock_wall_ms() - 1;
    refused(r, &w, ERR_PARAMS, "expiresAt");
    w.expires = clock_wall_ms() + INT64_C(30) * 86400000 + 5000;
    refused(r, &w, ERR_PARAMS, "expiresAt");
    w.expires = INT64_MAX;
    refused(r, &w, ERR_PARAMS, "expiresAt");
    w.expires = 0; /* not given: the configuration's, never none */
    assert_int_equal(register_agent(r, &w, &f), ERR_OK);
    struct agent *a = agents_find(r->agents, STR("bounded"));
    assert_in_range(a->expires, clock_wall_ms() + 86390000, clock_wall_ms() + 86400000);
    assert_int_equal(agent_usable(a, a->expires - 1, &f), ERR_OK);
    assert_int_equal(agent_usable(a, a->expires, &f), ERR_CLIENT_AUTH);
    agent_unref(a);
}

static void two_agents_never_share_a_key(void **state)
{
    struct registry *r = *state;
    struct fault f;
    struct agent *a = NULL;
    char first[512], second[512];
    key_text(first);
    key_text(second);
    struct agent_wish one = wish_of("one", first), two = wish_of("two", first);
    assert_int_equal(register_agent(r, &one, &f), ERR_OK);
    refused(r, &two, ERR_EXISTS, "key");
    assert_null(agents_find(r->agents, STR("two")));
    /* retired: still nobody else's, nor its own again */
    assert_int_equal(agents_rotate(r->agents, STR("one"), str_of(second), 0, &a, &f), ERR_OK);
    agent_unref(a);
    refused(r, &two, ERR_EXISTS, "key");
    assert_int_equal(agents_rotate(r->agents, STR("one"), str_of(first), 0, &a, &f), ERR_EXISTS);
    /* the agent is gone: its keys stay known, after a restart too */
    assert_int_equal(agents_delete(r->agents, STR("one"), &f), ERR_OK);
    registry_restart(r);
    refused(r, &two, ERR_EXISTS, "key");
    two.jwk = str_of(second);
    refused(r, &two, ERR_EXISTS, "key");
}

/* Members in another order, with a kid of its own choice, are the same key. */
static void a_key_in_other_clothes_is_the_same_key(void **state)
{
    struct registry *r = *state;
    struct fault f;
    char jwk[512], x[64], other[512];
    key_text(jwk);
    struct agent_wish one = wish_of("plain", jwk);
    assert_int_equal(register_agent(r, &one, &f), ERR_OK);
    assert_int_equal(sscanf(strstr(jwk, "\"x\":\""), "\"x\":\"%43s", x), 1);
    snprintf(other, sizeof(other), "{ \"kid\":\"mine\", \"x\":\"%s\", \"kty\":\"OKP\", \"crv\":\"Ed25519\"}", x);
    struct agent_wish two = wish_of("disguised", other);
    refused(r, &two, ERR_EXISTS, "key");
}

struct racer {
    struct registry *r;
    const char *jwk;
    pthread_barrier_t *start;
    unsigned number;
    enum err e;
};

static void *race(void *p)
{
    struct racer *me = p;
    struct fault f;
    char id[32];
    snprintf(id, sizeof(id), "racer-%u", me->number);
    struct agent_wish w = wish_of(id, me->jwk);
    pthread_barrier_wait(me->start);
    me->e = register_agent(me->r, &w, &f);
    return NULL;
}

static void of_many_that_register_one_key_at_once_one_gets_it(void **state)
{
    enum { RACERS = 8 };
    struct racer racer[RACERS];
    pthread_t thread[RACERS];
    pthread_barrier_t start;
    char jwk[512];
    unsigned won = 0;
    key_text(jwk);
    pthread_barrier_init(&start, NULL, RACERS);
    for (unsigned i = 0; i < RACERS; i++) {
        racer[i] = (struct racer){*state, jwk, &start, i, ERR_OK};
        pthread_create(&thread[i], NULL, race, &racer[i]);
    }
    for (unsigned i = 0; i < RACERS; i++) {
        pthread_join(thread[i], NULL);
        assert_true(racer[i].e == ERR_OK || racer[i].e == ERR_EXISTS);
        won += racer[i].e == ERR_OK;
    }
    pthread_barrier_destroy(&start);
    assert_int_equal(won, 1);
}

static void a_private_key_is_not_taken(void **state)
{
    struct registry *r = *state;
    struct fault f;
    char jwk[512], text[512];
    struct secret *s = NULL;
    struct jose_key *k = key_of(JOSE_ES256, jwk);
    assert_int_equal(jose_key_write_private(k, &s, &f), ERR_OK);
    snprintf(text, sizeof(text), "%.*s", (int)secret_len(s), (const char *)secret_bytes(s));
    struct agent_wish w = wish_of("careless", text);
    refused(r, &w, ERR_PARAMS, "private key");
    secret_free(s);
    jose_key_free(k);
}

static void members_are_judged_one_by_one(void **state)
{
    struct registry *r = *state;
    char jwk[512];
    key_text(jwk);
    static const struct {
        struct str id, type, version, owner, env, tool, deny;
        const char *word;
    } cases[] = {
        {{"UPPER", 5}, STR("t"), STR("1"), STR("o"), {0}, {0}, {0}, "agentId"},
        {{"-first", 6}, STR("t"), STR("1"), STR("o"), {0}, {0}, {0}, "agentId"},
        {{"zero\0byte", 9}, STR("t"), STR("1"), STR("o"), {0}, {0}, {0}, "agentId"},
        {{"sp ace", 6}, STR("t"), STR("1"), STR("o"), {0}, {0}, {0}, "agentId"},
        {{"x", 1}, {0}, STR("1"), STR("o"), {0}, {0}, {0}, "agentType"},
        {{"x", 1}, STR("t"), {0}, STR("o"), {0}, {0}, {0}, "version"},
        {{"x", 1}, STR("t"), {"1\0", 2}, STR("o"), {0}, {0}, {0}, "version"},
        {{"x", 1}, STR("t"), STR("1"), {0}, {0}, {0}, {0}, "owner"},
        {{"x", 1}, STR("t"), STR("1"), STR("o"), {"home", 4}, {0}, {0}, "deploymentEnv"},
        {{"x", 1}, STR("t"), STR("1"), STR("o"), {0}, {"lookup", 6}, {0}, "allowedTools[0]"},
        {{"x", 1}, STR("t"), STR("1"), STR("o"), {0}, {"desk/", 5}, {0}, "allowedTools[0]"},
        {{"x", 1}, STR("t"), STR("1"), STR("o"), {0}, {"desk/a:b", 8}, {0}, "allowedTools[0]"},
        {{"x", 1}, STR("t"), STR("1"), STR("o"), {0}, {"desk/*", 6}, {0}, "denied tools only"},
        {{"x", 1}, STR("t"), STR("1"), STR("o"), {0}, {0}, {"*", 1}, "deniedTools[0]"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct str tool = cases[i].tool, deny = cases[i].deny;
        struct agent_wish w = {.id = cases[i].id,
                               .type = cases[i].type,
                               .version = cases[i].version,
                               .owner = cases[i].owner,
                               .env = cases[i].env,
                               .jwk = str_of(jwk),
                               .allowed = {&tool, tool.n > 0, true},
                               .denied = {&deny, deny.n > 0, true}};
        refused(r, &w, ERR_PARAMS, cases[i].word);
    }
}

static void after_a_rotation_the_old_key_proves_for_the_overlap_only(void **state)
{
    struct registry *r = *state;
    struct fault f;
    struct agent *a = NULL;
    char old_jwk[512], new_jwk[512];
    struct jose_key *old_key = key_of(JOSE_EDDSA, old_jwk), *new_key = key_of(JOSE_ES256, new_jwk);
    struct agent_wish w = wish_of("turning", old_jwk);
    assert_int_equal(register_agent(r, &w, &f), ERR_OK);
    int64_t before = clock_wall_ms();
    assert_int_equal(agents_rotate(r->agents, STR("turning"), str_of(new_jwk), 60000, &a, &f), ERR_OK);
    agent_unref(a);
    for (unsigned restarted = 0; restarted < 2; restarted++) {
        a = agents_find(r->agents, STR("turning"));
        assert_int_equal(a->key_count, 2);
        const struct agent_key *was = &a->key[0], *is = &a->key[1];
        assert_string_equal(jose_key_thumbprint(was->key), jose_key_thumbprint(old_key));
        assert_string_equal(jose_key_thumbprint(is->key), jose_key_thumbprint(new_key));
        assert_true(agent_key_proves(was, str_of(jose_key_thumbprint(old_key)), before + 59000));
        assert_true(agent_key_proves(was, STR_NONE, before + 59000));
        assert_false(agent_key_proves(was, STR_NONE, before + 61000));
        assert_true(agent_key_proves(is, str_of(jose_key_thumbprint(new_key)), before + 61000));
        assert_false(agent_key_proves(is, str_of(jose_key_thumbprint(old_key)), before));
        agent_unref(a);
        registry_restart(r);
    }
    jose_key_free(old_key);
    jose_key_free(new_key);
}

static void a_second_rotation_never_prolongs_a_key(void **state)
{
    struct registry *r = *state;
    struct fault f;
    struct agent *a = NULL;
    char jwk[3][512];
    for (unsigned i = 0; i < 3; i++)
        key_text(jwk[i]);
    struct agent_wish w = wish_of("twice", jwk[0]);
    assert_int_equal(register_agent(r, &w, &f), ERR_OK);
    assert_int_equal(agents_rotate(r->agents, STR("twice"), str_of(jwk[1]), 1000, &a, &f), ERR_OK);
    int64_t retires = a->key[0].retires;
    agent_unref(a);
    assert_int_equal(agents_rotate(r->agents, STR("twice"), str_of(jwk[2]), 3600000, &a, &f), ERR_OK);
    assert_int_equal(a->key[0].retires, retires);
    agent_unref(a);
    registry_restart(r);
    a = agents_find(r->agents, STR("twice"));
    assert_int_equal(a->key[0].retires, retires);
    agent_unref(a);
}

static void disabling_is_kept_and_a_holder_of_the_old_version_learns_of_it(void **state)
{
    struct registry *r = *state;
    struct fault f;
    struct agent *now = NULL;
    char jwk[512];
    key_text(jwk);
    struct agent_wish w = wish_of("paused", jwk);
    assert_int_equal(register_agent(r, &w, &f), ERR_OK);
    struct agent *held = agents_find(r->agents, STR("paused"));
    assert_false(held->replaced);
    assert_int_equal(agents_enable(r->agents, STR("paused"), false, &now, &f), ERR_OK);
    assert_true(held->replaced);
    assert_false(now->replaced);
    assert_int_equal(agent_usable(now, clock_wall_ms(), &f), ERR_CLIENT_AUTH);
    agent_unref(held);
    agent_unref(now);
    registry_restart(r);
    held = agents_find(r->agents, STR("paused"));
    assert_false(held->enabled);
    assert_int_equal(agents_delete(r->agents, STR("paused"), &f), ERR_OK);
    assert_true(held->replaced);
    agent_unref(held);
    assert_int_equal(agents_delete(r->agents, STR("paused"), &f), ERR_NOT_FOUND);
    assert_int_equal(agents_enable(r->agents, STR("paused"), true, &now, &f), ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_survives_a_restart),
        cmocka_unit_test(expiry_is_mandatory_and_bounded),
        cmocka_unit_test(two_agents_never_share_a_key),
        cmocka_unit_test(a_key_in_other_clothes_is_the_same_key),
        cmocka_unit_test(of_many_that_register_one_key_at_once_one_gets_it),
        cmocka_unit_test(a_private_key_is_not_taken),
        cmocka_unit_test(members_are_judged_one_by_one),
        cmocka_unit_test(after_a_rotation_the_old_key_proves_for_the_overlap_only),
        cmocka_unit_test(a_second_rotation_never_prolongs_a_key),
        cmocka_unit_test(disabling_is_kept_and_a_holder_of_the_old_version_learns_of_it),
    };
    return cmocka_run_group_tests(tests, open_registry, close_registry);
}
