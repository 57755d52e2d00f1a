/* The client's pool against an upstream that says what the test says, byte by byte. */
#include "peer.h"

#include "net/client.h"

#define OK "HTTP/1.1 200 OK\r\n"

static struct scene {
    struct worker worker;
    struct client *client;
    struct client_origin *origin;
    int listener;
    uint16_t port;
    sem_t closed;
} scene;

/* One call, and what came of it. */
struct trip {
    struct client_call call; /* first */
    sem_t done;
    int status;
    char content[256];
    size_t content_n, bytes;
    unsigned times;
    enum err err;
    struct fault fault;
    bool sent, cancel_on_data;
};

static void trip_head(struct client_call *c, const struct http_head *h)
{
    ((struct trip *)c)->status = h->status;
}

static void trip_data(struct client_call *c, struct str piece)
{
    struct trip *t = (struct trip *)c;
    size_t room = sizeof(t->content) - 1 - t->content_n, n = piece.n < room ? piece.n : room;
    memcpy(t->content + t->content_n, piece.p, n);
    t->content_n += n;
    t->bytes += piece.n;
    if (t->cancel_on_data)
        client_cancel(c);
}

static void trip_done(struct client_call *c, enum err e, const struct fault *f, bool sent)
{
    struct trip *t = (struct trip *)c;
    t->times++;
    t->err = e;
    t->sent = sent;
    if (f)
        t->fault = *f;
    sem_post(&t->done);
}

static const struct client_ops ops = {trip_head, trip_data, trip_done};

static struct trip trip(const char *method, const char *body)
{
    return (struct trip){.call = {.ops = &ops, .method = str_of(method), .target = STR("/x"), .body = str_of(body)}};
}

static void trip_send(void *arg)
{
    client_send(scene.origin, arg);
}

static void trip_cancel(void *arg)
{
    client_cancel(arg);
}

static void send_off(struct trip *t)
{
    sem_init(&t->done, 0, 0);
    on_worker(&scene.worker, trip_send, t);
}

static void came_back(struct trip *t, enum err e, const char *content)
{
    told(&t->done);
    if (t->err != e || (content && strcmp(t->content, content) != 0))
        fail_msg("%s (%s), %d \"%s\"", err_code(t->err), t->fault.text, t->status, t->content);
    assert_int_equal(t->times, 1);
}

static void scene_open(void *limits)
{
    struct fault f;
    struct http_url url;
    char text[64];
    snprintf(text, sizeof(text), "http://127.0.0.1:%u", scene.port);
    assert_int_equal(client_new(&scene.worker, limits, &scene.client, &f), ERR_OK);
    assert_int_equal(http_url_parse(str_of(text), &url, &f), ERR_OK);
    assert_int_equal(client_origin(scene.client, &url, NULL, &scene.origin, &f), ERR_OK);
}

static void scene_start(struct client_limits l)
{
    struct fault f;
    scene = (struct scene){0};
    sem_init(&scene.closed, 0, 0);
    scene.listener = peer_listen(&scene.port);
    assert_int_equal(worker_init(&scene.worker, 0, &f), ERR_OK);
    assert_int_equal(worker_start(&scene.worker, &f), ERR_OK);
    on_worker(&scene.worker, scene_open, &l);
}

static void scene_closed(void *ctx)
{
    (void)ctx;
    sem_post(&scene.closed);
}

static void scene_close(void *arg)
{
    (void)arg;
    client_close(scene.client, scene_closed, NULL);
}

static void scene_end(void)
{
    on_worker(&scene.worker, scene_close, NULL);
    told(&scene.closed);
    worker_stop(&scene.worker);
    worker_join(&scene.worker);
    worker_done(&scene.worker);
    close(scene.listener);
}

/* The upstream takes a connection and hears the request on it. */
static int met(const char *end)
{
    int fd = peer_accept(scene.listener);
    peer_hears(fd, end, "HTTP/1.1\r\nHost: 127.0.0.1:");
    return fd;
}

/* A call that has been answered, so that its connection waits in the pool. */
static int pooled(void)
{
    struct trip t = trip("POST", "first");
    send_off(&t);
    int fd = met("first");
    peer_say(fd, OK "Content-Length: 2\r\n\r\nok");
    came_back(&t, ERR_OK, "ok");
    return fd;
}

static void nobody_calls(void)
{
    assert_false(peer_ready(scene.listener, 50));
}

/* ---- answers ---- */

static void a_connection_is_used_again(void **state)
{
    (void)state;
    static const char *const answers[] = {
        OK "Content-Length: 2\r\n\r\nab", OK "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" OK "Content-Length: 2\r\n\r\nab"};
    scene_start((struct client_limits){0});
    int fd = pooled();
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
        for (int in_pieces = 0; in_pieces < 2; in_pieces++) {
            struct trip t = trip("POST", "again");
            send_off(&t);
            peer_hears(fd, "again", "POST /x HTTP/1.1");
            for (const char *c = answers[i]; in_pieces && c[1]; c++) {
                peer_put(fd, c, 1);
                usleep(200);
            }
            peer_say(fd, in_pieces ? answers[i] + strlen(answers[i]) - 1 : answers[i]);
            came_back(&t, ERR_OK, "ab");
        }
    struct trip head = trip("HEAD", NULL), get = trip("GET", NULL);
    send_off(&head);
    peer_hears(fd, "\r\n\r\n", "HEAD /x");
    peer_say(fd, OK "Content-Length: 7\r\n\r\n");
    came_back(&head, ERR_OK, "");
    send_off(&get);
    peer_hears(fd, "\r\n\r\n", "GET /x");
    peer_say(fd, "HTTP/1.1 204 No Content\r\n\r\n");
    came_back(&get, ERR_OK, "");
    assert_int_equal(get.status, 204);
    nobody_calls();
    close(fd);
    scene_end();
}

static void a_connection_that_is_not_clean_is_closed(void **state)
{
    (void)state;
    static const char *const answers[] = {
        OK "Connection: close\r\nContent-Length: 2\r\n\r\nab",
        OK "Content-Length: 2\r\n\r\nabHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
        OK "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\nx",
        "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nab",
    };
    scene_start((struct client_limits){0});
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct trip t = trip("POST", "body");
        send_off(&t);
        int fd = met("body");
        peer_say(fd, answers[i]);
        came_back(&t, ERR_OK, "ab");
        assert_true(peer_ended(fd));
        close(fd);
    }
    scene_end();
}

static void a_body_may_end_with_its_connection(void **state)
{
    (void)state;
    scene_start((struct client_limits){0});
    struct trip t = trip("GET", NULL);
    send_off(&t);
    int fd = met("\r\n\r\n");
    peer_say(fd, OK "\r\nuntil the end");
    close(fd);
    came_back(&t, ERR_OK, "until the end");
    scene_end();
}

static void each_bad_answer_is_garbage_and_ends_the_connection(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        enum err err;
    } rows[] = {
        {OK "Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc", ERR_UPSTREAM_GARBAGE},
        {OK "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", ERR_UPSTREAM_GARBAGE},
        {OK "Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n0\r\n\r\n", ERR_UPSTREAM_GARBAGE},
        {OK "Transfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n", ERR_UPSTREAM_GARBAGE},
        {OK "Transfer-Encoding: chunked\r\n\r\n10000000000000002\r\nab", ERR_UPSTREAM_GARBAGE},
        {OK "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nContent-Length: 4\r\n\r\n", ERR_UPSTREAM_GARBAGE},
        {OK "X: a\r\n b\r\n\r\n", ERR_UPSTREAM_GARBAGE},
        {"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nab", ERR_UPSTREAM_GARBAGE},
        {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", ERR_UPSTREAM_GARBAGE},
        {"SSH-2.0-OpenSSH_9.2\r\n", ERR_OK}, /* not whole: it stays open and is no head */
        {OK "Content-Length: 101\r\n\r\nab", ERR_LIMIT},
        {OK "Transfer-Encoding: chunked\r\n\r\nffff\r\nab", ERR_LIMIT},
    };
    scene_start((struct client_limits){.body_bytes = 100});
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct trip t = trip("POST", "body");
        send_off(&t);
        int fd = met("body");
        peer_say(fd, rows[i].answer);
        if (rows[i].err == ERR_OK)
            peer_say(fd, "\r\n");
        came_back(&t, rows[i].err ? rows[i].err : ERR_UPSTREAM_GARBAGE, NULL);
        assert_true(t.sent);
        assert_true(peer_ended(fd));
        close(fd);
    }
    nobody_calls(); /* none of them is tried again */
    scene_end();
}

/* The upstream sends the same text for ever. */
static void floods(const char *first, const char *again)
{
    struct trip t = trip("POST", "body");
    send_off(&t);
    int fd = met("body");
    peer_say(fd, first);
    for (int i = 0; i < 200000 && send(fd, again, strlen(again), MSG_NOSIGNAL) > 0; i++)
        ;
    came_back(&t, ERR_UPSTREAM_GARBAGE, NULL);
    close(fd);
}

static void endless_heads_are_cut(void **state)
{
    (void)state;
    scene_start((struct client_limits){0});
    floods("HTTP/1.1 200 OK\r\nX: ", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    floods("HTTP/1.1 200 OK\r\n", "X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n");
    floods("", "HTTP/1.1 100 Continue\r\n\r\n");
    scene_end();
}

/* ---- at most once ---- */

static void a_connection_that_broke_off_fails_the_call(void **state)
{
    (void)state;
    static const char *const begun[] = {"", "HTTP/1.1 2", OK "Content-Length: 5\r\n\r\nab",
                                        OK "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"};
    scene_start((struct client_limits){0});
    for (size_t i = 0; i < sizeof(begun) / sizeof(begun[0]); i++)
        for (int again = 0; again < 2; again++) {
            int fd = again ? pooled() : -1;
            struct trip t = trip("POST", "body");
            send_off(&t);
            if (again)
                peer_hears(fd, "body", "POST /x");
            else
                fd = met("body");
            peer_say(fd, begun[i]);
            close(fd);
            came_back(&t, ERR_UPSTREAM, NULL);
            assert_true(t.sent);
            nobody_calls(); /* it may have been done: never a second time */
        }
    scene_end();
}

static void only_what_is_idempotent_is_sent_again_and_once(void **state)
{
    (void)state;
    scene_start((struct client_limits){0});
    int fd = pooled();
    struct trip t = trip("POST", "body");
    t.call.idempotent = true;
    send_off(&t);
    peer_hears(fd, "body", "POST /x");
    close(fd);
    fd = met("body");
    peer_say(fd, OK "Content-Length: 2\r\n\r\nab");
    came_back(&t, ERR_OK, "ab");
    t = trip("POST", "body");
    t.call.idempotent = true;
    send_off(&t);
    peer_hears(fd, "body", "POST /x");
    close(fd);
    fd = met("body");
    close(fd);
    came_back(&t, ERR_UPSTREAM, NULL);
    assert_true(t.sent);
    nobody_calls();
    scene_end();
}

/* What happens on a pooled connection in the very turn of the loop in which it is taken. */
struct at_once {
    struct trip *trip;
    int fd;
    const char *says; /* NULL: it closes */
};

static void spoil_and_send(void *arg)
{
    struct at_once *a = arg;
    if (a->says)
        send(a->fd, a->says, strlen(a->says), MSG_NOSIGNAL);
    else
        close(a->fd);
    client_send(scene.origin, &a->trip->call);
}

static void a_stale_connection_costs_no_call(void **state)
{
    (void)state;
    scene_start((struct client_limits){0});
    static const char *const says[] = {NULL, OK "Content-Length: 4\r\n\r\nevil", "x"};
    for (int i = 0; i < 3; i++) {
        int old = pooled();
        struct trip t = trip("POST", "fresh");
        sem_init(&t.done, 0, 0);
        on_worker(&scene.worker, spoil_and_send, &(struct at_once){&t, old, says[i]});
        int fd = met("fresh");
        peer_say(fd, OK "Connection: close\r\nContent-Length: 5\r\n\r\nfresh");
        came_back(&t, ERR_OK, "fresh"); /* and not what nobody had asked for */
        if (says[i])
            close(old);
        close(fd);
    }
    scene_end();
}

static void an_early_answer_ends_the_connection(void **state)
{
    (void)state;
    scene_start((struct client_limits){0});
    char *large = malloc(20000001);
    memset(large, 'x', 20000000);
    large[20000000] = 0;
    struct trip t = trip("POST", large);
    send_off(&t);
    int fd = met("\r\n\r\n");
    peer_say(fd, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n");
    came_back(&t, ERR_OK, "");
    assert_int_equal(t.status, 413);
    struct trip next = trip("POST", "next");
    send_off(&next); /* never behind the rest of the other's body */
    int fresh = met("next");
    peer_say(fresh, OK "Content-Length: 0\r\n\r\n");
    came_back(&next, ERR_OK, "");
    close(fd);
    close(fresh);
    free(large);
    scene_end();
}

static void a_slow_upstream_gets_the_whole_request(void **state)
{
    (void)state;
    scene_start((struct client_limits){0});
    char *large = malloc(8000001), piece[100000];
    memset(large, 'x', 8000000);
    large[8000000] = 0;
    struct trip t = trip("POST", large);
    send_off(&t);
    int fd = met("Content-Length: 8000000\r\n\r\n");
    size_t total = 0;
    for (ssize_t n; total < 8000000 && (n = recv(fd, piece, sizeof(piece), 0)) > 0; usleep(500))
        total += (size_t)n;
    assert_int_equal(total, 8000000);
    peer_say(fd, OK "Content-Length: 0\r\n\r\n");
    came_back(&t, ERR_OK, "");
    close(fd);
    free(large);
    scene_end();
}

/* ---- time ---- */

static void deadlines(void **state)
{
    (void)state;
    scene_start((struct client_limits){0});
    struct trip silent = trip("POST", "a"), drips = trip("POST", "b"), stalls = trip("POST", "c");
    silent.call.timeout_ms = 1;
    drips.call.timeout_ms = 300; /* to the end of the head, however busily it comes */
    stalls.call.stall_ms = 1;
    send_off(&silent);
    int a = met("a");
    came_back(&silent, ERR_UPSTREAM_TIMEOUT, NULL);
    assert_true(silent.sent);
    assert_true(peer_ended(a));
    close(a);
    send_off(&drips);
    int b = met("b");
    peer_say(b, "HTTP/1.1 100 Continue\r\n\r\n" OK "X: ");
    for (int i = 0; i < PATIENCE_MS / 10 && !peer_ready(b, 10); i++)
        send(b, "x", 1, MSG_NOSIGNAL);
    came_back(&drips, ERR_UPSTREAM_TIMEOUT, NULL);
    close(b);
    send_off(&stalls);
    int c = met("c");
    peer_say(c, OK "Content-Length: 5\r\n\r\nab");
    came_back(&stalls, ERR_UPSTREAM_TIMEOUT, "ab");
    close(c);
    scene_end();
}

static void a_port_where_nobody_listens(void **state)
{
    (void)state;
    scene_start((struct client_limits){0});
    close(scene.listener);
    struct trip t = trip("POST", "body");
    send_off(&t);
    came_back(&t, ERR_UPSTREAM, NULL);
    assert_false(t.sent);
    scene.listener = -1;
    scene_end();
}

static void an_idle_connection_is_closed_in_time(void **state)
{
    (void)state;
    scene_start((struct client_limits){.idle_ms = 1});
    int fd = pooled();
    assert_true(peer_ended(fd));
    close(fd);
    scene_end();
}

/* ---- the queue, and giving up ---- */

static void calls_wait_for_a_connection_in_their_order(void **state)
{
    (void)state;
    scene_start((struct client_limits){.per_origin = 1, .queue = 2});
    struct trip t[4] = {trip("POST", "one"), trip("POST", "two"), trip("POST", "three"), trip("POST", "four")};
    for (int i = 0; i < 4; i++)
        send_off(&t[i]);
    came_back(&t[3], ERR_UPSTREAM, NULL); /* the queue is full */
    assert_false(t[3].sent);
    int fd = met("one");
    peer_say(fd, OK "Content-Length: 1\r\n\r\n1");
    came_back(&t[0], ERR_OK, "1");
    peer_hears(fd, "two", "POST /x");
    peer_say(fd, OK "Connection: close\r\nContent-Length: 1\r\n\r\n2");
    came_back(&t[1], ERR_OK, "2");
    close(fd);
    fd = met("three");
    peer_say(fd, OK "Content-Length: 1\r\n\r\n3");
    came_back(&t[2], ERR_OK, "3");
    close(fd);
    scene_end();
}

static void a_cancelled_call_ends_its_connection_or_leaves_the_queue(void **state)
{
    (void)state;
    scene_start((struct client_limits){.per_origin = 1});
    struct trip under_way = trip("POST", "one"), waits = trip("POST", "two"), within = trip("POST", "three");
    send_off(&under_way);
    int fd = met("one");
    send_off(&waits);
    on_worker(&scene.worker, trip_cancel, &waits);
    came_back(&waits, ERR_CANCELLED, NULL);
    assert_false(waits.sent);
    on_worker(&scene.worker, trip_cancel, &under_way);
    came_back(&under_way, ERR_CANCELLED, NULL);
    assert_true(under_way.sent);
    assert_true(peer_ended(fd));
    close(fd);
    within.cancel_on_data = true;
    send_off(&within);
    fd = met("three");
    peer_say(fd, OK "Content-Length: 6\r\n\r\nabc");
    came_back(&within, ERR_CANCELLED, "abc");
    assert_true(peer_ended(fd));
    close(fd);
    scene_end();
}

static void closing_the_client_cancels_all(void **state)
{
    (void)state;
    scene_start((struct client_limits){.per_origin = 1});
    struct trip under_way = trip("POST", "one"), waits = trip("POST", "two");
    send_off(&under_way);
    int fd = met("one");
    send_off(&waits);
    scene_end();
    came_back(&under_way, ERR_CANCELLED, NULL);
    came_back(&waits, ERR_CANCELLED, NULL);
    assert_true(peer_ended(fd));
    close(fd);
}

static void a_header_cannot_smuggle_another(void **state)
{
    (void)state;
    static const struct http_header evil[] = {{{"Mcp-Name", 8}, {"a\r\nX-Evil: b", 12}},
                                              {{"X", 1}, {"a\nb", 3}},
                                              {{"X\r\nY", 4}, {"a", 1}},
                                              {{"X", 1}, {"a\0b", 3}}};
    scene_start((struct client_limits){0});
    for (size_t i = 0; i <= sizeof(evil) / sizeof(evil[0]); i++) {
        struct trip t = trip("POST", "body");
        if (i < sizeof(evil) / sizeof(evil[0])) {
            t.call.headers = &evil[i];
            t.call.header_count = 1;
        } else {
            t.call.target = STR("/x HTTP/1.1\r\nX-Evil: b");
        }
        send_off(&t);
        came_back(&t, ERR_PARAMS, NULL);
        assert_false(t.sent);
    }
    nobody_calls();
    scene_end();
}

static void a_name_is_resolved_and_each_address_tried(void **state)
{
    (void)state;
    scene_start((struct client_limits){0});
    struct http_url url;
    struct fault f;
    char text[64];
    snprintf(text, sizeof(text), "http://localhost:%u/", scene.port); /* maybe ::1 first, where nobody listens */
    assert_int_equal(http_url_parse(str_of(text), &url, &f), ERR_OK);
    assert_int_equal(client_origin(scene.client, &url, NULL, &scene.origin, &f), ERR_OK);
    struct trip t = trip("POST", "body");
    send_off(&t);
    int fd = peer_accept(scene.listener);
    peer_hears(fd, "body", "Host: localhost:");
    peer_say(fd, OK "Content-Length: 2\r\n\r\nab");
    came_back(&t, ERR_OK, "ab");
    close(fd);
    assert_int_equal(http_url_parse(STR("http://nobody.invalid/"), &url, &f), ERR_OK);
    assert_int_equal(client_origin(scene.client, &url, NULL, &scene.origin, &f), ERR_OK);
    struct trip lost = trip("POST", "body");
    send_off(&lost);
    came_back(&lost, ERR_UPSTREAM, NULL);
    assert_false(lost.sent);
    scene_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_is_used_again),
        cmocka_unit_test(a_connection_that_is_not_clean_is_closed),
        cmocka_unit_test(a_body_may_end_with_its_connection),
        cmocka_unit_test(each_bad_answer_is_garbage_and_ends_the_connection),
        cmocka_unit_test(endless_heads_are_cut),
        cmocka_unit_test(a_connection_that_broke_off_fails_the_call),
        cmocka_unit_test(only_what_is_idempotent_is_sent_again_and_once),
        cmocka_unit_test(a_stale_connection_costs_no_call),
        cmocka_unit_test(an_early_answer_ends_the_connection),
        cmocka_unit_test(a_slow_upstream_gets_the_whole_request),
        cmocka_unit_test(deadlines),
        cmocka_unit_test(a_port_where_nobody_listens),
        cmocka_unit_test(an_idle_connection_is_closed_in_time),
        cmocka_unit_test(calls_wait_for_a_connection_in_their_order),
        cmocka_unit_test(a_cancelled_call_ends_its_connection_or_leaves_the_queue),
        cmocka_unit_test(closing_the_client_cancels_all),
        cmocka_unit_test(a_header_cannot_smuggle_another),
        cmocka_unit_test(a_name_is_resolved_and_each_address_tried),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
