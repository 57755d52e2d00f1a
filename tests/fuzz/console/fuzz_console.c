/*
 * Any bytes as what a browser, or whoever says it is one, sends to the console before it is known who it is: Cookie,
 * Passkey, Host, Accept-Encoding, If-None-Match, and the clientDataJSON of a sign-in. Nobody gets in by any of them.
 */
#include "../fuzz.h"
#include "console/console.h"
#include "console/page.h"

static const unsigned char bytes[] = "page", zipped[] = "zip";
static const struct console_page pages[] = {{"/index.html", "text/html", bytes, zipped, 4, 3, "\"aa\"", false}};
static struct console *console;
static struct conf *conf;

static void begin(void)
{
    struct fault f;
    struct buf faults;
    buf_init(&faults, 65536);
    CHECK(conf_parse(STR("{}"), "fuzz.yaml", "/", &conf, &faults) == ERR_OK);
    CHECK(console_new(NULL, NULL, conf, &console, &f) == ERR_OK);
    buf_done(&faults);
}

static void cookie_judged(struct str in)
{
    struct str cookie = console_cookie(in);
    CHECK(!cookie.p ||
          (cookie.n && cookie.n < CONSOLE_TOKEN && cookie.p >= in.p && cookie.p + cookie.n <= in.p + in.n));
    CHECK(!cookie.p || !memchr(cookie.p, ';', cookie.n));
}

static void header_judged(struct str in, struct arena *a)
{
    struct console_signed s = {.id = STR_NONE};
    struct fault f = {0};
    enum err e = console_signed_header(in, a, &s, &f);
    CHECK(e == ERR_OK || e == ERR_PASSKEY || (e == ERR_NOMEM && arena_failed(a)));
    words_checked(e, &f);
    CHECK(!e || !s.id.p);
    CHECK(s.id.n <= PASSKEY_ID_MAX && s.proof.client_data.n <= PASSKEY_CLIENT_DATA_MAX &&
          s.proof.authenticator_data.n <= PASSKEY_OBJECT_MAX && s.proof.signature.n <= PASSKEY_SIGNATURE_MAX);
}

static void sign_in_judged(struct str in, struct arena *a)
{
    const struct passkey_party party = {STR("localhost"), STR("http://localhost:8421")};
    const struct console_signed s = {.id = STR("id"), .proof = {.client_data = in, .user_handle = STR("anna")}};
    struct console_who who;
    struct store_passkey key;
    struct secret *cookie = NULL;
    struct fault f = {0};
    enum err e = console_sign_in(console, &party, &s, a, &who, &key, &cookie, &f);
    CHECK((e == ERR_PASSKEY || (e == ERR_NOMEM && arena_failed(a))) && !cookie);
    words_checked(e, &f);
}

static void host_judged(struct str in, struct arena *a)
{
    struct passkey_party party = {.id = STR_NONE};
    struct fault f = {0};
    enum err e = console_party(conf, in, a, &party, &f);
    words_checked(e, &f);
    if (e)
        return;
    CHECK(party.id.n && !memchr(party.id.p, ':', party.id.n) && str_starts(party.origin, STR("http://")));
    CHECK(str_starts(str_skip(party.origin, 7), party.id));
    CHECK(console_address(conf, in, a).p);
}

static void page_judged(struct str in)
{
    struct http_head h = {.method = STR("GET"), .path = STR("/"), .count = 2};
    struct console_answer answer;
    struct fault f;
    char etag[128];
    h.header[0] = (struct http_header){STR("Accept-Encoding"), in};
    h.header[1] = (struct http_header){STR("If-None-Match"), in};
    CHECK(console_page(pages, 1, &h, etag, &answer, &f) == ERR_OK && answer.headers <= CONSOLE_PAGE_HEADERS);
    CHECK(answer.status == 304 ? !answer.body.n : answer.status == 200 && answer.body.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct arena a;
    struct str in = {(const char *)p, n};
    if (!console)
        begin();
    arena_init(&a, 4 << 20);
    cookie_judged(in);
    header_judged(in, &a);
    sign_in_judged(in, &a);
    host_judged(in, &a);
    page_judged(in);
    arena_done(&a);
    return 0;
}
