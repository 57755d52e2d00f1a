/*
 * Any bytes as each part of what a browser hands over, the other parts being right. What is made of them is a key, and
 * an id that stands in them; of what signs, nothing but the very bytes that were signed is taken: Ed25519 signs one way
 * only. And CBOR that is taken has one spelling: written anew from what was read, it is the same.
 */
#include "../fuzz.h"
#include "base/enc.h"
#include "passkey/cbor.h"
#include "passkey/passkey.h"

/* A passkey that Chromium's virtual authenticator made, and what it signed; the challenge is the bytes 0 to 31. */
static const char created[] =
    "{\"type\":\"webauthn.create\",\"challenge\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\",\"origin"
    "\":\"http://localhost:8421\",\"crossOrigin\":false}";
static const char object_hex[] =
    "a363666d74646e6f6e656761747453746d74a0686175746844617461588149960de5880e8c687434170f6476605b8fe4aeb9"
    "a28632c7995cf3ba831d97634500000001010203040506070801020304050607080020db0cdd70a29d5ade743e084601cc40"
    "f761dec318cc783e336f23790bf4081bada4010103272006215820750b9874d06b382c4b5276c703c11db27bedfc9d508d90"
    "88437b893c56ed01b1";
static const char signing[] =
    "{\"type\":\"webauthn.get\",\"challenge\":\"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\",\"origin\":"
    "\"http://localhost:8421\",\"crossOrigin\":false}";
static const char data_hex[] = "49960de5880e8c687434170f6476605b8fe4aeb9a28632c7995cf3ba831d97630500000002";
static const char signature_hex[] =
    "3618f5af27c004ce0a5472787fd998489a53af7b2e4baa1e0d9c715cbc33d92007767a9474633c792bc137897d55553b928a"
    "cf09d0a51fde68b5ea041b812e03";
static const struct passkey_party party = {{"localhost", 9}, {"http://localhost:8421", 21}};
static char challenge_bytes[32], object_bytes[1024], data_bytes[64], signature_bytes[64];
static struct str challenge, object, data, signature;
static struct jose_key *key;

static struct str unhexed(const char *hex, char *ret)
{
    size_t n = strlen(hex) / 2;
    CHECK(enc_unhex(str_of(hex), ret, n));
    return (struct str){ret, n};
}

static void begin(void)
{
    struct passkey_new made;
    struct arena a;
    struct fault f;
    for (int i = 0; i < 32; i++)
        challenge_bytes[i] = (char)i;
    challenge = (struct str){challenge_bytes, 32};
    object = unhexed(object_hex, object_bytes);
    data = unhexed(data_hex, data_bytes);
    signature = unhexed(signature_hex, signature_bytes);
    arena_init(&a, 1 << 20);
    CHECK(passkey_register(&party, challenge, str_of(created), object, &a, &made, &f) == ERR_OK);
    CHECK(jose_key_parse(made.jwk, true, &key, &f) == ERR_OK);
    arena_done(&a);
}

/* ---- CBOR ---- */

static void head_put(struct buf *b, unsigned major, uint64_t n)
{
    int bytes = n < 24 ? 0 : n < 1u << 8 ? 1 : n < 1u << 16 ? 2 : n < 1ull << 32 ? 4 : 8;
    buf_char(b, (char)(major << 5 | (bytes ? (bytes == 8 ? 27u : bytes == 4 ? 26u : 23u + (unsigned)bytes) : n)));
    while (bytes)
        buf_char(b, (char)(n >> (8 * --bytes)));
}

static void item_put(struct buf *b, struct cbor *c)
{
    struct cbor_item i;
    struct fault f;
    int64_t number;
    CHECK(cbor_next(c, &i, &f) == ERR_OK);
    CHECK(!cbor_integer(&i, &number) || (number < 0) == (i.type == CBOR_NEGATIVE));
    head_put(b, i.type, i.number);
    buf_str(b, i.bytes);
    uint64_t members = i.type == CBOR_ARRAY ? i.number : i.type == CBOR_MAP ? 2 * i.number : 0;
    while (members--)
        item_put(b, c);
}

static void cbor_judged(struct str bytes)
{
    struct cbor c = {.text = bytes}, again = c;
    struct str whole = STR("untouched");
    struct fault f = {0};
    struct buf b;
    enum err e = cbor_whole(&c, &whole, &f);
    CHECK(e == ERR_OK || e == ERR_SYNTAX);
    words_checked(e, &f);
    CHECK(!e || (!c.at && str_is(whole, "untouched")));
    if (e)
        return;
    buf_init(&b, 1 << 20);
    item_put(&b, &again);
    CHECK(c.at == whole.n && again.at == c.at && str_eq(whole, buf_view(&b)));
    buf_done(&b);
}

/* ---- passkeys ---- */

static void made_judged(struct str client, struct str attestation, struct arena *a)
{
    struct passkey_new made;
    struct jose_key *k = NULL;
    struct fault f = {0};
    enum err e = passkey_register(&party, challenge, client, attestation, a, &made, &f);
    CHECK(e == ERR_OK || e == ERR_PASSKEY);
    words_checked(e, &f);
    if (e)
        return;
    CHECK(made.id.n >= 1 && made.id.n <= PASSKEY_ID_MAX && memmem(attestation.p, attestation.n, made.id.p, made.id.n));
    CHECK(jose_key_parse(made.jwk, true, &k, &f) == ERR_OK && !jose_key_private(k));
    jose_key_free(k);
}

static void proof_judged(struct passkey_proof proof, struct str part, struct str good, struct arena *a)
{
    struct passkey_known known = {.key = key};
    struct fault f = {0};
    uint32_t count = 77;
    enum err e = passkey_assert(&party, challenge, &known, &proof, a, &count, &f);
    words_checked(e, &f);
    CHECK(e == (str_eq(part, good) ? ERR_OK : ERR_PASSKEY) && count == (e ? 77 : 2));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct arena a;
    struct str in = {(const char *)p, n}, client = str_of(signing);
    if (!key)
        begin();
    arena_init(&a, 1 << 20);
    cbor_judged(in);
    made_judged(str_of(created), in, &a);
    made_judged(in, object, &a);
    proof_judged((struct passkey_proof){in, data, signature, STR_NONE}, in, client, &a);
    proof_judged((struct passkey_proof){client, in, signature, STR_NONE}, in, data, &a);
    proof_judged((struct passkey_proof){client, data, in, STR_NONE}, in, signature, &a);
    arena_done(&a);
    return 0;
}
