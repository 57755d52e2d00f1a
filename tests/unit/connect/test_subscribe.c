/* Resources of which clients want to hear: a server is asked once for all who want the same. */
#include "definitions.h"

static struct scene {
    struct worker worker;
    struct connect connect;
    struct shelf shelf;
    char told[8192]; /* "+key uri\n" for each word to the kind */
} scene;

static void note(struct upstream *u, struct str key, struct str uri, bool on)
{
    size_t n = strlen(scene.told);
    assert_ptr_equal(u, &scene.shelf.upstream);
    snprintf(scene.told + n, sizeof(scene.told) - n, "%c" STR_FMT " " STR_FMT "\n", on ? '+' : '-', STR_ARG(key),
             STR_ARG(uri));
}

static int begin(void **state)
{
    struct fault f;
    (void)state;
    memset(&scene, 0, sizeof(scene));
    shelf_init(&scene.shelf, "files");
    scene.shelf.server.isolation = CONF_PER_AGENT;
    scene.shelf.kind.subscribe = note;
    scene.connect.workers = &scene.worker;
    scene.connect.upstreams = &scene.shelf.upstream;
    return worker_init(&scene.worker, 0, &f) ? -1 : 0;
}

static void settle(void)
{
    uv_run(&scene.worker.loop, UV_RUN_NOWAIT);
}

static int end(void **state)
{
    (void)state;
    subscriptions_free(&scene.shelf.upstream);
    worker_stop(&scene.worker);
    worker_run(&scene.worker);
    worker_done(&scene.worker);
    return 0;
}

static void wants(const char *agent, const char *uri, bool on)
{
    connect_subscribe(&scene.connect, STR("files"), str_of(agent), STR("ses-1"), str_of(uri), on);
}

static void a_server_is_asked_once_for_all_who_want_the_same(void **state)
{
    (void)state;
    wants("ann", "file:///a", true);
    wants("ann", "file:///a", true);
    wants("ann", "file:///a", false);
    settle();
    assert_string_equal(scene.told, "+agent:ann file:///a\n");
    wants("ann", "file:///a", false);
    wants("ann", "file:///a", false); /* one too many is nobody's */
    settle();
    assert_string_equal(scene.told, "+agent:ann file:///a\n-agent:ann file:///a\n");
    assert_null(scene.shelf.upstream.subscriptions);
}

static void agents_with_processes_of_their_own_subscribe_for_themselves(void **state)
{
    (void)state;
    wants("ann", "file:///a", true);
    wants("bob", "file:///a", true);
    wants("bob", "file:///b", true);
    wants("ann", "file:///a", false);
    settle();
    assert_string_equal(scene.told,
                        "+agent:ann file:///a\n+agent:bob file:///a\n+agent:bob file:///b\n-agent:ann file:///a\n");
}

static void where_the_gateway_listens_itself_all_share_one_subscription(void **state)
{
    (void)state;
    scene.shelf.kind.one_ear = true;
    wants("ann", "file:///a", true);
    wants("bob", "file:///a", true);
    settle();
    assert_string_equal(scene.told, "+ file:///a\n");
}

static void a_server_that_is_not_there_is_nobodys(void **state)
{
    (void)state;
    connect_subscribe(&scene.connect, STR("gone"), STR("ann"), STR("ses-1"), STR("file:///a"), true);
    scene.connect.closing = true;
    wants("ann", "file:///a", true);
    settle();
    assert_string_equal(scene.told, "");
}

static void there_are_so_many_and_no_more(void **state)
{
    char uri[32];
    (void)state;
    log_level_set(LOG_ERROR);
    scene.shelf.kind.one_ear = true;
    for (unsigned i = 0; i < 4098; i++) {
        snprintf(uri, sizeof(uri), "u%u", i);
        scene.told[0] = 0;
        wants("ann", uri, true);
        settle();
        assert_int_equal(scene.told[0] == '+', i < 4096);
    }
    wants("ann", "u0", false);
    wants("ann", "u4098", true);
    scene.told[0] = 0;
    settle();
    assert_string_equal(scene.told, "- u0\n+ u4098\n");
}

/* ---- the messages ---- */

static void listen_names_every_list_and_the_resources_of_its_key_alone(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 65536);
    wants("ann", "file:///\"a\"", true);
    wants("bob", "file:///b", true);
    settle();
    wire_write_listen(&b, &scene.shelf.upstream, STR("agent:ann"), STR("listen-1"));
    buf_char(&b, 0);
    assert_non_null(strstr(b.p, "\"id\":\"listen-1\",\"method\":\"subscriptions/listen\""));
    assert_non_null(strstr(b.p, "\"notifications\":{\"toolsListChanged\":true,\"promptsListChanged\":true,"
                                "\"resourcesListChanged\":true,\"resourceSubscriptions\":[\"file:///\\\"a\\\"\"]}"));
    buf_clear(&b);
    wire_write_listen(&b, &scene.shelf.upstream, STR("agent:eve"), STR("listen-1"));
    buf_char(&b, 0);
    assert_null(strstr(b.p, "resourceSubscriptions"));
    buf_done(&b);
}

static void a_legacy_server_is_asked_for_one_at_a_time(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 4096);
    wire_write_subscribe(&b, STR("file:///a"), true);
    buf_char(&b, '\n');
    wire_write_subscribe(&b, STR("file:///a"), false);
    buf_char(&b, 0);
    assert_string_equal(b.p, "{\"jsonrpc\":\"2.0\",\"id\":\"subscribe\",\"method\":\"resources/"
                             "subscribe\",\"params\":{\"uri\":\"file:///a\"}}\n"
                             "{\"jsonrpc\":\"2.0\",\"id\":\"unsubscribe\",\"method\":\"resources/"
                             "unsubscribe\",\"params\":{\"uri\":\"file:///"
                             "a\"}}");
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_server_is_asked_once_for_all_who_want_the_same, begin, end),
        cmocka_unit_test_setup_teardown(agents_with_processes_of_their_own_subscribe_for_themselves, begin, end),
        cmocka_unit_test_setup_teardown(where_the_gateway_listens_itself_all_share_one_subscription, begin, end),
        cmocka_unit_test_setup_teardown(a_server_that_is_not_there_is_nobodys, begin, end),
        cmocka_unit_test_setup_teardown(there_are_so_many_and_no_more, begin, end),
        cmocka_unit_test_setup_teardown(listen_names_every_list_and_the_resources_of_its_key_alone, begin, end),
        cmocka_unit_test(a_legacy_server_is_asked_for_one_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
