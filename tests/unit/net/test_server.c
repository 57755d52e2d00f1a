/* The server on a real socket, with clients that send raw bytes. */
#include "peer.h"

#include "net/server.h"

#define GET(path)     "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"
#define POST(path, n) "POST " path " HTTP/1.1\r\nHost: h\r\nContent-Length: " #n "\r\n\r\n"

static struct scene {
    struct worker worker;
    struct server *server;
    uint16_t port;
    struct exchange *parked;
    sem_t arrived, left, closed;
    unsigned handled, done, gone, connections, careful; /* the worker's thread; read through `counted` */
} scene;

/* ---- the handler: by path ---- */

static void serve_big(struct exchange *x)
{
    struct buf b;
    buf_init(&b, 32u << 20);
    size_t n = strtoul(x->head.query.p, NULL, 10);
    assert_true(buf_reserve(&b, n));
    memset(b.p, 'x', n);
    b.n = n;
    exchange_answer(x, 200, STR("text/plain"), NULL, 0, buf_view(&b));
    buf_done(&b);
}

static void serve_stream(struct exchange *x)
{
    exchange_stream_begin(x, 200, STR("text/plain"), NULL, 0);
    exchange_stream_write(x, STR("one"));
    exchange_stream_write(x, STR(""));
    exchange_stream_write(x, STR("twenty-six letters and more"));
    exchange_stream_end(x);
}

static void serve_flood(struct exchange *x)
{
    static char piece[65536];
    exchange_stream_begin(x, 200, STR("text/plain"), NULL, 0);
    for (size_t n = strtoul(x->head.query.p, NULL, 10); n >= sizeof(piece); n -= sizeof(piece))
        exchange_stream_write(x, (struct str){piece, sizeof(piece)});
    exchange_stream_end(x);
}

/* Writes only what the client takes. */
static void serve_careful(struct exchange *x)
{
    static char piece[65536];
    while (scene.careful && !exchange_stream_queued(x)) {
        exchange_stream_write(x, (struct str){piece, sizeof(piece)});
        scene.careful--;
    }
    if (!scene.careful && !exchange_stream_queued(x))
        exchange_stream_end(x);
}

static void serve_drained(struct exchange *x)
{
    if (str_is(x->head.path, "/careful"))
        serve_careful(x);
}

static void serve_echo(struct exchange *x)
{
    struct buf b;
    buf_init(&b, 16u << 20);
    buf_fmt(&b, STR_FMT " " STR_FMT " " STR_FMT " [", STR_ARG(x->head.method), STR_ARG(x->head.target),
            STR_ARG(http_header(&x->head, "x-mark")));
    buf_str(&b, x->body);
    buf_char(&b, ']');
    exchange_answer(x, 200, STR("text/plain"), NULL, 0, buf_view(&b));
    buf_done(&b);
}

static enum err serve_head(struct exchange *x, struct fault *f)
{
    return str_is(x->head.path, "/forbidden") ? fault_set(f, ERR_ORIGIN, "not here") : ERR_OK;
}

static void serve(struct exchange *x)
{
    static const struct http_header evil = {{"X-Said", 6}, {"a\r\nEvil: b\n\nc", 13}};
    scene.handled++;
    if (str_is(x->head.path, "/park")) {
        scene.parked = x;
        sem_post(&scene.arrived);
    } else if (str_is(x->head.path, "/big")) {
        serve_big(x);
    } else if (str_is(x->head.path, "/flood")) {
        serve_flood(x);
    } else if (str_is(x->head.path, "/careful")) {
        scene.careful = (unsigned)strtoul(x->head.query.p, NULL, 10);
        exchange_stream_begin(x, 200, STR("text/plain"), NULL, 0);
        exchange_stream_patience(x, PATIENCE_MS);
        serve_careful(x);
    } else if (str_is(x->head.path, "/stream")) {
        serve_stream(x);
    } else if (str_is(x->head.path, "/nothing")) {
        exchange_answer(x, 204, STR_NONE, NULL, 0, STR_NONE);
    } else if (str_is(x->head.path, "/evil")) {
        exchange_answer(x, 200, STR("text/plain\r\nEvil: c"), &evil, 1, STR_NONE);
    } else {
        serve_echo(x);
    }
}

static void serve_gone(struct exchange *x)
{
    scene.gone++;
    if (str_is(x->head.query, "answers")) /* as a call that is cancelled at once does */
        exchange_answer(x, 200, STR_NONE, NULL, 0, STR("too late"));
    sem_post(&scene.left);
}

static void serve_done(struct exchange *x)
{
    (void)x;
    scene.done++;
}

static const struct server_ops ops = {
    .head = serve_head, .request = serve, .gone = serve_gone, .drained = serve_drained, .done = serve_done};

/* ---- the scene ---- */

static void scene_closed(struct server *s, void *ctx)
{
    (void)ctx;
    server_free(s, NULL);
    sem_post(&scene.closed);
}

static void scene_drain(void *grace_ms)
{
    server_drain(scene.server, *(unsigned *)grace_ms, scene_closed, NULL);
}

static void scene_start(struct server_limits l)
{
    struct fault f;
    scene = (struct scene){0};
    sem_init(&scene.arrived, 0, 0);
    sem_init(&scene.left, 0, 0);
    sem_init(&scene.closed, 0, 0);
    assert_int_equal(worker_init(&scene.worker, 0, &f), ERR_OK);
    assert_int_equal(server_listen(&scene.worker, STR("127.0.0.1:0"), &l, &ops, NULL, &scene.server, &f), ERR_OK);
    scene.port = server_port(scene.server);
    assert_int_equal(worker_start(&scene.worker, &f), ERR_OK);
}

static void scene_end_after(unsigned grace_ms)
{
    on_worker(&scene.worker, scene_drain, &grace_ms);
    told(&scene.closed);
    worker_stop(&scene.worker);
    worker_join(&scene.worker);
    worker_done(&scene.worker);
}

static void scene_end(void)
{
    scene_end_after(0);
}

static void scene_answer(void *text)
{
    exchange_answer(scene.parked, 200, STR("text/plain"), NULL, 0, *(struct str *)text);
}

static void answer_parked(const char *text)
{
    struct str s = str_of(text);
    on_worker(&scene.worker, scene_answer, &s);
}

static void scene_count(void *copy)
{
    scene.connections = server_connections(scene.server);
    *(struct scene *)copy = scene;
}

static struct scene counted(void)
{
    struct scene now;
    on_worker(&scene.worker, scene_count, &now);
    return now;
}

/* Connections come and close a turn of the loop later than the client sees it. */
static void until_connections(unsigned n)
{
    unsigned now = counted().connections;
    for (int i = 0; i < PATIENCE_MS / 2 && now != n; i++) {
        usleep(2000);
        now = counted().connections;
    }
    assert_int_equal(now, n);
}

static void until_handled(unsigned n)
{
    for (int i = 0; i < PATIENCE_MS / 2 && counted().handled < n; i++)
        usleep(2000);
    assert_true(counted().handled >= n);
}

static int spoken(const char *text)
{
    int fd = peer_connect(scene.port);
    peer_say(fd, text);
    return fd;
}

/* Says it on a connection of its own; the connection ends with these words heard. */
static void says_and_ends(const char *text, const char *words)
{
    int fd = spoken(text);
    peer_hears(fd, NULL, words);
    close(fd);
}

/* ---- what the client sees ---- */

static void a_connection_is_kept_alive(void **state)
{
    (void)state;
    scene_start((struct server_limits){0});
    int fd = spoken(GET("/a"));
    peer_hears(fd, "[]", "GET /a  []");
    peer_say(fd, POST("/b", 3) "xyz");
    peer_hears(fd, "[xyz]", "POST /b  [xyz]");
    peer_say(fd, "HEAD /c HTTP/1.1\r\nHost: h\r\n\r\n" GET("/d"));
    peer_hears(fd, "[]", "Content-Length: 11\r\n\r\nHTTP/1.1 200 OK"); /* no body between the two */
    peer_say(fd, "GET /e HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    peer_hears(fd, NULL, "Connection: close");
    close(fd);
    assert_int_equal(counted().handled, 5);
    scene_end();
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    (void)state;
    scene_start((struct server_limits){0});
    int fd = spoken(GET("/1") POST("/2", 2) "ab" GET("/park") "POST /4 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
                                                              "chunked\r\n\r\n2\r\ncd\r\n0\r\n\r\n" GET("/5"));
    peer_hears(fd, "/2  [ab]", "/1  []");
    told(&scene.arrived); /* the third waits; nothing overtakes it */
    peer_say(fd, GET("/6"));
    assert_false(peer_ready(fd, 20));
    answer_parked("third");
    char *text = peer_hear(fd, "/6  []");
    assert_non_null(text);
    char *third = strstr(text, "third"), *fourth = strstr(text, "/4  [cd]"), *fifth = strstr(text, "/5  []");
    assert_true(third && fourth && fifth && third < fourth && fourth < fifth);
    free(text);
    close(fd);
    scene_end();
}

/* The strings of a head stay where they are while its body comes in pieces of any size, with the next request behind
 * it. */
static void a_head_outlives_the_arrival_of_its_body(void **state)
{
    (void)state;
    scene_start((struct server_limits){.body_bytes = 400000});
    static char body[300000];
    memset(body, 'b', sizeof(body));
    int fd = spoken("POST /far HTTP/1.1\r\nHost: h\r\nX-Mark: mark\r\nContent-Length: 300000\r\n\r\n");
    peer_put(fd, body, sizeof(body) - 1);
    usleep(20000);
    peer_say(fd, "c" GET("/next"));
    peer_hears(fd, "/next  []", "POST /far mark [bbb");
    peer_say(fd, "POST /chunked HTTP/1.1\r\nHost: h\r\nX-Mark: mark\r\nTransfer-Encoding: chunked\r\n\r\n");
    char *chunks = malloc(6 * 390000 + 1);
    for (int i = 0; i < 390000; i++)
        memcpy(chunks + 6 * i, "1\r\nd\r\n", 6);
    peer_put(fd, chunks, 6 * 390000); /* six bytes of framing for one of content */
    free(chunks);
    peer_say(fd, "0\r\n\r\n" GET("/last"));
    peer_hears(fd, "/last  []", "POST /chunked mark [ddd");
    close(fd);
    scene_end();
}

static void a_client_that_pipelines_without_end_is_not_read_on(void **state)
{
    (void)state;
    scene_start((struct server_limits){0});
    int fd = spoken(GET("/park"));
    told(&scene.arrived);
    char many[4096];
    size_t sent = 0;
    const char one[] = GET("/p");
    for (size_t at = 0; at < sizeof(many); at++)
        many[at] = one[at % (sizeof(one) - 1)];
    while (sent < (64u << 20) && poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, 200) == 1) {
        char piece[sizeof(many)];
        size_t shift = sent % (sizeof(one) - 1);
        for (size_t i = 0; i < sizeof(piece); i++)
            piece[i] = one[(shift + i) % (sizeof(one) - 1)];
        ssize_t n = send(fd, piece, sizeof(piece), MSG_NOSIGNAL | MSG_DONTWAIT);
        sent += n > 0 ? (size_t)n : 0;
    }
    assert_true(sent < (64u << 20)); /* the socket's own buffers are full */
    answer_parked("now");
    size_t want = sent / (sizeof(one) - 1);
    for (size_t i = 0; i < want; i += 1000) /* all that came whole is answered */
        for (size_t k = 0; k < (want - i < 1000 ? want - i : 1000); k++)
            peer_hears(fd, "/p  []", "HTTP/1.1 200 OK");
    close(fd);
    scene_end();
}

static void each_malformed_request_ends_the_connection(void **state)
{
    (void)state;
    static const struct {
        const char *request, *words;
    } rows[] = {
        {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request"},
        {"GET / HTTP/1.0\r\nHost: h\r\n\r\n", "HTTP/1.1 400 Bad Request"},
        {"get / HTTP/1.1\r\nHost: h\r\n\r\n", "{\"error\":\"malformed\",\"message\":\"the method is none of"},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" GET(
             "/smuggled"),
         "Content-Length and Transfer-Encoding together"},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na" GET("/smuggled"),
         "came twice"},
        {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1;\na\r\n0\r\n\r\n" GET("/smuggled"),
         "Connection: close"},
        {"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n" GET("/smuggled"), "bytes follow a request"},
        {POST("/", 1048577), "HTTP/1.1 413 Content Too Large"},
        {"\x16\x03\x01\x02\x01\x01\xfc\x03\x03\r\n\r\n", "HTTP/1.1 400 Bad Request"}, /* TLS */
        {GET("/forbidden") GET("/smuggled"), "HTTP/1.1 403 Forbidden"},
    };
    scene_start((struct server_limits){0});
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        says_and_ends(rows[i].request, rows[i].words);
    until_connections(0);
    struct scene now = counted();
    assert_int_equal(now.handled, 0);
    assert_int_equal(now.done, sizeof(rows) / sizeof(rows[0]));
    scene_end();
}

static void what_follows_a_last_request_is_never_read_as_one(void **state)
{
    (void)state;
    scene_start((struct server_limits){0});
    int fd = spoken("GET /park HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    told(&scene.arrived);
    peer_say(fd, GET("/smuggled"));
    answer_parked("last");
    peer_say(fd, GET("/smuggled"));
    peer_hears(fd, NULL, "last");
    close(fd);
    until_connections(0);
    assert_int_equal(counted().handled, 1);
    scene_end();
}

static void a_body_is_asked_for_when_the_client_waits(void **state)
{
    (void)state;
    scene_start((struct server_limits){0});
    int fd = spoken("PUT /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    peer_hears(fd, "\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n");
    peer_say(fd, "ab");
    peer_hears(fd, "[ab]", "HTTP/1.1 200 OK");
    close(fd);
    says_and_ends("PUT /x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 9999999\r\n\r\n",
                  "HTTP/1.1 413"); /* before the client sends it */
    scene_end();
}

static void answers_by_their_status_and_method(void **state)
{
    (void)state;
    scene_start((struct server_limits){0});
    int fd = spoken(GET("/stream"));
    peer_hears(fd, "0\r\n\r\n",
               "Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n1b\r\ntwenty-six letters and more\r\n0\r\n\r\n");
    peer_say(fd, "HEAD /stream HTTP/1.1\r\nHost: h\r\n\r\n" GET("/nothing") GET("/z"));
    char *text = peer_hear(fd, "/z  []");
    assert_non_null(text);
    assert_non_null(strstr(text, "chunked\r\n\r\nHTTP/1.1 204 No Content")); /* HEAD: no chunk, not even the last */
    char *bare = strstr(text, "HTTP/1.1 204"), *next = strstr(bare, "HTTP/1.1 200"),
         *length = strstr(bare, "Content-Length");
    assert_true(next && length && length > next); /* 204 says no length */
    free(text);
    close(fd);
    scene_end();
}

static void a_value_cannot_become_a_header(void **state)
{
    (void)state;
    scene_start((struct server_limits){0});
    int fd = spoken(GET("/evil"));
    char *text = peer_hear(fd, "\r\n\r\n");
    assert_non_null(text);
    assert_non_null(strstr(text, "X-Said: a  Evil: b  c\r\n"));
    assert_null(strstr(text, "\nEvil"));
    free(text);
    close(fd);
    scene_end();
}

/* ---- clients that leave or do not move ---- */

static void a_client_that_leaves_is_seen_while_its_request_waits(void **state)
{
    (void)state;
    static const char *const requests[] = {GET("/park"), GET("/park?answers")};
    scene_start((struct server_limits){0});
    for (unsigned i = 0; i < 2; i++) {
        int fd = spoken(requests[i]);
        told(&scene.arrived);
        close(fd);
        told(&scene.left);
        if (i == 0) /* the handler still owes its answer */
            answer_parked("to nobody");
        until_connections(0);
        assert_int_equal(counted().gone, i + 1);
        assert_int_equal(counted().done, i + 1);
    }
    scene_end();
}

static void a_client_that_leaves_in_the_middle_leaves_nothing_behind(void **state)
{
    (void)state;
    static const char *const begun[] = {"G", "GET / HTTP/1.1\r\nHost: h\r\n", POST("/x", 10) "abc",
                                        "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"};
    scene_start((struct server_limits){0});
    for (size_t i = 0; i < sizeof(begun) / sizeof(begun[0]); i++) {
        int fd = spoken(begun[i]);
        until_connections(1);
        usleep(i * 2000); /* with and without the bytes read */
        close(fd);
        until_connections(0);
    }
    assert_int_equal(counted().handled, 0);
    assert_int_equal(counted().gone, 0); /* nobody had heard of them */
    scene_end();
}

static void deadlines(void **state)
{
    (void)state;
    scene_start((struct server_limits){.idle_ms = 1, .head_ms = 1, .body_ms = 1});
    int silent = peer_connect(scene.port), head = spoken("GET / HTTP/1.1\r\nHost:"), body = spoken(POST("/", 5) "ab"),
        idle = spoken(GET("/idle"));
    assert_true(peer_ended(silent));
    peer_hears(head, NULL, "HTTP/1.1 408 Request Timeout");
    peer_hears(body, NULL, "HTTP/1.1 408 Request Timeout");
    peer_hears(idle, NULL, "/idle  []");
    close(silent);
    close(head);
    close(body);
    close(idle);
    until_connections(0);
    scene_end();
}

/* The deadline of a head counts from its first byte: a byte now and then does not move it. */
static void a_slow_head_is_cut(void **state)
{
    (void)state;
    scene_start((struct server_limits){.head_ms = 300});
    int fd = spoken("GET / HTTP/1.1\r\nHost: h\r\nX: ");
    for (int i = 0; i < PATIENCE_MS / 20 && !peer_ready(fd, 20); i++)
        send(fd, "x", 1, MSG_NOSIGNAL);
    peer_hears(fd, NULL, "HTTP/1.1 408 Request Timeout");
    close(fd);
    scene_end();
}

static void a_client_that_does_not_read_is_cut(void **state)
{
    (void)state;
    scene_start((struct server_limits){.write_ms = 1});
    int fd = spoken(GET("/big?30000000"));
    until_handled(1);
    until_connections(0);
    close(fd);
    assert_int_equal(counted().done, 1);
    scene_end();
}

static void a_stream_that_piles_up_is_bounded(void **state)
{
    (void)state;
    scene_start((struct server_limits){.write_bytes = 100000});
    int fd = spoken(GET("/flood?9000000"));
    until_handled(1);
    until_connections(0); /* long before write_ms: what comes does not fit behind what waits */
    close(fd);
    scene_end();
}

/* Who waits until all is out writes any amount, to a client that does not read for longer than others may. */
static void a_stream_that_waits_for_its_client_is_never_cut(void **state)
{
    (void)state;
    enum { PIECES = 200 };
    static char piece[65536];
    size_t total = 0;
    scene_start((struct server_limits){.write_bytes = 100000, .write_ms = 300});
    int fd = spoken(GET("/careful?200"));
    until_handled(1);
    usleep(900000);
    assert_int_equal(counted().connections, 1);
    assert_true(counted().careful > 0);
    while (total < PIECES * sizeof(piece)) {
        assert_true(peer_ready(fd, PATIENCE_MS));
        ssize_t n = recv(fd, piece, sizeof(piece), 0);
        assert_true(n > 0);
        total += (size_t)n;
    }
    close(fd);
    scene_end();
}

/* A client that asks on without reading holds one answer, and its requests wait until it has read that. */
static void a_client_reads_its_answer_before_its_next_request_is_looked_at(void **state)
{
    (void)state;
    enum { BIG = 9000000 };
    static char piece[65536];
    scene_start((struct server_limits){0});
    int fd = spoken(GET("/big?9000000") GET("/big?9000000") GET("/last"));
    until_handled(1);
    usleep(50000);
    assert_int_equal(counted().handled, 1);
    for (size_t total = 0; total < 2 * BIG;) {
        assert_true(peer_ready(fd, PATIENCE_MS));
        ssize_t n = recv(fd, piece, sizeof(piece), 0);
        assert_true(n > 0);
        total += (size_t)n;
    }
    until_handled(3);
    close(fd);
    scene_end();
}

/* A slow but honest reader gets the whole answer, however long its time between requests or after the last one is. */
static void a_slow_reader_gets_its_answer_whole(void **state)
{
    (void)state;
    static const char *const requests[] = {GET("/big?20000000"),
                                           "GET /big?20000000 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"};
    scene_start((struct server_limits){.idle_ms = 1, .write_ms = 400});
    int fd[2] = {spoken(requests[0]), spoken(requests[1])};
    size_t total[2] = {0};
    char piece[65536];
    for (int pause = 0; pause < 3; pause++) {
        usleep(300000);
        for (int i = 0; i < 2; i++)
            for (ssize_t n; total[i] < 4000000u * (pause + 1) && (n = recv(fd[i], piece, sizeof(piece), 0)) > 0;)
                total[i] += (size_t)n;
    }
    for (int i = 0; i < 2; i++) {
        for (ssize_t n; peer_ready(fd[i], PATIENCE_MS) && (n = recv(fd[i], piece, sizeof(piece), 0)) > 0;)
            total[i] += (size_t)n;
        assert_true(total[i] > 20000000);
        close(fd[i]);
    }
    scene_end();
}

static void one_connection_too_many_is_closed_at_once(void **state)
{
    (void)state;
    scene_start((struct server_limits){.connections = 2});
    int a = spoken(GET("/a")), b = spoken(GET("/b"));
    peer_hears(a, "[]", "/a");
    peer_hears(b, "[]", "/b");
    int c = peer_connect(scene.port);
    assert_true(peer_ended(c));
    close(c);
    close(a);
    until_connections(1);
    int d = spoken(GET("/d")); /* a place is free again */
    peer_hears(d, "[]", "/d");
    close(b);
    close(d);
    scene_end();
}

/* ---- the end ---- */

static void drain_lets_open_requests_finish(void **state)
{
    (void)state;
    scene_start((struct server_limits){0});
    int idle = spoken(GET("/idle")), open = spoken(GET("/park"));
    peer_hears(idle, "[]", "/idle");
    told(&scene.arrived);
    unsigned grace = PATIENCE_MS;
    on_worker(&scene.worker, scene_drain, &grace);
    assert_true(peer_ended(idle));
    struct sockaddr_in at = peer_address(scene.port);
    int late = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(late, (struct sockaddr *)&at, sizeof(at)), -1);
    answer_parked("finished");
    peer_hears(open, NULL, "Connection: close\r\n\r\nfinished");
    close(open);
    told(&scene.closed);
    close(idle);
    close(late);
    worker_stop(&scene.worker);
    worker_join(&scene.worker);
    worker_done(&scene.worker);
}

static void drain_cuts_what_is_left_after_the_grace(void **state)
{
    (void)state;
    scene_start((struct server_limits){0});
    int half = spoken("GET / HTTP/1.1\r\n"), open = spoken(GET("/park?answers"));
    told(&scene.arrived);
    scene_end_after(1);
    assert_true(peer_ended(half));
    assert_true(peer_ended(open));
    assert_int_equal(scene.gone, 1);
    close(half);
    close(open);
}

static void an_address_in_use_or_of_no_kind_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",     "127.0.0.1", "127.0.0.1:", "localhost:80", "127.0.0.1:65536",
                                      "[::1", ":80",       "1.2.3.4:-1"};
    struct worker w;
    struct fault f;
    struct server *s = NULL;
    assert_int_equal(worker_init(&w, 0, &f), ERR_OK);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(server_listen(&w, str_of(bad[i]), NULL, &ops, NULL, &s, &f), ERR_CONFIG);
    uint16_t port;
    int fd = peer_listen(&port);
    char text[32];
    snprintf(text, sizeof(text), "127.0.0.1:%u", port);
    assert_int_equal(server_listen(&w, str_of(text), NULL, &ops, NULL, &s, &f), ERR_IO);
    assert_null(s);
    assert_non_null(strstr(f.text, text));
    worker_stop(&w);
    worker_run(&w);
    worker_done(&w);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_connection_is_kept_alive),
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(a_head_outlives_the_arrival_of_its_body),
        cmocka_unit_test(a_client_that_pipelines_without_end_is_not_read_on),
        cmocka_unit_test(each_malformed_request_ends_the_connection),
        cmocka_unit_test(what_follows_a_last_request_is_never_read_as_one),
        cmocka_unit_test(a_body_is_asked_for_when_the_client_waits),
        cmocka_unit_test(answers_by_their_status_and_method),
        cmocka_unit_test(a_value_cannot_become_a_header),
        cmocka_unit_test(a_client_that_leaves_is_seen_while_its_request_waits),
        cmocka_unit_test(a_client_that_leaves_in_the_middle_leaves_nothing_behind),
        cmocka_unit_test(deadlines),
        cmocka_unit_test(a_slow_head_is_cut),
        cmocka_unit_test(a_client_that_does_not_read_is_cut),
        cmocka_unit_test(a_stream_that_piles_up_is_bounded),
        cmocka_unit_test(a_stream_that_waits_for_its_client_is_never_cut),
        cmocka_unit_test(a_client_reads_its_answer_before_its_next_request_is_looked_at),
        cmocka_unit_test(a_slow_reader_gets_its_answer_whole),
        cmocka_unit_test(one_connection_too_many_is_closed_at_once),
        cmocka_unit_test(drain_lets_open_requests_finish),
        cmocka_unit_test(drain_cuts_what_is_left_after_the_grace),
        cmocka_unit_test(an_address_in_use_or_of_no_kind_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
