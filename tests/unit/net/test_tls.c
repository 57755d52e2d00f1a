/* Server and client under TLS, against OpenSSL itself at the other end. Certificates are made by openssl(1). */
#include "peer.h"

#include "net/client.h"
#include "net/server.h"

#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"
#define OK        "HTTP/1.1 200 OK\r\n"

static char dir[] = "/tmp/doorward-tls-XXXXXX";

static struct scene {
    struct worker worker;
    struct server *server;
    struct client *client;
    struct client_origin *origin;
    struct exchange *parked;
    SSL_CTX *other; /* the other end's */
    int listener;
    uint16_t port;
    sem_t arrived, left, closed;
} scene;

static const char *file(const char *name)
{
    static char path[4][64];
    static unsigned at;
    char *p = path[at++ % 4];
    snprintf(p, sizeof(path[0]), "%s/%s", dir, name);
    return p;
}

static int make_certificates(void **state)
{
    (void)state;
    static const char script[] =
        "cd %s && exec 2>/dev/null; ec='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'; "
        "openssl req -x509 $ec -subj /CN=CA -days 2 -keyout ca.key -out ca.pem && "
        "openssl req -x509 $ec -subj /CN=here -days 2 -CA ca.pem -CAkey ca.key -addext subjectAltName=IP:127.0.0.1 "
        "-keyout here.key -out here.pem && "
        "openssl req -x509 $ec -subj /CN=agent -days 2 -CA ca.pem -CAkey ca.key "
        "-addext subjectAltName=DNS:a.example,URI:spiffe://tests/agent -keyout agent.key -out agent.pem && "
        "openssl req -x509 $ec -subj /O=Org/CN=plain -days 2 -CA ca.pem -CAkey ca.key -keyout plain.key -out plain.pem";
    char command[sizeof(script) + 64];
    assert_non_null(mkdtemp(dir));
    snprintf(command, sizeof(command), script, dir);
    return system(command);
}

static int drop_certificates(void **state)
{
    (void)state;
    char command[64];
    snprintf(command, sizeof(command), "rm -r %s", dir);
    return system(command);
}

/* ---- the other end ---- */

static SSL_CTX *other_new(const SSL_METHOD *method, const char *name)
{
    char pem[32], key[32];
    SSL_CTX *ctx = SSL_CTX_new(method);
    snprintf(pem, sizeof(pem), "%s.pem", name);
    snprintf(key, sizeof(key), "%s.key", name);
    assert_int_equal(SSL_CTX_load_verify_locations(ctx, file("ca.pem"), NULL), 1);
    assert_int_equal(SSL_CTX_use_certificate_file(ctx, file(pem), SSL_FILETYPE_PEM), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey_file(ctx, file(key), SSL_FILETYPE_PEM), 1);
    return ctx;
}

static SSL *other_on(int fd)
{
    struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    SSL *ssl = SSL_new(scene.other);
    SSL_set_fd(ssl, fd);
    return ssl;
}

static void other_close(SSL *ssl)
{
    int fd = SSL_get_fd(ssl);
    SSL_free(ssl);
    close(fd);
}

static void other_say(SSL *ssl, const char *text)
{
    assert_int_equal(SSL_write(ssl, text, (int)strlen(text)), (int)strlen(text));
}

/* Reads until these words have come. */
static void other_hears(SSL *ssl, const char *words)
{
    char text[8192];
    size_t n = 0;
    do {
        int got = SSL_read(ssl, text + n, (int)(sizeof(text) - 1 - n));
        if (got <= 0)
            fail_msg("\"%.*s\" ended before \"%s\"", (int)n, text, words);
        n += (size_t)got;
        text[n] = 0;
    } while (!strstr(text, words));
}

/* ---- the server ---- */

static void serve(struct exchange *x)
{
    if (str_is(x->head.path, "/park")) {
        scene.parked = x;
        sem_post(&scene.arrived);
    } else if (str_is(x->head.path, "/big")) {
        struct buf b;
        buf_init(&b, 16u << 20);
        assert_true(buf_reserve(&b, 8u << 20));
        memset(b.p, 'x', 8u << 20);
        b.n = 8u << 20;
        exchange_answer(x, 200, STR("text/plain"), NULL, 0, buf_view(&b));
        buf_done(&b);
    } else {
        exchange_answer(x, 200, STR("text/plain"), NULL, 0, x->body.n ? x->body : x->peer_name);
    }
}

static void serve_gone(struct exchange *x)
{
    exchange_answer(x, 200, STR_NONE, NULL, 0, STR("to nobody"));
    sem_post(&scene.left);
}

static struct tls *serve_tls(void *app)
{
    return tls_ref(app);
}

static const struct server_ops ops = {.request = serve, .gone = serve_gone, .tls = serve_tls};
static struct tls *own;

static void scene_init(void)
{
    struct fault f;
    scene = (struct scene){.listener = -1};
    sem_init(&scene.arrived, 0, 0);
    sem_init(&scene.left, 0, 0);
    sem_init(&scene.closed, 0, 0);
    assert_int_equal(worker_init(&scene.worker, 0, &f), ERR_OK);
}

static void serving(enum tls_peer peer, struct server_limits l)
{
    struct fault f;
    scene_init();
    scene.other = other_new(TLS_client_method(), "agent");
    assert_int_equal(tls_server_new(file("here.pem"), file("here.key"), peer ? file("ca.pem") : NULL, peer, &own, &f),
                     ERR_OK);
    assert_int_equal(server_listen(&scene.worker, STR("127.0.0.1:0"), &l, &ops, own, &scene.server, &f), ERR_OK);
    scene.port = server_port(scene.server);
    assert_int_equal(worker_start(&scene.worker, &f), ERR_OK);
}

static void server_closed(struct server *s, void *ctx)
{
    server_free(s, ctx);
    sem_post(&scene.closed);
}

static void client_closed(void *ctx)
{
    (void)ctx;
    sem_post(&scene.closed);
}

static void scene_close(void *arg)
{
    (void)arg;
    if (scene.server)
        server_drain(scene.server, 0, server_closed, NULL);
    else
        client_close(scene.client, client_closed, NULL);
}

static void scene_end(void)
{
    on_worker(&scene.worker, scene_close, NULL);
    told(&scene.closed);
    worker_stop(&scene.worker);
    worker_join(&scene.worker);
    worker_done(&scene.worker);
    SSL_CTX_free(scene.other);
    tls_unref(own);
    if (scene.listener >= 0)
        close(scene.listener);
}

static SSL *visit(void)
{
    SSL *ssl = other_on(peer_connect(scene.port));
    assert_int_equal(SSL_connect(ssl), 1);
    return ssl;
}

static void requests_of_every_cut_are_answered(void **state)
{
    (void)state;
    serving(TLS_PEER_NONE, (struct server_limits){0});
    SSL *ssl = visit();
    assert_int_equal(SSL_get_verify_result(ssl), X509_V_OK);
    other_say(ssl, GET("/a") GET("/b")); /* two in one record */
    other_hears(ssl, "\r\n\r\nHTTP/1.1 200");
    const char *pieces[] = {"POST /c HTTP/1.1\r\nHo", "st: h\r\nContent-Length: 5\r\n\r\nwh", "ol", "e"};
    for (unsigned i = 0; i < COUNT(pieces); i++)
        other_say(ssl, pieces[i]);
    other_hears(ssl, "whole");
    other_close(ssl);
    scene_end();
}

static void a_large_answer_waits_for_a_slow_reader(void **state)
{
    (void)state;
    serving(TLS_PEER_NONE, (struct server_limits){0});
    SSL *ssl = visit();
    other_say(ssl, GET("/big"));
    usleep(50000); /* the socket is full by now */
    static char room[65536];
    size_t all = 0, head = 0;
    for (int got; all < (8u << 20) + head && (got = SSL_read(ssl, room, sizeof(room))) > 0; all += (size_t)got)
        if (!all)
            head = (size_t)(strstr(room, "\r\n\r\n") + 4 - room);
    assert_int_equal(all, (8u << 20) + head);
    other_say(ssl, GET("/a"));
    other_hears(ssl, "200 OK");
    other_close(ssl);
    scene_end();
}

static void a_handshake_that_drags_on_is_cut(void **state)
{
    (void)state;
    serving(TLS_PEER_NONE, (struct server_limits){.head_ms = 300});
    int silent = peer_connect(scene.port), slow = peer_connect(scene.port);
    peer_put(slow, "\x16\x03\x01\x01\x00\x01", 6); /* the beginning of a ClientHello */
    for (int i = 0; i < 100 && !peer_ready(slow, 20); i++)
        (void)!send(slow, "\0", 1, MSG_NOSIGNAL);
    assert_true(peer_ended(slow));
    assert_true(peer_ended(silent));
    close(slow);
    close(silent);
    scene_end();
}

static void the_name_in_a_certificate_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *certificate, *name;
    } rows[] = {{"agent", "URI:spiffe://tests/agent"}, {"plain", "CN=plain,O=Org"}};
    serving(TLS_PEER_REQUIRED, (struct server_limits){0});
    for (unsigned i = 0; i < COUNT(rows); i++) {
        SSL_CTX_free(scene.other);
        scene.other = other_new(TLS_client_method(), rows[i].certificate);
        SSL *ssl = visit();
        other_say(ssl, GET("/"));
        other_hears(ssl, rows[i].name);
        other_close(ssl);
    }
    scene_end();
}

static void a_client_that_says_goodbye_is_gone(void **state)
{
    (void)state;
    serving(TLS_PEER_NONE, (struct server_limits){0});
    SSL *ssl = visit();
    other_say(ssl, GET("/park"));
    told(&scene.arrived);
    assert_int_equal(SSL_shutdown(ssl), 0);
    told(&scene.left);
    other_close(ssl);
    scene_end();
}

static void a_client_that_is_cut_off_takes_nobody_with_it(void **state)
{
    (void)state;
    serving(TLS_PEER_NONE, (struct server_limits){0});
    struct linger reset = {.l_onoff = 1};
    for (int i = 0; i < 40; i++) { /* before, in and after the handshake, and while its answer is written */
        SSL *ssl = other_on(peer_connect(scene.port));
        if (i % 4 && SSL_connect(ssl) == 1 && i % 4 > 1)
            other_say(ssl, i % 4 == 2 ? GET("/big") : "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        setsockopt(SSL_get_fd(ssl), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
        other_close(ssl);
    }
    SSL *ssl = visit();
    other_say(ssl, GET("/a"));
    other_hears(ssl, "200 OK");
    other_close(ssl);
    scene_end();
}

static void an_answer_that_ends_the_connection_says_so_in_tls_too(void **state)
{
    (void)state;
    serving(TLS_PEER_NONE, (struct server_limits){0});
    SSL *ssl = visit();
    other_say(ssl, "GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    other_hears(ssl, "200 OK");
    char c;
    assert_int_equal(SSL_read(ssl, &c, 1), 0);
    assert_int_equal(SSL_get_error(ssl, 0), SSL_ERROR_ZERO_RETURN); /* and no cut, which could be anybody's */
    other_close(ssl);
    scene_end();
}

/* ---- the client ---- */

struct trip {
    struct client_call call; /* first */
    sem_t done;
    enum err err;
    struct fault fault;
    bool sent;
    size_t bytes;
    struct trip *then; /* sent as soon as this one is back */
};

static void trip_data(struct client_call *c, struct str piece)
{
    ((struct trip *)c)->bytes += piece.n;
}

static void trip_done(struct client_call *c, enum err e, const struct fault *f, bool sent)
{
    struct trip *t = (struct trip *)c;
    t->err = e;
    t->sent = sent;
    if (f)
        t->fault = *f;
    if (t->then)
        client_send(scene.origin, &t->then->call);
    sem_post(&t->done);
}

static const struct client_ops trip_ops = {.data = trip_data, .done = trip_done};

static void trip_send(void *arg)
{
    client_send(scene.origin, arg);
}

static void prepare(struct trip *t)
{
    *t = (struct trip){.call = {.ops = &trip_ops, .method = STR("POST"), .target = STR("/x"), .body = STR("body")}};
    sem_init(&t->done, 0, 0);
}

static void send_off(struct trip *t)
{
    prepare(t);
    on_worker(&scene.worker, trip_send, t);
}

static void came_back(struct trip *t, enum err e)
{
    told(&t->done);
    if (t->err != e)
        fail_msg("%s (%s)", err_code(t->err), t->fault.text);
}

static void calling_open(void *limits)
{
    struct fault f;
    struct http_url url;
    char text[64];
    snprintf(text, sizeof(text), "https://127.0.0.1:%u", scene.port);
    assert_int_equal(client_new(&scene.worker, limits, &scene.client, &f), ERR_OK);
    assert_int_equal(http_url_parse(str_of(text), &url, &f), ERR_OK);
    assert_int_equal(client_origin(scene.client, &url, own, &scene.origin, &f), ERR_OK);
}

static void calling(struct client_limits l)
{
    struct fault f;
    scene_init();
    scene.other = other_new(TLS_server_method(), "here");
    scene.listener = peer_listen(&scene.port);
    assert_int_equal(tls_client_new(file("ca.pem"), NULL, NULL, &own, &f), ERR_OK);
    assert_int_equal(worker_start(&scene.worker, &f), ERR_OK);
    on_worker(&scene.worker, calling_open, &l);
}

static SSL *met(void)
{
    SSL *ssl = other_on(peer_accept(scene.listener));
    assert_int_equal(SSL_accept(ssl), 1);
    other_hears(ssl, "body");
    return ssl;
}

static void a_connection_is_kept_and_a_new_one_resumes_its_session(void **state)
{
    (void)state;
    calling((struct client_limits){0});
    for (int i = 0; i < 3; i++) {
        struct trip t;
        send_off(&t);
        SSL *ssl = met();
        assert_int_equal(SSL_session_reused(ssl), i > 0);
        for (int k = 0; k < 2; k++) {
            if (k) {
                send_off(&t);
                other_hears(ssl, "body");
            }
            other_say(ssl, OK "Content-Length: 2\r\n\r\nok");
            came_back(&t, ERR_OK);
        }
        SSL_shutdown(ssl);
        other_close(ssl);
    }
    scene_end();
}

/* RFC 9112 9.8: without close_notify, nobody knows whether the server or somebody in between ended the body. */
static void a_body_that_ends_with_its_connection_ends_by_the_servers_word(void **state)
{
    (void)state;
    calling((struct client_limits){0});
    for (int said = 0; said < 2; said++) {
        struct trip t;
        send_off(&t);
        SSL *ssl = met();
        other_say(ssl, OK "\r\nhalf of it");
        if (said)
            SSL_shutdown(ssl);
        other_close(ssl);
        came_back(&t, said ? ERR_OK : ERR_UPSTREAM);
        assert_int_equal(t.bytes, 10);
    }
    scene_end();
}

/* Two records at once: the second came before anybody had asked for it. */
static void what_follows_an_answer_is_nobodys(void **state)
{
    (void)state;
    calling((struct client_limits){0});
    struct trip second, first;
    prepare(&second);
    prepare(&first);
    first.then = &second;
    on_worker(&scene.worker, trip_send, &first);
    SSL *ssl = met();
    int cork = 1, fd = SSL_get_fd(ssl);
    setsockopt(fd, IPPROTO_TCP, TCP_CORK, &cork, sizeof(cork));
    other_say(ssl, OK "Content-Length: 2\r\n\r\nok");
    other_say(ssl, OK "Content-Length: 4\r\n\r\nevil");
    cork = 0;
    setsockopt(fd, IPPROTO_TCP, TCP_CORK, &cork, sizeof(cork));
    came_back(&first, ERR_OK);
    SSL *next = met(); /* another connection */
    other_say(next, OK "Content-Length: 0\r\n\r\n");
    came_back(&second, ERR_OK);
    assert_int_equal(second.bytes, 0);
    other_close(ssl);
    other_close(next);
    scene_end();
}

static void a_server_that_never_finishes_the_handshake_is_given_up(void **state)
{
    (void)state;
    calling((struct client_limits){.connect_ms = 100});
    struct trip t;
    send_off(&t);
    int fd = peer_accept(scene.listener);
    came_back(&t, ERR_UPSTREAM);
    assert_string_equal(t.fault.text, "the server did not finish the TLS handshake in time");
    assert_false(t.sent);
    close(fd);
    scene_end();
}

static void a_server_without_tls_is_named_as_such(void **state)
{
    (void)state;
    calling((struct client_limits){0});
    struct trip t;
    send_off(&t);
    int fd = peer_accept(scene.listener);
    peer_say(fd, "HTTP/1.1 400 Bad Request\r\n\r\n");
    came_back(&t, ERR_UPSTREAM);
    assert_string_equal(t.fault.text, "the server does not speak TLS");
    assert_false(t.sent);
    close(fd);
    scene_end();
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_of_every_cut_are_answered),
        cmocka_unit_test(a_large_answer_waits_for_a_slow_reader),
        cmocka_unit_test(a_handshake_that_drags_on_is_cut),
        cmocka_unit_test(the_name_in_a_certificate_is_told),
        cmocka_unit_test(a_client_that_says_goodbye_is_gone),
        cmocka_unit_test(a_client_that_is_cut_off_takes_nobody_with_it),
        cmocka_unit_test(an_answer_that_ends_the_connection_says_so_in_tls_too),
        cmocka_unit_test(a_connection_is_kept_and_a_new_one_resumes_its_session),
        cmocka_unit_test(a_body_that_ends_with_its_connection_ends_by_the_servers_word),
        cmocka_unit_test(what_follows_an_answer_is_nobodys),
        cmocka_unit_test(a_server_that_never_finishes_the_handshake_is_given_up),
        cmocka_unit_test(a_server_without_tls_is_named_as_such),
    };
    return cmocka_run_group_tests(tests, make_certificates, drop_certificates);
}
