/*
 * What channels tell back: Slack's form with its JSON, PagerDuty's JSON, and the headers that sign them. What is taken
 * is a question's id, a digest and plain words; what is refused says why; no signature is taken that was not made.
 */
#include "../fuzz.h"
#include "notify/inner.h"

static void word_checked(struct str s)
{
    CHECK(s.n && s.n <= 60);
    for (size_t i = 0; i < s.n; i++)
        CHECK(s.p[i] > 0x20 && s.p[i] < 0x7f);
}

static void slack(struct str text)
{
    struct arena a;
    struct slack_press press = {0};
    struct fault f = {0};
    unsigned char sum[SHA256_BYTES];
    arena_init(&a, 1u << 22);
    enum err e = slack_heard(text, &a, &press, &f);
    if (e) {
        CHECK(!press.id.p);
        words_checked(e, &f);
    } else {
        CHECK(notify_is_id(press.id) && enc_unhex(press.digest, sum, sizeof(sum)));
        word_checked(press.user);
        word_checked(press.channel);
        word_checked(press.message);
    }
    arena_done(&a);
}

static void pagerduty(struct str text)
{
    struct arena a;
    struct pagerduty_event event = {0};
    struct fault f = {0};
    arena_init(&a, 1u << 22);
    enum err e = pagerduty_heard(text, &a, &event, &f);
    if (e)
        words_checked(e, &f);
    else
        CHECK(event.event.n && str_utf8_valid(event.event) && str_utf8_valid(event.by) &&
              (!event.id.n || notify_is_id(event.id)));
    arena_done(&a);
}

/* The first line is a header, the rest the body: nobody guesses a signature. */
static void signatures(struct str text)
{
    static const unsigned char key[32] = "a key that nobody who fuzzes has";
    struct fault f = {0};
    unsigned char sum[SHA256_BYTES];
    struct str line;
    struct secret *s = secret_new(key, sizeof(key));
    if (!s)
        return;
    str_cut(&text, '\n', &line);
    CHECK(slack_verify(s, line, line, text, 1700000000, sum, &f));
    CHECK(slack_verify(s, STR("1700000000"), line, text, 1700000000, sum, &f));
    CHECK(pagerduty_verify(s, line, text, &f));
    words_checked(f.err, &f);
    secret_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct str text = {(const char *)p, n};
    slack(text);
    pagerduty(text);
    signatures(text);
    return 0;
}
