/* One message through the codec, in pieces of any size, for the tests of this folder. */
#ifndef TEST_NET_MESSAGE_H
#define TEST_NET_MESSAGE_H

#include "../unit.h"

#include "net/http.h"

#include <stdio.h>
#include <stdlib.h>

#define BODY_MAX 1000

struct message {
    enum http_verdict verdict; /* HTTP_MORE: it is not whole */
    struct fault fault;
    struct http_head head;
    size_t head_used, used;
    char content[BODY_MAX];
    size_t content_n;
    char *bytes; /* the head's strings lie here */
};

static inline void message_done(struct message *m)
{
    free(m->bytes);
}

/* Offers the head in growing prefixes, each in memory of just its size, so that a read behind the end is seen. */
static inline void message_head(struct message *m, struct str all, size_t step, bool response)
{
    size_t resume = 0, n = 0;
    m->verdict = HTTP_MORE;
    while (m->verdict == HTTP_MORE && n < all.n) {
        n = n + step < all.n ? n + step : all.n;
        free(m->bytes);
        m->bytes = malloc(n);
        memcpy(m->bytes, all.p, n);
        m->verdict = (response ? http_parse_response : http_parse_request)(m->bytes, n, NULL, &resume, &m->head,
                                                                           &m->head_used, &m->fault);
    }
}

static inline void message_body(struct message *m, struct str rest, size_t step, bool response, bool head_request)
{
    struct http_body b;
    if (response)
        http_body_response(&b, &m->head, head_request, BODY_MAX);
    else
        http_body_request(&b, &m->head, BODY_MAX);
    m->verdict = HTTP_MORE;
    do {
        size_t used = 0, n = step < rest.n ? step : rest.n;
        struct str piece;
        m->verdict = http_body_feed(&b, rest.p, n, &used, &piece, &m->fault);
        assert_true(used <= n && piece.n <= used);
        if (m->verdict == HTTP_BAD)
            return;
        if (piece.n)
            memcpy(m->content + m->content_n, piece.p, piece.n);
        m->content_n += piece.n;
        m->used += used;
        rest = str_skip(rest, used);
    } while (m->verdict == HTTP_MORE && rest.n);
    if (m->verdict == HTTP_MORE && response && b.kind == HTTP_BODY_CLOSE && http_body_ended(&b))
        m->verdict = HTTP_DONE;
}

static inline void message_take(struct message *m, struct str all, size_t step, bool response, bool head_request)
{
    *m = (struct message){0};
    message_head(m, all, step, response);
    if (m->verdict != HTTP_DONE)
        return;
    m->used = m->head_used;
    message_body(m, str_skip(all, m->head_used), step, response, head_request);
}

#endif
