/* Answers of upstreams: what is refused, how long a body is, and when a connection may be used again. */
#include "message.h"

#define OK "HTTP/1.1 200 OK\r\n"

static void each_malformed_answer_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct str bytes;
    } rows[] = {
        {"two lengths", STR(OK "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab")},
        {"length and coding", STR(OK "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")},
        {"another coding", STR(OK "Transfer-Encoding: gzip\r\n\r\n")},
        {"chunked in HTTP/1.0", STR("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")},
        {"HTTP/2", STR("HTTP/2 200\r\n\r\n")},
        {"HTTP/0.9", STR("hello\r\n\r\n")},
        {"ICY", STR("ICY 200 OK\r\n\r\n")},
        {"two digits", STR("HTTP/1.1 20 OK\r\n\r\n")},
        {"four digits", STR("HTTP/1.1 2000 OK\r\n\r\n")},
        {"status 099", STR("HTTP/1.1 099 Low\r\n\r\n")},
        {"status 600", STR("HTTP/1.1 600 High\r\n\r\n")},
        {"a control byte in the reason", STR("HTTP/1.1 200 O\001K\r\n\r\n")},
        {"a bare CR in the reason", STR("HTTP/1.1 200 O\rK\r\n\r\n")},
        {"a bare LF", STR("HTTP/1.1 200 OK\nX: y\r\n\r\n")},
        {"a continued line", STR(OK "X: a\r\n b\r\n\r\n")},
        {"a space before the colon", STR(OK "Content-Length : 1\r\n\r\na")},
        {"204 with a length", STR("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nabcde")},
        {"204 with chunks", STR("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")},
        {"100 with a length", STR("HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\nabcde")},
        {"a chunk with an extension", STR(OK "Transfer-Encoding: chunked\r\n\r\n1;x\r\na\r\n0\r\n\r\n")},
        {"a trailer", STR(OK "Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n")},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (size_t step = 1; step < 200; step += 99) {
            struct message m;
            message_take(&m, rows[i].bytes, step, true, false);
            if (m.verdict != HTTP_BAD || !m.fault.text[0])
                fail_msg("%s (in steps of %zu): verdict %d", rows[i].what, step, m.verdict);
            message_done(&m);
        }
}

static void the_length_of_each_answer(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        struct str bytes;
        bool to_head;
        const char *content;
        size_t behind;
        bool reusable; /* by what the head says */
    } rows[] = {
        {"by length", STR(OK "Content-Length: 3\r\n\r\nabcdef"), false, "abc", 3, true},
        {"by chunks", STR(OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nX"), false, "abc", 1, true},
        {"until the end", STR(OK "\r\nabc"), false, "abc", 0, true},
        {"to HEAD", STR(OK "Content-Length: 3\r\n\r\nX"), true, "", 1, true},
        {"to HEAD, chunked", STR(OK "Transfer-Encoding: chunked\r\n\r\n"), true, "", 0, true},
        {"204", STR("HTTP/1.1 204 No Content\r\n\r\nX"), false, "", 1, true},
        {"204 with length 0", STR("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"), false, "", 0, true},
        {"304 with the length of what is not sent", STR("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\nX"),
         false, "", 1, true},
        {"no reason", STR("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n"), false, "", 0, true},
        {"an empty reason", STR("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n"), false, "", 0, true},
        {"close", STR(OK "Connection: close\r\nContent-Length: 1\r\n\r\na"), false, "a", 0, false},
        {"HTTP/1.0", STR("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na"), false, "a", 0, false},
        {"HTTP/1.0 kept alive", STR("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na"), false,
         "a", 0, true},
        {"HTTP/1.0 undecided", STR("HTTP/1.0 200 OK\r\nConnection: close, keep-alive\r\nContent-Length: 1\r\n\r\na"),
         false, "a", 0, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (size_t step = 1; step <= rows[i].bytes.n; step++) {
            struct message m;
            message_take(&m, rows[i].bytes, step, true, rows[i].to_head);
            bool same = m.verdict == HTTP_DONE &&
                        str_eq((struct str){m.content, m.content_n}, str_of(rows[i].content)) &&
                        rows[i].bytes.n - m.used == rows[i].behind && m.head.keep_alive == rows[i].reusable;
            if (!same)
                fail_msg("%s (in steps of %zu): verdict %d (%s), %zu bytes of body, %zu behind it", rows[i].what, step,
                         m.verdict, m.fault.text, m.content_n, rows[i].bytes.n - m.used);
            message_done(&m);
        }
}

static void only_a_whole_body_has_ended(void **state)
{
    (void)state;
    static const struct {
        struct str head, body;
        bool ended;
    } rows[] = {
        {STR(OK "Content-Length: 3\r\n\r\n"), STR("ab"), false},
        {STR(OK "Content-Length: 3\r\n\r\n"), STR("abc"), true},
        {STR(OK "Transfer-Encoding: chunked\r\n\r\n"), STR("1\r\na\r\n0\r\n"), false},
        {STR(OK "Transfer-Encoding: chunked\r\n\r\n"), STR("1\r\na\r\n0\r\n\r\n"), true},
        {STR(OK "\r\n"), STR("ab"), true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct http_head h;
        struct http_body b;
        struct fault f;
        struct str rest = rows[i].body, piece;
        size_t resume = 0, used;
        assert_int_equal(http_parse_response(rows[i].head.p, rows[i].head.n, NULL, &resume, &h, &used, &f), HTTP_DONE);
        http_body_response(&b, &h, false, BODY_MAX);
        while (rest.n) {
            assert_int_not_equal(http_body_feed(&b, rest.p, rest.n, &used, &piece, &f), HTTP_BAD);
            rest = str_skip(rest, used);
        }
        assert_int_equal(http_body_ended(&b), rows[i].ended);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_malformed_answer_is_refused),
        cmocka_unit_test(the_length_of_each_answer),
        cmocka_unit_test(only_a_whole_body_has_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
