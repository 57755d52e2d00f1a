/* What a server over HTTP says by itself: a real server and the connector on one loop. */
#include "../conf_of.h"
#include "definitions.h"

#include <unistd.h>

#include "net/server.h"
#include "net/sse.h"
#include "store/store.h"

enum { PATIENCE_MS = 10000, STREAMS = 8 };

static struct scene {
    struct worker worker;
    struct server *server;
    struct conf *conf;
    struct store *store;
    struct pins *pins;
    struct connect *connect;
    uv_timer_t tick; /* so that the loop wakes up while nothing comes */
    struct exchange *stream[STREAMS];
    unsigned streams, sessions, gone;
    bool modern, deaf, closed, drained;
    int listen_error; /* the next subscriptions/listen is answered with it; 0: with a stream */
    struct buf seen;  /* "method session body\n" for each request */
    char updated[256];
} scene;

/* ---- the server ---- */

#define CAN "\"capabilities\":{\"tools\":{\"listChanged\":true},\"resources\":{\"subscribe\":true}}"

static void answer(struct exchange *x, int status, const char *text, const struct http_header *h)
{
    exchange_answer(x, status, STR("application/json"), h, h ? 1 : 0, str_of(text));
}

static void hold(struct exchange *x)
{
    assert_true(scene.streams < STREAMS);
    exchange_stream_begin(x, 200, STR("text/event-stream"), NULL, 0);
    scene.stream[scene.streams++] = x;
}

static void answer_result(struct exchange *x, struct str id, const char *result, const struct http_header *h)
{
    struct buf b;
    buf_init(&b, 65536);
    buf_fmt(&b, "{\"jsonrpc\":\"2.0\",\"id\":" STR_FMT ",\"result\":%s}", STR_ARG(id), result);
    buf_char(&b, 0);
    answer(x, 200, b.p, h);
    buf_done(&b);
}

static void answer_initialize(struct exchange *x, struct str id)
{
    struct str session = arena_fmt(&x->arena, "session-%u", ++scene.sessions);
    struct http_header h = {STR("Mcp-Session-Id"), session};
    answer_result(x, id,
                  "{\"protocolVersion\":\"2025-11-25\"," CAN ",\"serverInfo\":{\"name\":\"s\",\"version\":\"1\"}}", &h);
}

static void answer_error(struct exchange *x, struct str id, int code, int status)
{
    answer(x, status,
           arena_fmt(&x->arena, "{\"jsonrpc\":\"2.0\",\"id\":" STR_FMT ",\"error\":{\"code\":%d,\"message\":\"no\"}}",
                     STR_ARG(id), code)
               .p,
           NULL);
    scene.listen_error = 0;
}

static void answer_post(struct exchange *x, struct str method, struct str id)
{
    if (str_is(method, "server/discover") && scene.modern)
        answer_result(x, id, "{\"resultType\":\"complete\",\"supportedVersions\":[\"2026-07-28\"]," CAN "}", NULL);
    else if (str_is(method, "server/discover"))
        answer(x, 400, "", NULL);
    else if (str_is(method, "initialize") && scene.modern)
        answer_error(x, id, -32022, 400);
    else if (str_is(method, "subscriptions/listen") && scene.listen_error)
        answer_error(x, id, scene.listen_error, 200);
    else if (str_is(method, "initialize"))
        answer_initialize(x, id);
    else if (str_is(method, "subscriptions/listen"))
        hold(x);
    else if (!id.n)
        answer(x, 202, "", NULL);
    else
        answer_result(x, id, "{\"resultType\":\"complete\",\"tools\":[],\"resources\":[],\"resourceTemplates\":[]}",
                      NULL);
}

static void serve(struct exchange *x)
{
    struct json doc;
    struct str method = x->head.method, id = STR_NONE;
    bool post = str_is(method, "POST");
    if (post) {
        assert_int_equal(json_parse(&doc, x->body, &x->arena, NULL, NULL), ERR_OK);
        uint32_t node = json_get(&doc, JSON_ROOT, STR("id"));
        method = json_str(&doc, json_get(&doc, JSON_ROOT, STR("method")), &x->arena);
        id = node && method.n ? json_raw(&doc, node) : STR_NONE;
    }
    buf_fmt(&scene.seen, STR_FMT " " STR_FMT " " STR_FMT "\n", STR_ARG(method),
            STR_ARG(http_header(&x->head, "mcp-session-id")), STR_ARG(x->body));
    if (post)
        answer_post(x, method, id);
    else if (str_is(method, "GET") && !scene.deaf)
        hold(x);
    else
        answer(x, str_is(method, "GET") ? 405 : 200, "", NULL);
}

static void left(struct exchange *x)
{
    for (unsigned i = 0; i < scene.streams; i++)
        if (scene.stream[i] == x)
            scene.stream[i] = NULL;
    scene.gone++;
    exchange_stream_end(x);
}

static void say(unsigned stream, const char *message)
{
    struct buf event;
    char *text = quotes(strdup(message));
    buf_init(&event, 65536);
    sse_write(&event, str_of(text));
    exchange_stream_write(scene.stream[stream], buf_view(&event));
    buf_done(&event);
    free(text);
}

/* ---- the scene ---- */

static void tick(uv_timer_t *t)
{
    (void)t;
}

#define UNTIL(what)                                                                                                    \
    do {                                                                                                               \
        uint64_t late_ = uv_now(&scene.worker.loop) + PATIENCE_MS;                                                     \
        while (!(what) && uv_now(&scene.worker.loop) < late_)                                                          \
            uv_run(&scene.worker.loop, UV_RUN_ONCE);                                                                   \
        if (!(what))                                                                                                   \
            fail_msg("it never came: %s; seen:\n%.*s", #what, (int)scene.seen.n, scene.seen.p);                        \
    } while (0)

/* How often a request was seen whose line begins so. */
static unsigned seen(const char *begin)
{
    unsigned n = 0;
    struct str rest = buf_view(&scene.seen), line;
    while (rest.n && str_cut(&rest, '\n', &line))
        n += str_starts(line, str_of(begin));
    return n;
}

static bool last_has(const char *text)
{
    struct str rest = buf_view(&scene.seen), line = STR_NONE;
    while (rest.n && str_cut(&rest, '\n', &line))
        ;
    char *z = strndup(line.p, line.n);
    bool has = strstr(z, text) != NULL;
    free(z);
    return has;
}

static void updated(void *ctx, struct str server, struct str key, struct str uri)
{
    (void)ctx;
    snprintf(scene.updated, sizeof(scene.updated), STR_FMT " [" STR_FMT "] " STR_FMT, STR_ARG(server), STR_ARG(key),
             STR_ARG(uri));
}

static void pinned(void *ctx, enum pin_event event, const struct tool *t, struct str before)
{
    (void)ctx, (void)event, (void)t, (void)before;
}

static void begin(bool modern, bool deaf)
{
    static const struct server_ops ops = {.request = serve, .gone = left};
    static const struct connect_watch watch = {.updated = updated};
    struct server_limits limits = {0};
    struct fault f;
    char yaml[256];
    memset(&scene, 0, sizeof(scene));
    scene.modern = modern;
    scene.deaf = deaf;
    buf_init(&scene.seen, 1u << 20);
    log_level_set(LOG_ERROR);
    assert_int_equal(worker_init(&scene.worker, 0, &f), ERR_OK);
    uv_timer_init(&scene.worker.loop, &scene.tick);
    uv_timer_start(&scene.tick, tick, 20, 20);
    assert_int_equal(server_listen(&scene.worker, STR("127.0.0.1:0"), &limits, &ops, NULL, &scene.server, &f), ERR_OK);
    snprintf(yaml, sizeof(yaml), "servers:\n  up:\n    url: http://127.0.0.1:%u/mcp\n", server_port(scene.server));
    scene.conf = conf_of(yaml);
    assert_int_equal(store_sqlite_open(":memory:", &scene.store, &f), ERR_OK);
    assert_int_equal(pins_new(scene.store, pinned, NULL, &scene.pins, &f), ERR_OK);
    assert_int_equal(connect_new(scene.conf, scene.pins, &scene.worker, 1, &scene.connect, &f), ERR_OK);
    connect_watch(scene.connect, &watch);
    connect_start(scene.connect, NULL, NULL);
}

static void connector_closed(void *ctx)
{
    (void)ctx;
    scene.closed = true;
}

static void server_drained(struct server *s, void *ctx)
{
    (void)s, (void)ctx;
    scene.drained = true;
}

static void close_connector(void)
{
    connect_close(scene.connect, connector_closed, NULL);
    UNTIL(scene.closed);
}

static void end(void)
{
    if (!scene.closed)
        close_connector();
    server_drain(scene.server, 100, server_drained, NULL);
    UNTIL(scene.drained);
    server_free(scene.server, NULL);
    connect_free(scene.connect);
    uv_close((uv_handle_t *)&scene.tick, NULL);
    worker_stop(&scene.worker);
    worker_run(&scene.worker);
    worker_done(&scene.worker);
    pins_free(scene.pins);
    store_close(scene.store);
    conf_unref(scene.conf);
    buf_done(&scene.seen);
}

static void want(const char *uri, bool on)
{
    connect_subscribe(scene.connect, STR("up"), STR("ann"), STR("ses-1"), str_of(uri), on);
}

#define UPDATED "{'jsonrpc':'2.0','method':'notifications/resources/updated','params':{'uri':'file:///a'}}"
#define CHANGED "{'jsonrpc':'2.0','method':'notifications/tools/list_changed'}"

/* ---- the tests ---- */

static void what_a_modern_server_tells_is_passed_on_and_a_changed_list_is_read_again(void **state)
{
    (void)state;
    begin(true, false);
    UNTIL(scene.streams == 1);
    assert_true(last_has("\"toolsListChanged\":true"));
    say(0, UPDATED);
    UNTIL(scene.updated[0]);
    assert_string_equal(scene.updated, "up [] file:///a");
    say(0, CHANGED);
    UNTIL(seen("tools/list ") == 2);
    assert_int_equal(scene.streams, 1);
    end();
    assert_int_equal(scene.gone, 1);
}

static void a_new_subscription_has_a_new_stream_before_the_old_one_is_left(void **state)
{
    (void)state;
    begin(true, false);
    UNTIL(scene.streams == 1);
    want("file:///a", true);
    UNTIL(scene.streams == 2);
    assert_true(last_has("\"resourceSubscriptions\":[\"file:///a\"]"));
    assert_non_null(scene.stream[0]);
    say(1, UPDATED); /* it is heard: the one before may go */
    UNTIL(!scene.stream[0]);
    assert_non_null(scene.stream[1]);
    want("file:///a", false);
    UNTIL(scene.streams == 3);
    assert_false(last_has("resourceSubscriptions"));
    end();
}

static void a_stream_that_ends_is_opened_again_and_what_was_missed_is_read(void **state)
{
    (void)state;
    begin(true, false);
    UNTIL(scene.streams == 1);
    exchange_stream_end(scene.stream[0]);
    scene.stream[0] = NULL;
    UNTIL(scene.streams == 2);
    UNTIL(seen("tools/list ") == 2);
    end();
}

static void a_legacy_server_is_heard_in_a_session_of_the_gates_own(void **state)
{
    (void)state;
    begin(false, false);
    UNTIL(scene.streams == 1);
    unsigned session = scene.sessions;
    char get[64], subscribe[64], delete[64], reply[64];
    snprintf(get, sizeof(get), "GET session-%u ", session);
    snprintf(subscribe, sizeof(subscribe), "resources/subscribe session-%u ", session);
    snprintf(delete, sizeof(delete), "DELETE session-%u ", session);
    snprintf(reply, sizeof(reply), " session-%u {\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}", session);
    assert_int_equal(seen(get), 1);
    want("file:///a", true);
    UNTIL(seen(subscribe) == 1);
    say(0, "{'jsonrpc':'2.0','id':7,'method':'ping'}");
    UNTIL(seen(reply) == 1);
    say(0, UPDATED);
    UNTIL(scene.updated[0]);
    close_connector();
    UNTIL(seen(delete) == 1);
    end();
}

static void one_that_has_no_such_stream_gets_its_session_back(void **state)
{
    (void)state;
    begin(false, true);
    char delete[64];
    UNTIL(seen("GET ") == 1);
    snprintf(delete, sizeof(delete), "DELETE session-%u ", scene.sessions);
    UNTIL(seen(delete) == 1);
    assert_int_equal(seen("GET "), 1);
    end();
}

static void one_that_refuses_to_be_listened_to_is_asked_again(void **state)
{
    (void)state;
    begin(true, false);
    scene.listen_error = -32603;
    UNTIL(scene.streams == 1);
    assert_int_equal(seen("subscriptions/listen "), 2);
    end();
}

static void one_that_comes_back_in_another_era_is_heard_in_that_one(void **state)
{
    (void)state;
    char delete[64];
    begin(false, false);
    UNTIL(scene.streams == 1);
    snprintf(delete, sizeof(delete), "DELETE session-%u ", scene.sessions);
    scene.modern = true;
    say(0, CHANGED);
    UNTIL(seen("subscriptions/listen ") == 1);
    UNTIL(seen(delete) == 1);
    assert_null(scene.stream[0]);
    say(1, UPDATED);
    UNTIL(scene.updated[0]);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_modern_server_tells_is_passed_on_and_a_changed_list_is_read_again),
        cmocka_unit_test(a_new_subscription_has_a_new_stream_before_the_old_one_is_left),
        cmocka_unit_test(a_stream_that_ends_is_opened_again_and_what_was_missed_is_read),
        cmocka_unit_test(a_legacy_server_is_heard_in_a_session_of_the_gates_own),
        cmocka_unit_test(one_that_has_no_such_stream_gets_its_session_back),
        cmocka_unit_test(one_that_refuses_to_be_listened_to_is_asked_again),
        cmocka_unit_test(one_that_comes_back_in_another_era_is_heard_in_that_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
