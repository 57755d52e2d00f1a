/*
 * conformance_jose DIR: runs the JSON Web Signature and Key vectors of Project Wycheproof in DIR (json_web_*_test.json)
 * through src/jose. Prints each failing case as "file: group: case" and, last, "N passed, N failed". Exit code 1 when
 * any failed, 2 when there is nothing to run. No case is left out: a file of fewer cases than it says has failed.
 *
 * ES256 and EdDSA tokens must be judged as the vector says. For every other algorithm (HMAC, RSA, ES512, none, JWE) the
 * key and the token must be refused, whatever the vector says. Every token is offered to keys of its own group and to
 * two keys that never signed anything; a key whose private half is given must sign what its public half takes.
 */
#include "jose/jose.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

enum { KEYS_MAX = 8 };

struct group {
    const char *file;
    struct json *json;
    uint32_t node;
    struct arena *arena;
    struct jose_key *key[KEYS_MAX]; /* those of the group that we take */
    size_t keys;
};

static unsigned passed, failed;
static struct {
    char alg[24];
    unsigned cases;
} others[32]; /* algorithms that we do not speak */
static struct jose_key *strangers[2];

static void count(const struct group *g, struct str name, bool good, const char *what)
{
    if (good) {
        passed++;
        return;
    }
    failed++;
    struct str group = json_str(g->json, json_get(g->json, g->node, STR("comment")), g->arena);
    printf("%s: " STR_FMT ": " STR_FMT ": %s\n", g->file, STR_ARG(group), STR_ARG(name), what);
}

static bool text_is(const struct json *j, uint32_t object, const char *key, const char *value)
{
    return json_str_is(j, json_get(j, object, str_of(key)), str_of(value));
}

/* By the words of the key alone: is it one that we speak? */
static bool spoken(const struct json *j, uint32_t key)
{
    bool ec = text_is(j, key, "kty", "EC") && text_is(j, key, "crv", "P-256") && text_is(j, key, "alg", "ES256");
    bool ed = text_is(j, key, "kty", "OKP") && text_is(j, key, "crv", "Ed25519") && text_is(j, key, "alg", "EdDSA");
    return ec || ed;
}

/* What a private key signs, its public half takes. */
static bool round_trip(const struct group *g, struct str private_jwk)
{
    struct buf token;
    struct str payload;
    struct fault f;
    struct jose_key *k CLEANUP(jose_key_freep) = NULL;
    bool good = false;
    buf_init(&token, JOSE_TOKEN_MAX);
    if (jose_key_parse(private_jwk, false, &k, &f) == ERR_OK && jose_key_private(k) &&
        jose_sign(k, "JWT", STR("{}"), &token, &f) == ERR_OK)
        for (size_t i = 0; i < g->keys; i++)
            good |= jose_verify(g->key[i], buf_view(&token), "jwt", g->arena, &payload, &f) == ERR_OK;
    buf_done(&token);
    return good;
}

static void key_add(struct group *g, uint32_t key, bool invalid)
{
    struct fault f = {0};
    struct jose_key *k = NULL;
    enum err e = jose_key_parse(json_raw(g->json, key), false, &k, &f);
    if (!spoken(g->json, key))
        count(g, STR("key"), e != ERR_OK, "a key that is not for ES256 or EdDSA is taken");
    else if (!invalid)
        count(g, STR("key"), e == ERR_OK, f.text);
    if (!e && g->keys < KEYS_MAX)
        g->key[g->keys++] = k;
    else
        jose_key_free(k);
}

/* `keys` is one key or a set. */
static void keys_add(struct group *g, uint32_t keys, bool invalid)
{
    uint32_t set = json_get(g->json, keys, STR("keys"));
    if (!set)
        key_add(g, keys, invalid);
    JSON_EACH(g->json, set, key)
    key_add(g, key, invalid);
}

static bool any_valid(const struct json *j, uint32_t tests)
{
    JSON_EACH(j, tests, t)
    if (text_is(j, t, "result", "valid"))
        return true;
    return false;
}

static bool taken(const struct jose_key *k, struct str token, struct arena *a)
{
    struct str payload;
    struct fault f;
    return jose_verify(k, token, NULL, a, &payload, &f) == ERR_OK;
}

static void test_run(struct group *g, uint32_t test, bool speaks)
{
    const struct json *j = g->json;
    uint32_t jws = json_get(j, test, STR("jws"));
    struct str name = json_str(j, json_get(j, test, STR("comment")), g->arena);
    struct str token = json_str(j, jws ? jws : json_get(j, test, STR("jwe")), g->arena);
    if (json_type(j, jws) == JSON_OBJECT)
        token = json_raw(j, jws); /* the JSON serialisation */
    bool got = false, stranger = taken(strangers[0], token, g->arena) || taken(strangers[1], token, g->arena);
    for (size_t i = 0; i < g->keys; i++)
        got |= taken(g->key[i], token, g->arena);
    bool want = speaks && jws && text_is(j, test, "result", "valid");
    if (speaks && text_is(j, test, "result", "acceptable"))
        want = got;
    count(g, name, got == want && !stranger,
          stranger ? "taken by a key that signed nothing"
          : got    ? "is taken"
                   : "is refused");
}

/* Cases whose vector's own verdict was not asked: every token of another algorithm must be refused. */
static void other_count(const struct json *j, uint32_t key, uint32_t tests, struct arena *a)
{
    struct str alg = json_str(j, json_get(j, key, STR("alg")), a);
    size_t i = 0;
    if (!alg.n)
        alg = STR("none given");
    while (i < sizeof(others) / sizeof(others[0]) - 1 && others[i].alg[0] && !str_is(alg, others[i].alg))
        i++;
    snprintf(others[i].alg, sizeof(others[i].alg), STR_FMT, STR_ARG(alg));
    others[i].cases += j->node[tests].size;
}

static void group_run(const char *file, struct json *j, uint32_t node, struct arena *a)
{
    struct group g = {.file = file, .json = j, .node = node, .arena = a};
    uint32_t public = json_get(j, node, STR("public")), private = json_get(j, node, STR("private"));
    uint32_t keys = public ? public : private, tests = json_get(j, node, STR("tests"));
    bool speaks =
        spoken(j, keys) || (json_get(j, keys, STR("keys")) && spoken(j, json_first(j, json_get(j, keys, STR("keys")))));
    if (!speaks) {
        uint32_t set = json_get(j, keys, STR("keys"));
        other_count(j, set ? json_first(j, set) : keys, tests, a);
    }
    keys_add(&g, keys, !any_valid(j, tests));
    if (public && private && spoken(j, private) && any_valid(j, tests))
        count(&g, STR("sign and verify"), round_trip(&g, json_raw(j, private)), "the public half refuses");
    JSON_EACH(j, tests, t)
    test_run(&g, t, speaks);
    for (size_t i = 0; i < g.keys; i++)
        jose_key_free(g.key[i]);
}

static void file_run(const char *dir, const char *name)
{
    char path[4096], *text = NULL;
    size_t cap = 0;
    struct arena a;
    struct json j;
    struct fault f = {0};
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *in = fopen(path, "rb");
    ssize_t n = in ? getdelim(&text, &cap, -1, in) : -1;
    arena_init(&a, 256u << 20);
    if (n < 0 || json_parse(&j, (struct str){text, (size_t)n}, &a, NULL, &f)) {
        printf("%s: cannot be read %s\n", name, f.text);
        failed++;
    } else {
        int64_t said = -1, cases = 0;
        JSON_EACH(&j, json_get(&j, JSON_ROOT, STR("testGroups")), g)
        {
            group_run(name, &j, g, &a);
            cases += j.node[json_get(&j, g, STR("tests"))].size;
        }
        if (!json_i64(&j, json_get(&j, JSON_ROOT, STR("numberOfTests")), &said) || said != cases || !cases) {
            printf("%s: ran %lld cases, but it says %lld\n", name, (long long)cases, (long long)said);
            failed++;
        }
    }
    if (in)
        fclose(in);
    arena_done(&a);
    free(text);
}

static int is_vectors(const struct dirent *d)
{
    return str_starts(str_of(d->d_name), STR("json_web_")) && str_ends(str_of(d->d_name), STR("_test.json"));
}

int main(int argc, char **argv)
{
    struct dirent **list;
    struct fault f;
    if (argc != 2) {
        fprintf(stderr, "usage: conformance_jose DIR\n");
        return 2;
    }
    if (jose_key_generate(JOSE_EDDSA, &strangers[0], &f) || jose_key_generate(JOSE_ES256, &strangers[1], &f)) {
        fprintf(stderr, "%s\n", f.text);
        return 2;
    }
    int n = scandir(argv[1], &list, is_vectors, alphasort);
    for (int i = 0; i < n; i++) {
        file_run(argv[1], list[i]->d_name);
        free(list[i]);
    }
    if (n >= 0)
        free(list);
    jose_key_free(strangers[0]);
    jose_key_free(strangers[1]);
    if (n <= 0)
        fprintf(stderr, "no json_web_*_test.json in %s\n", argv[1]);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]) && others[i].cases; i++)
        printf("%s: %u cases, all of which must be refused: not an algorithm of ours\n", others[i].alg,
               others[i].cases);
    printf("%u passed, %u failed\n", passed, failed);
    return failed ? 1 : passed ? 0 : 2;
}
