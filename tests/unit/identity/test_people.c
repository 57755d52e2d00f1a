/* People who decide: who is let in, and what the store keeps of them. */
#include "../folder.h"

#include "identity/people.h"

struct world {
    char dir[64], db[128];
    struct store *store;
    struct people *people;
    struct arena arena;
    struct fault f;
};

static void world_open(struct world *w)
{
    if (store_sqlite_open(w->db, &w->store, &w->f) || people_new(w->store, &w->people, &w->f))
        fail_msg("%s", w->f.text);
}

static void world_begin(struct world *w)
{
    *w = (struct world){0};
    folder_make(w->dir);
    snprintf(w->db, sizeof(w->db), "%s/doorward.db", w->dir);
    arena_init(&w->arena, 1u << 20);
    world_open(w);
}

static void world_close(struct world *w)
{
    people_free(w->people);
    store_close(w->store);
}

static void world_end(struct world *w)
{
    world_close(w);
    arena_done(&w->arena);
    folder_remove(w->dir);
}

static struct store_person wish(const char *name)
{
    return (struct store_person){
        .name = str_of(name), .role = STR("approver"), .groups = STR("[\"money\"]"), .enabled = true};
}

static enum err put(struct world *w, struct store_person p)
{
    return people_put(w->people, &p, false, &w->f);
}

static struct str token_of(struct world *w, const char *name)
{
    struct secret *token;
    if (people_token(w->people, str_of(name), &token, &w->f))
        fail_msg("%s", w->f.text);
    struct str copy = arena_str(&w->arena, (struct str){(const char *)secret_bytes(token), secret_len(token)});
    secret_free(token);
    return copy;
}

static bool lets_in(struct world *w, struct str token)
{
    struct store_person p;
    int64_t role;
    return people_of_token(w->people, token, &w->arena, &p, &role) == ERR_OK && role == 1;
}

static void a_token_lets_in_until_there_is_a_new_one_also_after_a_restart(void **state)
{
    (void)state;
    struct world w;
    world_begin(&w);
    assert_int_equal(put(&w, wish("anna")), ERR_OK);
    assert_false(lets_in(&w, STR("")));
    struct str first = token_of(&w, "anna"), second = token_of(&w, "anna");
    assert_false(str_eq(first, second));
    assert_false(lets_in(&w, first));
    world_close(&w);
    world_open(&w);
    assert_true(lets_in(&w, second));
    assert_false(lets_in(&w, first));
    assert_int_equal(people_drop(w.people, STR("anna"), &w.f), ERR_OK);
    assert_false(lets_in(&w, second));
    assert_int_equal(people_drop(w.people, STR("anna"), &w.f), ERR_NOT_FOUND);
    world_end(&w);
}

static void the_token_itself_is_nowhere_on_the_disk(void **state)
{
    (void)state;
    struct world w;
    char command[256];
    world_begin(&w);
    assert_int_equal(put(&w, wish("anna")), ERR_OK);
    struct str token = token_of(&w, "anna");
    world_close(&w);
    snprintf(command, sizeof(command), "grep -rqF -- '%s' %s", token.p, w.dir);
    assert_int_not_equal(system(command), 0);
    snprintf(command, sizeof(command), "grep -rqF -- anna %s", w.dir);
    assert_int_equal(system(command), 0);
    world_open(&w);
    world_end(&w);
}

static void who_is_disabled_is_let_in_by_nothing(void **state)
{
    (void)state;
    struct world w;
    struct store_person p = wish("anna"), found;
    world_begin(&w);
    p.slack = STR("U1");
    assert_int_equal(put(&w, p), ERR_OK);
    struct str token = token_of(&w, "anna");
    assert_int_equal(people_of_account(w.people, PEOPLE_SLACK, STR("U1"), &w.arena, &found, NULL), ERR_OK);
    p.enabled = false;
    assert_int_equal(people_put(w.people, &p, true, &w.f), ERR_OK);
    assert_false(lets_in(&w, token));
    assert_int_equal(people_of_account(w.people, PEOPLE_SLACK, STR("U1"), &w.arena, &found, NULL), ERR_NOT_FOUND);
    p.enabled = true; /* and the token is the same as before */
    assert_int_equal(people_put(w.people, &p, true, &w.f), ERR_OK);
    assert_true(lets_in(&w, token));
    world_end(&w);
}

static void an_account_is_one_persons_and_no_account_is_nobodys(void **state)
{
    (void)state;
    struct world w;
    struct store_person a = wish("anna"), b = wish("ben"), found;
    world_begin(&w);
    a.slack = b.slack = STR("U1");
    assert_int_equal(put(&w, a), ERR_OK);
    assert_int_equal(put(&w, b), ERR_EXISTS);
    assert_int_equal(people_find(w.people, STR("ben"), &w.arena, &found, &w.f), ERR_NOT_FOUND);
    assert_int_equal(put(&w, wish("ben")), ERR_OK);
    assert_int_equal(put(&w, wish("cora")), ERR_OK); /* two without one */
    assert_int_equal(people_of_account(w.people, PEOPLE_SLACK, STR(""), &w.arena, &found, NULL), ERR_NOT_FOUND);
    world_end(&w);
}

static void what_is_wrong_with_a_person_is_said(void **state)
{
    (void)state;
    struct world w;
    struct store_person p = wish("anna");
    world_begin(&w);
    p.role = STR("boss");
    assert_int_equal(put(&w, p), ERR_PARAMS);
    assert_string_equal(w.f.text, "role must be viewer, approver, operator or admin, not boss");
    assert_int_equal(put(&w, wish("")), ERR_PARAMS);
    assert_int_equal(put(&w, wish("a b")), ERR_PARAMS);
    assert_int_equal(put(&w, wish("-x")), ERR_PARAMS);
    assert_int_equal(put(&w, wish("anna\x1b")), ERR_PARAMS);
    p = wish("anna");
    p.groups = STR("[1]");
    assert_int_equal(put(&w, p), ERR_PARAMS);
    p.groups = STR("{}");
    assert_int_equal(put(&w, p), ERR_PARAMS);
    assert_int_equal(put(&w, wish("anna")), ERR_OK);
    assert_int_equal(put(&w, wish("anna")), ERR_EXISTS);
    p = wish("zoe");
    assert_int_equal(people_put(w.people, &p, true, &w.f), ERR_NOT_FOUND);
    world_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_lets_in_until_there_is_a_new_one_also_after_a_restart),
        cmocka_unit_test(the_token_itself_is_nowhere_on_the_disk),
        cmocka_unit_test(who_is_disabled_is_let_in_by_nothing),
        cmocka_unit_test(an_account_is_one_persons_and_no_account_is_nobodys),
        cmocka_unit_test(what_is_wrong_with_a_person_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
