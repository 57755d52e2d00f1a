/* Who comes in to the console and for how long. Time is moved by hand, so that nobody waits ten minutes here. */
#include "../conf_of.h"
#include "../folder.h"

#include <stdio.h>
#include <unistd.h>

#include "console/inner.h"

struct world {
    char dir[64];
    struct store *store;
    struct people *people;
    struct passkeys *passkeys;
    struct console *console;
    struct conf *conf;
    struct arena arena;
    struct fault f;
    char over[64]; /* of the last session that was told of: name and why */
    size_t overs;
};

static void person(struct world *w, const char *name, bool enabled, bool replace)
{
    struct store_person p = {
        .name = str_of(name), .role = STR("approver"), .groups = STR("[\"money\"]"), .enabled = enabled};
    if (people_put(w->people, &p, replace, &w->f))
        fail_msg("%s", w->f.text);
}

static int begin(void **state)
{
    static struct world w;
    char db[128];
    w = (struct world){.conf = conf_of("{\"console\":{\"session\":\"12h\",\"idle\":\"30m\"}}")};
    folder_make(w.dir);
    snprintf(db, sizeof(db), "%s/doorward.db", w.dir);
    arena_init(&w.arena, 16u << 20);
    if (store_sqlite_open(db, &w.store, &w.f) || people_new(w.store, &w.people, &w.f) ||
        passkeys_new(w.store, w.people, &w.passkeys, &w.f) ||
        console_new(w.people, w.passkeys, w.conf, &w.console, &w.f))
        fail_msg("%s", w.f.text);
    person(&w, "anna", true, false);
    person(&w, "ben", true, false);
    *state = &w;
    return 0;
}

static int end(void **state)
{
    struct world *w = *state;
    console_free(w->console);
    passkeys_free(w->passkeys);
    people_free(w->people);
    store_close(w->store);
    conf_unref(w->conf);
    arena_done(&w->arena);
    folder_remove(w->dir);
    return 0;
}

/* ---- words of the scenes ---- */

static struct str text(const struct secret *s)
{
    return (struct str){(const char *)secret_bytes(s), secret_len(s)};
}

static struct secret *link_of(struct world *w, const char *name)
{
    struct secret *link = NULL;
    int64_t expires;
    if (console_link(w->console, str_of(name), &link, &expires, &w->f))
        fail_msg("%s", w->f.text);
    return link;
}

static enum err open_link(struct world *w, const struct secret *link, struct console_who *who, struct secret **cookie)
{
    struct console_who unused;
    struct secret *given = NULL;
    enum err e = console_link_use(w->console, text(link), &w->arena, who ? who : &unused, &given, &w->f);
    if (cookie)
        *cookie = given;
    else
        secret_free(given);
    return e;
}

/* Signs somebody in; the caller frees the cookie. */
static struct secret *come_in(struct world *w, const char *name, struct console_who *who)
{
    struct secret *link = link_of(w, name), *cookie = NULL;
    if (open_link(w, link, who, &cookie))
        fail_msg("%s", w->f.text);
    secret_free(link);
    return cookie;
}

static enum err ask(struct world *w, const struct secret *cookie, struct console_who *who)
{
    struct console_who unused;
    who = who ? who : &unused;
    enum err e = console_who(w->console, text(cookie), &w->arena, who, &w->f);
    if (!e)
        console_used(w->console, who);
    return e;
}

/* All that is kept becomes so much older. */
static void later(struct world *w, int64_t seconds)
{
    int64_t ns = seconds * INT64_C(1000000000);
    for (unsigned i = 0; i < CONSOLE_SLOTS; i++)
        for (struct console_session *s = w->console->slot[i]; s; s = s->next) {
            s->opened_ns -= ns;
            s->used_ns -= ns;
            s->enrol.until_ns -= ns;
            s->proof.until_ns -= ns;
        }
    for (struct console_link *l = w->console->links; l; l = l->next)
        l->until_ns -= ns;
}

static void told(void *ctx, const struct console_over *o)
{
    struct world *w = ctx;
    w->overs++;
    snprintf(w->over, sizeof(w->over), STR_FMT " %s", STR_ARG(o->name), o->why);
}

/* ---- links ---- */

static void a_link_is_good_once_and_for_ten_minutes(void **state)
{
    struct world *w = *state;
    struct secret *link = link_of(w, "anna");
    assert_true(str_starts(text(link), STR("dwl_")) && secret_len(link) == 47);
    later(w, 599);
    assert_int_equal(open_link(w, link, NULL, NULL), ERR_OK);
    assert_int_equal(open_link(w, link, NULL, NULL), ERR_LINK);
    secret_free(link);
    link = link_of(w, "anna");
    later(w, 600);
    assert_int_equal(open_link(w, link, NULL, NULL), ERR_LINK);
    secret_free(link);
    struct str nothing[] = {STR_NONE, STR(""), STR("dwl_"), STR("dwl_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")};
    struct console_who who;
    struct secret *cookie = NULL;
    for (size_t i = 0; i < COUNT(nothing); i++)
        assert_int_equal(console_link_use(w->console, nothing[i], &w->arena, &who, &cookie, &w->f), ERR_LINK);
    assert_null(cookie);
}

static void of_two_links_of_somebody_the_newer_one_is_good(void **state)
{
    struct world *w = *state;
    struct secret *old = link_of(w, "anna"), *bens = link_of(w, "ben"), *now = link_of(w, "anna");
    assert_int_equal(open_link(w, old, NULL, NULL), ERR_LINK);
    assert_int_equal(open_link(w, now, NULL, NULL), ERR_OK);
    assert_int_equal(open_link(w, bens, NULL, NULL), ERR_OK);
    secret_free(old);
    secret_free(now);
    secret_free(bens);
}

static void a_link_is_for_who_was_meant_and_not_for_somebody_of_the_same_name(void **state)
{
    struct world *w = *state;
    struct secret *link = link_of(w, "anna");
    person(w, "anna", false, true);
    assert_int_equal(open_link(w, link, NULL, NULL), ERR_LINK); /* disabled meanwhile */
    secret_free(link);
    person(w, "anna", true, true);
    link = link_of(w, "anna");
    assert_int_equal(people_drop(w->people, STR("anna"), &w->f), ERR_OK);
    usleep(2000); /* a person is told from the next by the millisecond */
    person(w, "anna", true, false);
    assert_int_equal(open_link(w, link, NULL, NULL), ERR_LINK);
    secret_free(link);
}

/* ---- sessions ---- */

static void a_session_is_over_when_nobody_does_anything_and_after_its_time(void **state)
{
    struct world *w = *state;
    struct console_who who;
    struct secret *cookie = come_in(w, "anna", &who);
    assert_true(str_is(who.name, "anna") && str_is(who.groups, "[\"money\"]") && who.role == CONF_APPROVER);
    for (int i = 0; i < 23; i++) { /* eleven and a half hours, every half of them */
        later(w, 1790);
        assert_int_equal(ask(w, cookie, NULL), ERR_OK);
    }
    assert_int_equal(console_sweep(w->console, true, told, w), 0);
    later(w, 1790);
    later(w, 300);
    assert_int_equal(ask(w, cookie, NULL), ERR_SIGNED_OUT);
    assert_int_equal(console_sweep(w->console, false, told, w), 1);
    secret_free(cookie);
    cookie = come_in(w, "anna", &who);
    later(w, 1000);
    assert_int_equal(console_who(w->console, text(cookie), &w->arena, &who, &w->f), ERR_OK); /* which is no use of it */
    later(w, 800);
    assert_false(console_open(w->console, str_of(who.id)));
    assert_int_equal(ask(w, cookie, NULL), ERR_SIGNED_OUT);
    assert_int_equal(console_sweep(w->console, false, told, w), 1);
    assert_string_equal(w->over, "anna idle");
    assert_int_equal(console_count(w->console), 0);
    secret_free(cookie);
}

static void the_first_minutes_after_a_link_are_enough_for_a_passkey(void **state)
{
    struct world *w = *state;
    struct console_who who;
    struct secret *cookie = come_in(w, "anna", &who);
    assert_true(who.by == CONSOLE_BY_LINK && who.may_enrol);
    later(w, 899);
    assert_int_equal(ask(w, cookie, &who), ERR_OK);
    assert_true(who.may_enrol);
    later(w, 1);
    assert_int_equal(ask(w, cookie, &who), ERR_OK);
    assert_false(who.may_enrol);
    secret_free(cookie);
}

static void who_is_removed_disabled_or_signed_out_is_out(void **state)
{
    struct world *w = *state;
    struct console_who who;
    struct secret *cookie = come_in(w, "anna", &who), *bens = come_in(w, "ben", NULL);
    person(w, "anna", false, true);
    assert_int_equal(ask(w, cookie, NULL), ERR_SIGNED_OUT);
    assert_false(console_open(w->console, str_of(who.id)));
    assert_int_equal(console_sweep(w->console, true, told, w), 1);
    assert_string_equal(w->over, "anna removed");
    person(w, "anna", true, true);
    assert_int_equal(ask(w, cookie, NULL), ERR_SIGNED_OUT); /* and stays so */
    secret_free(cookie);
    cookie = come_in(w, "anna", &who);
    assert_true(console_out(w->console, str_of(who.id)));
    assert_false(console_out(w->console, str_of(who.id)));
    assert_int_equal(ask(w, cookie, NULL), ERR_SIGNED_OUT);
    assert_int_equal(ask(w, bens, &who), ERR_OK);
    assert_true(str_is(who.name, "ben"));
    assert_int_equal(people_drop(w->people, STR("ben"), &w->f), ERR_OK);
    usleep(2000);
    person(w, "ben", true, false); /* before anybody swept: somebody of the same name is somebody else */
    assert_int_equal(ask(w, bens, &who), ERR_SIGNED_OUT);
    secret_free(cookie);
    secret_free(bens);
}

static void one_person_has_eight_browsers_and_the_ninth_ends_the_one_used_longest_ago(void **state)
{
    struct world *w = *state;
    struct secret *cookie[9];
    for (int i = 0; i < 8; i++) {
        cookie[i] = come_in(w, "anna", NULL);
        later(w, 1);
    }
    assert_int_equal(ask(w, cookie[0], NULL), ERR_OK); /* so that it is the second one */
    cookie[8] = come_in(w, "anna", NULL);
    for (int i = 0; i < 9; i++)
        assert_int_equal(ask(w, cookie[i], NULL), i == 1 ? ERR_SIGNED_OUT : ERR_OK);
    assert_int_equal(console_sweep(w->console, false, told, w), 1);
    assert_string_equal(w->over, "anna replaced");
    for (int i = 0; i < 9; i++)
        secret_free(cookie[i]);
}

static void a_console_that_is_switched_off_has_nobody_in_it(void **state)
{
    struct world *w = *state;
    struct secret *cookie = come_in(w, "anna", NULL), *link = link_of(w, "ben");
    struct conf *off = conf_of("{\"console\":{\"enabled\":false}}");
    console_conf(w->console, off);
    assert_false(console_enabled(w->console));
    assert_int_equal(ask(w, cookie, NULL), ERR_SIGNED_OUT);
    assert_int_equal(open_link(w, link, NULL, NULL), ERR_NOT_FOUND);
    conf_unref(off);
    secret_free(cookie);
    secret_free(link);
}

static void a_csrf_token_is_of_one_session(void **state)
{
    struct world *w = *state;
    struct console_who a, b, again;
    char of_a[CONSOLE_CSRF_MAX], of_b[CONSOLE_CSRF_MAX], of_again[CONSOLE_CSRF_MAX];
    struct secret *first = come_in(w, "anna", &a), *second = come_in(w, "anna", &b);
    assert_int_equal(ask(w, first, &again), ERR_OK);
    console_csrf(w->console, &a, of_a);
    console_csrf(w->console, &b, of_b);
    console_csrf(w->console, &again, of_again);
    assert_int_equal(strlen(of_a), 43);
    assert_string_equal(of_a, of_again);
    assert_string_not_equal(of_a, of_b);
    assert_false(str_eq(str_of(of_a), text(first)));
    secret_free(first);
    secret_free(second);
}

static void a_cookie_is_found_among_others_and_two_of_them_are_none(void **state)
{
    (void)state;
    assert_true(str_is(console_cookie(STR("a=b; __Host-doorward=xyz;c=d")), "xyz"));
    assert_true(str_is(console_cookie(STR("__Host-doorward=x=y")), "x=y"));
    static const char *const none[] = {"",
                                       ";",
                                       "a=b",
                                       "__Host-doorward=",
                                       "__Host-doorward",
                                       "x__Host-doorward=a",
                                       "__host-doorward=a",
                                       "__Host-doorward=a; __Host-doorward=b",
                                       "__Host-doorward=a;__Host-doorward=a",
                                       "__Host-doorward=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < COUNT(none); i++)
        if (console_cookie(str_of(none[i])).p)
            fail_msg("%s", none[i]);
}

/* ---- challenges ---- */

static const struct passkey_party party = {{"localhost", 9}, {"http://localhost:8421", 21}};

/* Tries a challenge for signing in: what is said of it comes before anything is said of the passkey. */
static const char *try_challenge(struct world *w, struct str challenge, const struct passkey_party *p)
{
    struct str client =
        arena_fmt(&w->arena, "{\"type\":\"webauthn.get\",\"challenge\":\"" STR_FMT "\"}", STR_ARG(challenge));
    struct console_signed s = {.id = STR("id"), .proof = {.client_data = client, .user_handle = STR("anna")}};
    struct console_who who;
    struct store_passkey key;
    struct secret *cookie = NULL;
    assert_int_equal(console_sign_in(w->console, p, &s, &w->arena, &who, &key, &cookie, &w->f), ERR_PASSKEY);
    assert_null(cookie);
    return w->f.text;
}

static void a_challenge_is_ours_fresh_and_taken_once(void **state)
{
    struct world *w = *state;
    const struct passkey_party other = {STR("gate.example"), STR("https://gate.example")};
    struct str one = console_challenge(w->console, &party, &w->arena);
    assert_non_null(strstr(try_challenge(w, one, &party), "not known here")); /* so far it was good */
    assert_non_null(strstr(try_challenge(w, one, &party), "used before"));
    struct str two = console_challenge(w->console, &party, &w->arena);
    assert_non_null(strstr(try_challenge(w, two, &other), "none of this gateway's"));
    char *changed = (char *)(uintptr_t)arena_str(&w->arena, two).p;
    changed[24] = changed[24] == 'A' ? 'B' : 'A'; /* its end, put off */
    assert_non_null(strstr(try_challenge(w, (struct str){changed, two.n}, &party), "none of this gateway's"));
    assert_non_null(strstr(try_challenge(w, STR(""), &party), "no challenge of this gateway"));
    assert_non_null(strstr(try_challenge(w, str_skip(two, 4), &party), "no challenge of this gateway"));
}

static void more_challenges_than_can_be_remembered_are_refused(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < CONSOLE_USED; i++)
        w->console->used[i].until_ns = INT64_MAX;
    struct str one = console_challenge(w->console, &party, &w->arena);
    assert_non_null(strstr(try_challenge(w, one, &party), "used before"));
}

static void a_proof_is_bound_to_method_target_and_body(void **state)
{
    struct world *w = *state;
    struct console_who who;
    struct secret *cookie = come_in(w, "anna", &who);
    struct console_request q = {STR("POST"), STR("/a"), {1}}, moved = {STR("POST/"), STR("a"), {1}};
    unsigned char first[SHA256_BYTES], second[SHA256_BYTES];
    struct console_signed s = {.id = STR("id")};
    struct store_passkey key;
    assert_int_equal(console_proof_challenge(w->console, &who, &q, first), ERR_OK);
    assert_int_equal(console_proof_challenge(w->console, &who, &moved, second), ERR_OK);
    assert_memory_not_equal(first, second, sizeof(first));
    assert_int_equal(console_proof(w->console, &who, &party, &q, &s, &w->arena, &key, &w->f), ERR_PASSKEY);
    assert_int_equal(console_proof(w->console, &who, &party, &q, &s, &w->arena, &key, &w->f), ERR_PROOF); /* used up */
    assert_int_equal(console_proof_challenge(w->console, &who, &q, first), ERR_OK);
    later(w, 120);
    assert_int_equal(console_proof(w->console, &who, &party, &q, &s, &w->arena, &key, &w->f), ERR_PROOF); /* old */
    assert_true(console_out(w->console, str_of(who.id)));
    assert_int_equal(console_proof_challenge(w->console, &who, &q, first), ERR_SIGNED_OUT);
    secret_free(cookie);
}

static void attempts_are_bounded_by_address_and_altogether(void **state)
{
    struct world *w = *state;
    int64_t wait = 0;
    int taken = 0;
    while (taken < 1000 && console_attempt(w->console, STR("10.0.0.1"), &wait, &w->f) == ERR_OK)
        taken++;
    assert_in_range(taken, 60, 62);
    assert_true(wait > 0 && wait < 60000);
    assert_int_equal(console_attempt(w->console, STR("10.0.0.2"), &wait, &w->f), ERR_OK);
    char address[32];
    int all = 0;
    for (int i = 0; i < 1000; i++) {
        snprintf(address, sizeof(address), "10.1.%d.%d", i / 250, i % 250);
        all += console_attempt(w->console, str_of(address), &wait, &w->f) == ERR_OK;
    }
    assert_in_range(all, 500, 600);
}

int main(void)
{
#define SCENE(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        SCENE(a_link_is_good_once_and_for_ten_minutes),
        SCENE(of_two_links_of_somebody_the_newer_one_is_good),
        SCENE(a_link_is_for_who_was_meant_and_not_for_somebody_of_the_same_name),
        SCENE(a_session_is_over_when_nobody_does_anything_and_after_its_time),
        SCENE(the_first_minutes_after_a_link_are_enough_for_a_passkey),
        SCENE(who_is_removed_disabled_or_signed_out_is_out),
        SCENE(one_person_has_eight_browsers_and_the_ninth_ends_the_one_used_longest_ago),
        SCENE(a_console_that_is_switched_off_has_nobody_in_it),
        SCENE(a_csrf_token_is_of_one_session),
        SCENE(a_cookie_is_found_among_others_and_two_of_them_are_none),
        SCENE(a_challenge_is_ours_fresh_and_taken_once),
        SCENE(more_challenges_than_can_be_remembered_are_refused),
        SCENE(a_proof_is_bound_to_method_target_and_body),
        SCENE(attempts_are_bounded_by_address_and_altogether),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
