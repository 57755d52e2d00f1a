/* What Chromium's authenticator made and signed is taken; changed, elsewhere, twice or for another key it is not. The
 * many ways of bad are compared with another implementation in tests/integration/passkey.test.mjs. */
#include "vectors.h"

#include <stdlib.h>

static struct arena arena;

static int begin(void **state)
{
    (void)state;
    arena_init(&arena, 1u << 20);
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

static struct passkey_new made(const struct vector *v)
{
    struct passkey_new n;
    struct fault f = {0};
    if (passkey_register(&vector_party, vector_challenge(&arena), json_of(&arena, v->created),
                         bytes_of(&arena, v->object), &arena, &n, &f))
        fail_msg("%s", f.text);
    return n;
}

static struct jose_key *key_of(const struct passkey_new *n)
{
    struct jose_key *k = NULL;
    struct fault f = {0};
    if (jose_key_parse(n->jwk, true, &k, &f))
        fail_msg("%s", f.text);
    return k;
}

static void a_new_passkey_is_taken_with_its_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        struct passkey_new n = made(&vectors[i]);
        struct jose_key *k = key_of(&n);
        assert_true(str_eq(n.id, bytes_of(&arena, vectors[i].id)));
        assert_int_equal(jose_key_alg(k), vectors[i].alg);
        assert_false(jose_key_private(k));
        assert_int_equal(n.count, 1);
        assert_false(n.may_back_up);
        jose_key_free(k);
    }
}

static void what_it_signs_is_taken_while_its_count_grows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        struct passkey_new n = made(&vectors[i]);
        struct jose_key *k = key_of(&n);
        struct passkey_known known = {.key = k, .count = n.count};
        struct fault f;
        for (int s = 0; s < 2; s++) {
            struct passkey_proof p = vector_proof(&arena, &vectors[i], s);
            uint32_t count = 0;
            assert_int_equal(passkey_assert(&vector_party, vector_challenge(&arena), &known, &p, &arena, &count, &f),
                             ERR_OK);
            assert_int_equal(count, s + 2);
            known.count = count;
            assert_int_equal(passkey_assert(&vector_party, vector_challenge(&arena), &known, &p, &arena, &count, &f),
                             ERR_PASSKEY);
            assert_non_null(strstr(f.text, "count of signatures did not grow"));
        }
        jose_key_free(k);
    }
}

static void another_key_has_not_signed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        struct passkey_new n = made(&vectors[!i]);
        struct jose_key *k = key_of(&n);
        struct passkey_known known = {.key = k};
        struct passkey_proof p = vector_proof(&arena, &vectors[i], 0);
        struct fault f;
        uint32_t count = 7;
        assert_int_equal(passkey_assert(&vector_party, vector_challenge(&arena), &known, &p, &arena, &count, &f),
                         ERR_PASSKEY);
        assert_string_equal(f.text, "the signature is not that of this passkey");
        assert_int_equal(count, 7);
        jose_key_free(k);
    }
}

static void only_this_party_takes_it(void **state)
{
    (void)state;
    const struct passkey_party others[] = {
        {STR("localhost"), STR("http://localhost:8422")},
        {STR("localhost"), STR("https://localhost:8421")},
        {STR("localhost"), STR("http://gate.localhost:8421")},
        {STR("gate.localhost"), STR("http://localhost:8421")},
        {STR("localhos"), STR("http://localhost:8421")},
        {STR(""), STR("http://localhost:8421")},
        {STR("localhost"), STR("")},
    };
    const struct vector *v = &vectors[0];
    struct passkey_new n;
    struct fault f;
    for (size_t i = 0; i < COUNT(others); i++)
        assert_int_equal(passkey_register(&others[i], vector_challenge(&arena), json_of(&arena, v->created),
                                          bytes_of(&arena, v->object), &arena, &n, &f),
                         ERR_PASSKEY);
}

static void cut_anywhere_it_is_none(void **state)
{
    (void)state;
    const struct vector *v = &vectors[0];
    struct str object = bytes_of(&arena, v->object), client = json_of(&arena, v->created);
    struct passkey_new n;
    struct fault f;
    for (size_t cut = 0; cut < object.n; cut++) /* a copy of that size, so that a sanitizer sees every byte too many */
    {
        char *exact = malloc(cut + 1);
        memcpy(exact, object.p, cut);
        exact = realloc(exact, cut ? cut : 1);
        assert_int_equal(
            passkey_register(&vector_party, vector_challenge(&arena), client, (struct str){exact, cut}, &arena, &n, &f),
            ERR_PASSKEY);
        free(exact);
    }
    for (size_t cut = 0; cut < client.n; cut++)
        assert_int_equal(passkey_register(&vector_party, vector_challenge(&arena), (struct str){client.p, cut}, object,
                                          &arena, &n, &f),
                         ERR_PASSKEY);
}

static void nothing_at_all_is_refused(void **state)
{
    (void)state;
    struct passkey_new n = made(&vectors[0]);
    struct jose_key *k = key_of(&n);
    struct passkey_known known = {.key = k};
    struct passkey_proof none = {STR_NONE, STR_NONE, STR_NONE, STR_NONE}, p = vector_proof(&arena, &vectors[0], 0);
    struct str challenge = vector_challenge(&arena);
    struct fault f;
    uint32_t count;
    assert_int_equal(passkey_register(&vector_party, challenge, STR_NONE, STR_NONE, &arena, &n, &f), ERR_PASSKEY);
    assert_int_equal(
        passkey_register(&vector_party, challenge, json_of(&arena, vectors[0].created), STR_NONE, &arena, &n, &f),
        ERR_PASSKEY);
    assert_int_equal(passkey_assert(&vector_party, challenge, &known, &none, &arena, &count, &f), ERR_PASSKEY);
    p.signature = STR_NONE;
    assert_int_equal(passkey_assert(&vector_party, challenge, &known, &p, &arena, &count, &f), ERR_PASSKEY);
    p.authenticator_data = STR_NONE;
    assert_int_equal(passkey_assert(&vector_party, challenge, &known, &p, &arena, &count, &f), ERR_PASSKEY);
    assert_int_equal(passkey_assert(&vector_party, STR_NONE, &known, &p, &arena, &count, &f), ERR_PASSKEY);
    jose_key_free(k);
}

/* Whatever the size of the arena: taken, or no memory; never "refused". */
static void a_full_arena_says_so(void **state)
{
    (void)state;
    const struct vector *v = &vectors[0];
    struct passkey_new n = made(v);
    struct jose_key *k = key_of(&n);
    struct passkey_known known = {.key = k};
    struct passkey_proof p = vector_proof(&arena, v, 0);
    struct str challenge = vector_challenge(&arena), client = json_of(&arena, v->created),
               object = bytes_of(&arena, v->object);
    struct fault f;
    uint32_t count;
    int taken = 0, short_of = 0;
    for (size_t cap = 0; cap < 16384; cap += 64) {
        struct arena small;
        arena_init_small(&small, cap);
        enum err e = passkey_register(&vector_party, challenge, client, object, &small, &n, &f);
        arena_reset(&small);
        enum err g = passkey_assert(&vector_party, challenge, &known, &p, &small, &count, &f);
        arena_done(&small);
        assert_true((!e || e == ERR_NOMEM) && (!g || g == ERR_NOMEM));
        taken += !e + !g;
        short_of += !!e + !!g;
    }
    assert_true(taken && short_of);
    jose_key_free(k);
}

#define scene(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene(a_new_passkey_is_taken_with_its_key),
        scene(what_it_signs_is_taken_while_its_count_grows),
        scene(another_key_has_not_signed),
        scene(only_this_party_takes_it),
        scene(cut_anywhere_it_is_none),
        scene(nothing_at_all_is_refused),
        scene(a_full_arena_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
