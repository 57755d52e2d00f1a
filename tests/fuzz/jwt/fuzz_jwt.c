/*
 * Any bytes as a token and as a JWK. Nothing but what the target's own keys signed is ever taken: Ed25519 signs one way
 * only, so that what verifies must be what signing it again gives; of ES256 no token at all may verify. What is a key
 * writes itself and is read back as itself.
 */
#include "../fuzz.h"
#include "jose/jose.h"

/* RFC 8037 appendix A.1; RFC 7515 appendix A.3.1, the public half. */
static const char ed_jwk[] =
    "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\","
    "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}";
static const char es_jwk[] = "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
                             "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}";
static struct jose_key *ed, *es;

static void token_judged(struct str token)
{
    struct arena a;
    struct jose_peek peek;
    struct str payload;
    struct fault f = {0};
    arena_init(&a, 1 << 20);
    enum err e = jose_peek(token, &a, &peek, &f);
    CHECK(e == ERR_OK || e == ERR_TOKEN);
    words_checked(e, &f);
    if (!e)
        CHECK(json_type(&peek.claims, JSON_ROOT) == JSON_OBJECT);
    e = jose_verify(es, token, NULL, &a, &payload, &f);
    CHECK(e == ERR_TOKEN);
    words_checked(e, &f);
    e = jose_verify(ed, token, NULL, &a, &payload, &f);
    CHECK(e == ERR_OK || e == ERR_TOKEN);
    words_checked(e, &f);
    if (!e) {
        struct str rest = token, header, body;
        struct buf again;
        buf_init(&again, 1 << 16);
        CHECK(jose_sign(ed, "at+jwt", payload, &again, &f) == ERR_OK);
        /* the seeds have the header that jose_sign writes */
        CHECK(str_cut(&rest, '.', &header) && str_cut(&rest, '.', &body) && str_eq(buf_view(&again), token));
        buf_done(&again);
    }
    arena_done(&a);
}

static void key_judged(struct str jwk)
{
    struct jose_key *k = NULL, *same = NULL;
    struct secret *private = NULL;
    struct buf public;
    struct fault f = {0};
    enum err e = jose_key_parse(jwk, false, &k, &f);
    CHECK(e == ERR_OK || e == ERR_PARAMS || e == ERR_SYNTAX || e == ERR_LIMIT);
    words_checked(e, &f);
    if (e) {
        CHECK(!k && jose_key_parse(jwk, true, &same, &f));
        return;
    }
    buf_init(&public, 4096);
    jose_key_write_public(k, &public);
    CHECK(jose_key_parse(buf_view(&public), true, &same, &f) == ERR_OK && !jose_key_private(same));
    CHECK(strcmp(jose_key_thumbprint(same), jose_key_thumbprint(k)) == 0);
    jose_key_freep(&same);
    CHECK((jose_key_parse(jwk, true, &same, &f) == ERR_OK) == !jose_key_private(k));
    jose_key_freep(&same);
    if (jose_key_private(k)) {
        CHECK(jose_key_write_private(k, &private, &f) == ERR_OK);
        struct str text = {(const char *)secret_bytes(private), secret_len(private)};
        CHECK(jose_key_parse(text, false, &same, &f) == ERR_OK);
        CHECK(jose_key_private(same) && strcmp(jose_key_thumbprint(same), jose_key_thumbprint(k)) == 0);
        jose_key_free(same);
        secret_free(private);
    }
    buf_done(&public);
    jose_key_free(k);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct fault f;
    if (!ed)
        CHECK(!jose_key_parse(str_of(ed_jwk), false, &ed, &f) && !jose_key_parse(str_of(es_jwk), true, &es, &f));
    token_judged((struct str){(const char *)p, n});
    key_judged((struct str){(const char *)p, n});
    return 0;
}
