/* The route table, and how the members of a request are read. */
#include "../unit.h"

#include "admin/request.h"

/* Where to ask, the console's pages, and how one signs in to it. */
static bool for_anybody(const struct admin_route *r)
{
    static const char *const pages[] = {"/",           "/sign-in",         "/approvals/{}",
                                        "/reviews",    "/activity",        "/account",
                                        "/assets/{*}", "/console/v1/link", "/console/v1/sign-in"};
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++)
        if (strcmp(r->path, pages[i]) == 0)
            return true;
    return strncmp(r->path, "/.well-known/", 13) == 0;
}

/* What somebody in a browser does: looks, decides, and keeps their own passkeys. All else wants a token. */
static void the_console_decides_with_a_passkey_and_does_nothing_else(void **state)
{
    (void)state;
    static const char *const with_a_click[] = {"/admin/v1/approvals/{}/deny", "/admin/v1/reviews/{}/clear"};
    for (size_t i = 0; i < admin_route_count; i++) {
        const struct admin_route *r = &admin_routes[i];
        bool own = strncmp(r->path, "/console/", 9) == 0, reads = strcmp(r->method, "GET") == 0, click = false;
        for (size_t k = 0; k < sizeof(with_a_click) / sizeof(with_a_click[0]); k++)
            click = click || strcmp(r->path, with_a_click[k]) == 0;
        if (!own && !reads && r->console != ADMIN_CONSOLE_NO && !click && r->console != ADMIN_CONSOLE_PASSKEY)
            fail_msg("%s %s: a cookie changes something", r->method, r->path);
        if (r->role >= CONF_OPERATOR && r->console != ADMIN_CONSOLE_NO)
            fail_msg("%s %s: a cookie is not for operators", r->method, r->path);
        bool proof = r->console == ADMIN_CONSOLE_PASSKEY || r->console >= ADMIN_CONSOLE_OWN_PASSKEY;
        if (proof && r->kind != ADMIN_POOL)
            fail_msg("%s %s: a proof is judged, and its count written, on a pool thread", r->method, r->path);
        if (strcmp(r->path, "/admin/v1/approvals/{}/approve") == 0)
            assert_int_equal(r->console, ADMIN_CONSOLE_PASSKEY);
    }
}

/* Zero is the least role, so that a role that was forgotten in the table would be open to all: each is looked at here.
 */
static void who_changes_something_needs_more_than_a_look(void **state)
{
    (void)state;
    for (size_t i = 0; i < admin_route_count; i++) {
        const struct admin_route *r = &admin_routes[i];
        bool asks = strcmp(r->path, "/admin/v1/policies/check") == 0 || strncmp(r->path, "/access/v1/", 11) == 0;
        bool reads = strcmp(r->method, "GET") == 0 || asks, of_agents = strstr(r->path, "/agents") != NULL;
        bool kills = r->kind == ADMIN_STOP, revives = strstr(r->path, "/revive") != NULL;
        if (for_anybody(r)) { /* and nothing else is */
            assert_int_equal(r->role, ADMIN_ANYBODY);
            continue;
        }
        if (strncmp(r->path, "/console/", 9) == 0) { /* of who is signed in, whoever that is */
            assert_int_equal(r->role, CONF_VIEWER);
            assert_in_range(r->console, ADMIN_CONSOLE_OWN, ADMIN_CONSOLE_OWN_ENROL);
            continue;
        }
        assert_in_range(r->role, CONF_VIEWER, CONF_ADMIN);
        bool decides =
            strncmp(r->path, "/admin/v1/approvals", 19) == 0 || strncmp(r->path, "/admin/v1/reviews", 17) == 0;
        if (decides && !reads && r->role != CONF_APPROVER)
            fail_msg("%s %s: role %d does not decide", r->method, r->path, (int)r->role);
        if (!decides && r->role == CONF_APPROVER)
            fail_msg("%s %s: an approver decides, and nothing else", r->method, r->path);
        bool sealed = strncmp(r->path, "/admin/v1/audit/sealed", 22) == 0; /* of whom there is something to forget */
        if (reads != (r->role == CONF_VIEWER) && !(sealed && r->role == CONF_ADMIN))
            fail_msg("%s %s: role %d", r->method, r->path, (int)r->role);
        if (kills != (strlen(r->path) > 5 && !reads && strcmp(r->path + strlen(r->path) - 5, "/kill") == 0) ||
            (kills && r->role != CONF_OPERATOR) || (revives && r->role != CONF_ADMIN))
            fail_msg("%s %s: whoever watches may stop, and only an admin lets go on", r->method, r->path);
        if (!reads && !kills &&
            (of_agents || strstr(r->path, "/people") || strstr(r->path, "/reload") || strstr(r->path, "/tools")) &&
            r->role != CONF_ADMIN)
            fail_msg("%s %s: who is registered is the admin's business", r->method, r->path);
    }
}

static void each_route_is_whole_and_stands_once(void **state)
{
    (void)state;
    assert_true(admin_route_count >= 14);
    for (size_t i = 0; i < admin_route_count; i++) {
        const struct admin_route *r = &admin_routes[i];
        assert_true(r->run && r->what[0]);
        if (!for_anybody(r) && strncmp(r->path, "/console/v1/", 12) != 0 && strncmp(r->path, "/admin/v1/", 10) != 0 &&
            strcmp(r->path, "/metrics") != 0 && strncmp(r->path, "/access/v1/", 11) != 0)
            fail_msg("%s is outside of the operators' API", r->path);
        for (size_t k = 0; k < i; k++)
            if (strcmp(r->path, admin_routes[k].path) == 0 && strcmp(r->method, admin_routes[k].method) == 0)
                fail_msg("%s %s stands twice", r->method, r->path);
    }
}

static void what_writes_to_the_store_never_runs_on_the_loop(void **state)
{
    (void)state;
    for (size_t i = 0; i < admin_route_count; i++) {
        const struct admin_route *r = &admin_routes[i];
        bool writes = strcmp(r->method, "GET") != 0 && !strstr(r->path, "/sessions");
        if (writes && r->kind == ADMIN_LOOP)
            fail_msg("%s %s waits for the disk on worker 0", r->method, r->path);
    }
}

struct body {
    struct arena arena;
    struct admin_request r;
    struct fault fault;
};

static void body_read(struct body *b, const char *text)
{
    *b = (struct body){0};
    arena_init(&b->arena, 1u << 20);
    b->r.arena = &b->arena;
    if (text && json_parse(&b->r.doc, str_of(text), &b->arena, NULL, &b->fault))
        fail_msg("%s", b->fault.text);
}

static void members_have_their_type_or_are_not_there(void **state)
{
    (void)state;
    struct body b;
    struct str s;
    int64_t n;
    struct conf_strings list;
    body_read(&b, "{\"s\":\"\\u00e9\",\"n\":7,\"l\":[\"a\",\"b\"],\"z\":null,\"zero\":0,\"half\":1.5,\"huge\":1e99,"
                  "\"mixed\":[\"a\",1]}");
    assert_int_equal(admin_str(&b.r, "s", &s, &b.fault), ERR_OK);
    assert_true(str_is(s, "\xc3\xa9"));
    assert_int_equal(admin_i64(&b.r, "n", &n, &b.fault), ERR_OK);
    assert_int_equal(n, 7);
    assert_int_equal(admin_strings(&b.r, "l", &list, &b.fault), ERR_OK);
    assert_int_equal(list.n, 2);
    assert_int_equal(admin_str(&b.r, "z", &s, &b.fault), ERR_OK);
    assert_null(s.p);
    assert_int_equal(admin_str(&b.r, "absent", &s, &b.fault), ERR_OK);
    assert_null(s.p);
    assert_int_equal(admin_str(&b.r, "n", &s, &b.fault), ERR_PARAMS);
    assert_string_equal(b.fault.text, "n must be a string, but is a number");
    assert_int_equal(admin_i64(&b.r, "zero", &n, &b.fault), ERR_PARAMS);
    assert_int_equal(admin_i64(&b.r, "half", &n, &b.fault), ERR_PARAMS);
    assert_int_equal(admin_i64(&b.r, "huge", &n, &b.fault), ERR_PARAMS);
    assert_int_equal(admin_i64(&b.r, "s", &n, &b.fault), ERR_PARAMS);
    assert_int_equal(admin_strings(&b.r, "mixed", &list, &b.fault), ERR_PARAMS);
    assert_int_equal(admin_strings(&b.r, "s", &list, &b.fault), ERR_PARAMS);
    arena_done(&b.arena);
}

static void a_member_that_nobody_knows_is_refused(void **state)
{
    (void)state;
    static const char *const keys[] = {"agentId", "owner", NULL};
    struct body b;
    body_read(&b, "{\"owner\":\"x\",\"allowedtools\":[]}");
    assert_int_equal(admin_only(&b.r, keys, &b.fault), ERR_PARAMS);
    assert_non_null(strstr(b.fault.text, "allowedtools"));
    arena_done(&b.arena);
    body_read(&b, "{\"owner\":\"x\",\"agent\\u0049d\":\"y\"}");
    assert_int_equal(admin_only(&b.r, keys, &b.fault), ERR_OK);
    arena_done(&b.arena);
    body_read(&b, NULL); /* no body is an empty one */
    assert_int_equal(admin_only(&b.r, keys, &b.fault), ERR_OK);
    arena_done(&b.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_changes_something_needs_more_than_a_look),
        cmocka_unit_test(the_console_decides_with_a_passkey_and_does_nothing_else),
        cmocka_unit_test(each_route_is_whole_and_stands_once),
        cmocka_unit_test(what_writes_to_the_store_never_runs_on_the_loop),
        cmocka_unit_test(members_have_their_type_or_are_not_there),
        cmocka_unit_test(a_member_that_nobody_knows_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
