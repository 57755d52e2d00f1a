/*
 * What sinks read: any bytes as a cursor's file, as the answer of a collector, as the answer of a stream, and as an
 * address. A cursor that is taken is written as it was read; an address that is taken has a host and a port.
 */
#include "../fuzz.h"
#include "sink/address.h"
#include "sink/answer.h"
#include "sink/cursor.h"

static void cursor_checked(struct str bytes)
{
    struct cursor c;
    struct fault f;
    char text[CURSOR_TEXT];
    enum err e = cursor_parse(bytes, &c, &f);
    words_checked(e, &f);
    if (!e)
        CHECK(str_eq(bytes, (struct str){text, cursor_put(&c, text)}));
}

static void answers_checked(struct str bytes)
{
    char reason[40] = "";
    uint64_t rejected = 0;
    struct fault f;
    if (sink_answer_partial(bytes, &rejected, reason, sizeof(reason)))
        CHECK(rejected > 0);
    CHECK(memchr(reason, 0, sizeof(reason)));
    words_checked(sink_answer_stored(bytes, &f), &f);
}

static void address_checked(struct str bytes)
{
    struct sink_address a;
    struct fault f;
    uint64_t port;
    enum err e = sink_address_parse(bytes, "tcp", "601", &a, &f);
    words_checked(e, &f);
    if (!e)
        CHECK(a.host[0] && str_u64(str_of(a.port), &port) && port > 0 && port < 65536);
    words_checked(sink_address_http(bytes, &f), &f);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct str bytes = {(const char *)p, n};
    cursor_checked(bytes);
    answers_checked(bytes);
    address_checked(bytes);
    return 0;
}
