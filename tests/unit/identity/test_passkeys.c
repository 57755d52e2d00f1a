/* Passkeys of people: what is kept over a restart, whose they are, and that one is used up by its count. */
#include "../folder.h"
#include "../passkey/vectors.h"

#include "identity/passkeys.h"

#include <pthread.h>
#include <sqlite3.h>

struct world {
    char dir[64], db[128];
    struct store *store;
    struct people *people;
    struct passkeys *passkeys;
    struct arena arena;
    struct fault f;
};

static void world_open(struct world *w)
{
    if (store_sqlite_open(w->db, &w->store, &w->f) || people_new(w->store, &w->people, &w->f) ||
        passkeys_new(w->store, w->people, &w->passkeys, &w->f))
        fail_msg("%s", w->f.text);
}

static void world_close(struct world *w)
{
    passkeys_free(w->passkeys);
    people_free(w->people);
    store_close(w->store);
}

static void world_again(struct world *w)
{
    world_close(w);
    world_open(w);
}

static void person(struct world *w, const char *name)
{
    struct store_person p = {.name = str_of(name), .role = STR("approver"), .groups = STR("[]"), .enabled = true};
    assert_int_equal(people_put(w->people, &p, false, &w->f), ERR_OK);
}

static int begin(void **state)
{
    static struct world w;
    w = (struct world){0};
    folder_make(w.dir);
    snprintf(w.db, sizeof(w.db), "%s/doorward.db", w.dir);
    arena_init(&w.arena, 1u << 20);
    world_open(&w);
    person(&w, "anna");
    person(&w, "ben");
    *state = &w;
    return 0;
}

static int end(void **state)
{
    struct world *w = *state;
    world_close(w);
    arena_done(&w->arena);
    folder_remove(w->dir);
    return 0;
}

static struct store_passkey wish(const char *id, const char *person, const char *rp)
{
    return (struct store_passkey){.id = str_of(id),
                                  .person = str_of(person),
                                  .rp = str_of(rp),
                                  .jwk = STR("{}"),
                                  .name = STR("Laptop"),
                                  .count = 1};
}

static enum err put(struct world *w, const char *id, const char *person, const char *rp)
{
    struct store_passkey k = wish(id, person, rp);
    return passkeys_put(w->passkeys, &k, NULL, &w->f);
}

/* The passkey that Chromium made, as anna's. */
static void enrol(struct world *w, const struct vector *v)
{
    struct passkey_new n;
    assert_int_equal(passkey_register(&vector_party, vector_challenge(&w->arena), json_of(&w->arena, v->created),
                                      bytes_of(&w->arena, v->object), &w->arena, &n, &w->f),
                     ERR_OK);
    struct store_passkey k = {.id = n.id,
                              .person = STR("anna"),
                              .rp = vector_party.id,
                              .jwk = n.jwk,
                              .name = STR("Key"),
                              .count = n.count,
                              .may_back_up = n.may_back_up};
    assert_int_equal(passkeys_put(w->passkeys, &k, NULL, &w->f), ERR_OK);
}

static enum err prove(struct world *w, const struct vector *v, int i, struct store_passkey *ret)
{
    struct passkey_proof p = vector_proof(&w->arena, v, i);
    return passkeys_prove(w->passkeys, &vector_party, vector_challenge(&w->arena), bytes_of(&w->arena, v->id), &p,
                          &w->arena, ret, &w->f);
}

static void listed(void *ctx, const struct store_passkey *k)
{
    buf_str(ctx, k->id);
    buf_char(ctx, ' ');
}

static void has(struct world *w, const char *person, const char *rp, const char *ids)
{
    struct buf b;
    buf_init(&b, 4096);
    passkeys_each(w->passkeys, str_of(person), str_of(rp), listed, &b);
    if (!str_is(buf_view(&b), ids))
        fail_msg("%s has '" STR_FMT "', not '%s'", person, STR_ARG(buf_view(&b)), ids);
    buf_done(&b);
}

static void what_was_enrolled_is_there_after_a_restart(void **state)
{
    struct world *w = *state;
    struct store_passkey k = wish("key-1", "anna", "localhost"), got;
    int64_t created;
    k.jwk = STR("{\"kty\":\"OKP\"}");
    k.count = UINT32_MAX;
    k.may_back_up = true;
    assert_int_equal(passkeys_put(w->passkeys, &k, &created, &w->f), ERR_OK);
    world_again(w);
    assert_int_equal(passkeys_find(w->passkeys, STR("localhost"), STR("key-1"), &w->arena, &got, &w->f), ERR_OK);
    assert_true(str_is(got.person, "anna") && str_is(got.name, "Laptop") && str_eq(got.jwk, k.jwk));
    assert_true(got.count == UINT32_MAX && got.created == created && got.used == 0 && got.may_back_up);
}

static void an_id_is_bytes(void **state)
{
    struct world *w = *state;
    struct store_passkey k = wish("", "anna", "localhost"), got;
    k.id = STR("a\0b\xff");
    assert_int_equal(passkeys_put(w->passkeys, &k, NULL, &w->f), ERR_OK);
    world_again(w);
    assert_int_equal(passkeys_find(w->passkeys, k.rp, k.id, &w->arena, &got, &w->f), ERR_OK);
    assert_true(str_eq(got.id, k.id));
    assert_int_equal(passkeys_find(w->passkeys, k.rp, STR("a"), &w->arena, &got, &w->f), ERR_NOT_FOUND);
    assert_int_equal(passkeys_drop(w->passkeys, k.person, k.id, &w->f), ERR_OK);
    world_again(w);
    has(w, "anna", "", "");
}

static void under_another_name_of_the_gateway_it_is_not_there(void **state)
{
    struct world *w = *state;
    struct store_passkey got;
    assert_int_equal(put(w, "here", "anna", "localhost"), ERR_OK);
    assert_int_equal(put(w, "there", "anna", "gate.example.com"), ERR_OK);
    assert_int_equal(passkeys_find(w->passkeys, STR("gate.example.com"), STR("here"), &w->arena, &got, &w->f),
                     ERR_NOT_FOUND);
    has(w, "anna", "localhost", "here ");
    has(w, "anna", "gate.example.com", "there ");
    has(w, "anna", "", "here there ");
}

static void a_passkey_is_one_persons(void **state)
{
    struct world *w = *state;
    assert_int_equal(put(w, "one", "anna", "localhost"), ERR_OK);
    assert_int_equal(put(w, "one", "ben", "localhost"), ERR_EXISTS);
    assert_int_equal(passkeys_drop(w->passkeys, STR("ben"), STR("one"), &w->f), ERR_NOT_FOUND);
    has(w, "anna", "", "one ");
    has(w, "ben", "", "");
}

static void a_person_has_ten_at_most(void **state)
{
    struct world *w = *state;
    char id[8];
    for (int i = 0; i < PASSKEYS_OF_PERSON; i++) {
        snprintf(id, sizeof(id), "k%d", i);
        assert_int_equal(put(w, id, "anna", "localhost"), ERR_OK);
    }
    assert_int_equal(put(w, "more", "anna", "localhost"), ERR_LIMIT);
    assert_int_equal(put(w, "more", "ben", "localhost"), ERR_OK);
    assert_int_equal(put(w, "other", "anna", "gate.example.com"), ERR_OK);
    assert_int_equal(passkeys_drop(w->passkeys, STR("anna"), STR("k9"), &w->f), ERR_OK);
    assert_int_equal(put(w, "last", "anna", "localhost"), ERR_OK);
    has(w, "anna", "localhost", "k0 k1 k2 k3 k4 k5 k6 k7 k8 last ");
}

static void names_are_text(void **state)
{
    struct world *w = *state;
    struct store_passkey k = wish("one", "anna", "localhost");
    const struct str bad[] = {STR(""), STR("a\nb"), STR("a\x7f"), STR("\xc0\xaf"), STR("\0")};
    char line[PASSKEYS_NAME + 1];
    for (size_t i = 0; i < COUNT(bad); i++) {
        k.name = bad[i];
        assert_int_equal(passkeys_put(w->passkeys, &k, NULL, &w->f), ERR_PARAMS);
    }
    memset(line, 'x', sizeof(line));
    k.name = (struct str){line, sizeof(line)};
    assert_int_equal(passkeys_put(w->passkeys, &k, NULL, &w->f), ERR_PARAMS);
    k.name.n--;
    assert_int_equal(passkeys_put(w->passkeys, &k, NULL, &w->f), ERR_OK);
}

static void they_go_with_their_person(void **state)
{
    struct world *w = *state;
    struct store_passkey got;
    assert_int_equal(put(w, "a1", "anna", "localhost"), ERR_OK);
    assert_int_equal(put(w, "b1", "ben", "localhost"), ERR_OK);
    assert_int_equal(put(w, "a2", "anna", "gate.example.com"), ERR_OK);
    assert_int_equal(people_drop(w->people, STR("anna"), &w->f), ERR_OK);
    assert_int_equal(passkeys_find(w->passkeys, STR("localhost"), STR("a1"), &w->arena, &got, &w->f), ERR_NOT_FOUND);
    assert_int_equal(put(w, "a3", "anna", "localhost"), ERR_NOT_FOUND);
    person(w, "anna"); /* another one of this name has none of them */
    has(w, "anna", "", "");
    world_again(w);
    has(w, "anna", "", "");
    has(w, "ben", "", "b1 ");
    assert_int_equal(put(w, "b2", "ben", "localhost"), ERR_OK);
    has(w, "ben", "", "b1 b2 ");
}

static void what_is_said_of_a_person_changes_and_the_passkeys_stay(void **state)
{
    struct world *w = *state;
    struct store_person p = {.name = STR("anna"), .role = STR("viewer"), .groups = STR("[]")};
    struct secret *token;
    assert_int_equal(put(w, "a1", "anna", "localhost"), ERR_OK);
    assert_int_equal(people_put(w->people, &p, true, &w->f), ERR_OK);
    assert_int_equal(people_token(w->people, p.name, &token, &w->f), ERR_OK);
    secret_free(token);
    world_again(w);
    has(w, "anna", "", "a1 ");
}

static void a_signature_proves_who_and_is_used_once(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < COUNT(vectors); i++) {
        struct store_passkey k = {0};
        enrol(w, &vectors[i]);
        assert_int_equal(prove(w, &vectors[i], 0, &k), ERR_OK);
        assert_true(str_is(k.person, "anna") && k.count == 2 && k.used >= k.created);
        assert_int_equal(prove(w, &vectors[i], 0, &k), ERR_PASSKEY);
        world_again(w);
        assert_int_equal(prove(w, &vectors[i], 0, &k), ERR_PASSKEY);
        assert_int_equal(prove(w, &vectors[i], 1, &k), ERR_OK);
        assert_int_equal(k.count, 3);
    }
}

static void one_that_is_not_known_proves_nothing(void **state)
{
    struct world *w = *state;
    struct store_passkey k;
    assert_int_equal(prove(w, &vectors[0], 0, &k), ERR_PASSKEY);
    enrol(w, &vectors[0]);
    assert_int_equal(passkeys_drop(w->passkeys, STR("anna"), bytes_of(&w->arena, vectors[0].id), &w->f), ERR_OK);
    assert_int_equal(prove(w, &vectors[0], 0, &k), ERR_PASSKEY);
    enrol(w, &vectors[0]);
    assert_int_equal(people_drop(w->people, STR("anna"), &w->f), ERR_OK);
    assert_int_equal(prove(w, &vectors[0], 0, &k), ERR_PASSKEY);
}

static void a_user_handle_must_be_the_persons(void **state)
{
    struct world *w = *state;
    const struct vector *v = &vectors[0];
    struct passkey_proof p = vector_proof(&w->arena, v, 0);
    struct str id = bytes_of(&w->arena, v->id), challenge = vector_challenge(&w->arena);
    unsigned char anna[PASSKEYS_USER], ben[PASSKEYS_USER];
    struct store_passkey k;
    enrol(w, v);
    passkeys_user(STR("anna"), anna);
    passkeys_user(STR("ben"), ben);
    p.user_handle = (struct str){(const char *)ben, sizeof(ben)};
    assert_int_equal(passkeys_prove(w->passkeys, &vector_party, challenge, id, &p, &w->arena, &k, &w->f), ERR_PASSKEY);
    assert_non_null(strstr(w->f.text, "userHandle"));
    p.user_handle = (struct str){(const char *)anna, sizeof(anna)};
    assert_int_equal(passkeys_prove(w->passkeys, &vector_party, challenge, id, &p, &w->arena, &k, &w->f), ERR_OK);
}

struct racer {
    struct world *w;
    enum err e;
    pthread_barrier_t *go;
};

static void *race(void *p)
{
    struct racer *r = p;
    struct arena a;
    struct store_passkey k;
    struct fault f;
    arena_init(&a, 1u << 20);
    struct passkey_proof proof = vector_proof(&a, &vectors[1], 0);
    struct str id = bytes_of(&a, vectors[1].id), challenge = vector_challenge(&a);
    pthread_barrier_wait(r->go);
    r->e = passkeys_prove(r->w->passkeys, &vector_party, challenge, id, &proof, &a, &k, &f);
    arena_done(&a);
    return NULL;
}

static void of_many_at_one_time_one_proves(void **state)
{
    struct world *w = *state;
    pthread_barrier_t go;
    pthread_t thread[8];
    struct racer racer[COUNT(thread)];
    int proved = 0;
    enrol(w, &vectors[1]);
    pthread_barrier_init(&go, NULL, COUNT(thread));
    for (size_t i = 0; i < COUNT(thread); i++) {
        racer[i] = (struct racer){.w = w, .go = &go};
        assert_int_equal(pthread_create(&thread[i], NULL, race, &racer[i]), 0);
    }
    for (size_t i = 0; i < COUNT(thread); i++) {
        pthread_join(thread[i], NULL);
        assert_true(!racer[i].e || racer[i].e == ERR_PASSKEY);
        proved += !racer[i].e;
    }
    pthread_barrier_destroy(&go);
    assert_int_equal(proved, 1);
}

/* What is not written down was not done: the same signature would be good again after a restart. */
static void without_the_store_nothing_is_proved(void **state)
{
    struct world *w = *state;
    struct store_passkey k;
    sqlite3 *db;
    enrol(w, &vectors[0]);
    assert_int_equal(sqlite3_open(w->db, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "ALTER TABLE passkeys RENAME TO gone", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(prove(w, &vectors[0], 0, &k), ERR_STORE);
    assert_int_equal(people_drop(w->people, STR("anna"), &w->f), ERR_STORE); /* both or neither */
    assert_int_equal(sqlite3_exec(db, "ALTER TABLE gone RENAME TO passkeys", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    world_again(w);
    assert_int_equal(prove(w, &vectors[0], 0, &k), ERR_OK);
    assert_true(str_is(k.person, "anna"));
}

#define scene(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene(what_was_enrolled_is_there_after_a_restart),
        scene(an_id_is_bytes),
        scene(under_another_name_of_the_gateway_it_is_not_there),
        scene(a_passkey_is_one_persons),
        scene(a_person_has_ten_at_most),
        scene(names_are_text),
        scene(they_go_with_their_person),
        scene(what_is_said_of_a_person_changes_and_the_passkeys_stay),
        scene(a_signature_proves_who_and_is_used_once),
        scene(one_that_is_not_known_proves_nothing),
        scene(a_user_handle_must_be_the_persons),
        scene(of_many_at_one_time_one_proves),
        scene(without_the_store_nothing_is_proved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
