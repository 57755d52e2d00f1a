/*
 * Two passkeys as Chromium's virtual authenticator made them, each for the person anna at http://localhost:8421, and
 * what each signed twice. The challenge is the bytes 0 to 31. Bytes are in hex; JSON is written with ' for ".
 */
#ifndef TEST_PASSKEY_VECTORS_H
#define TEST_PASSKEY_VECTORS_H

#include "../unit.h"

#include "base/enc.h"
#include "passkey/passkey.h"

struct vector {
    enum jose_alg alg;
    const char *id, *created, *object;
    struct {
        const char *client_data, *data, *signature;
    } signs[2];
};

static const struct vector vectors[] = {
    {
        .alg = JOSE_ES256,
        .id = "edef5a5142f6770cfe028385162fb05c3444e88512e3bdef3c62178fdf724055",
        .created = "{'type':'webauthn.create','challenge':'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8','origin':'http:"
                   "//localhost:8421','crossOrigin':false}",
        .object = "a363666d74646e6f6e656761747453746d74a068617574684461746158a449960de5880e8c687434170f6476605b8fe4"
                  "aeb9a28632c7995cf3ba831d97634500000001010203040506070801020304050607080020edef5a5142f6770cfe0283"
                  "85162fb05c3444e88512e3bdef3c62178fdf724055a501020326200121582008fd7a502875b5382c04688b399f34a339"
                  "323c8d334bb964f64d2ba3ed67f8d82258202a48a2988e57e41f26983ebf9ee377a43d1f96dd9bbc854e202bc770810c"
                  "2eca",
        .signs =
            {
                {.client_data = "{'type':'webauthn.get','challenge':'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8','"
                                "origin':'http://localhost:8421','crossOrigin':false}",
                 .data = "49960de5880e8c687434170f6476605b8fe4aeb9a28632c7995cf3ba831d97630500000002",
                 .signature =
                     "3044022001ae5f5ddc71364ae647fe4fa7aaafb8be147109dcbfe1939bf6bce668163abf02207920cbe7d9f20ac6eb25"
                     "3ec1e640579aedf2055e466ebe0e88282db64456410d"},
                {.client_data =
                     "{'type':'webauthn.get','challenge':'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8','origin':'http:/"
                     "/localhost:8421','crossOrigin':false,'other_keys_can_be_added_here':'do not compare "
                     "clientDataJSON against a template. See https://goo.gl/yabPex'}",
                 .data = "49960de5880e8c687434170f6476605b8fe4aeb9a28632c7995cf3ba831d97630500000003",
                 .signature =
                     "30440220358a0f9a69df265c53dea4bf7d95ede8a19af93dd4652e7d314044ce5a7f522b0220671d2af8b256fa3b0349"
                     "e1845e3500b11e04c0e75e9173ddbcc9c9557bbadfd6"},
            },
    },
    {
        .alg = JOSE_EDDSA,
        .id = "db0cdd70a29d5ade743e084601cc40f761dec318cc783e336f23790bf4081bad",
        .created = "{'type':'webauthn.create','challenge':'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8','origin':'http:"
                   "//localhost:8421','crossOrigin':false}",
        .object = "a363666d74646e6f6e656761747453746d74a0686175746844617461588149960de5880e8c687434170f6476605b8fe4"
                  "aeb9a28632c7995cf3ba831d97634500000001010203040506070801020304050607080020db0cdd70a29d5ade743e08"
                  "4601cc40f761dec318cc783e336f23790bf4081bada4010103272006215820750b9874d06b382c4b5276c703c11db27b"
                  "edfc9d508d9088437b893c56ed01b1",
        .signs =
            {
                {.client_data = "{'type':'webauthn.get','challenge':'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8','"
                                "origin':'http://localhost:8421','crossOrigin':false}",
                 .data = "49960de5880e8c687434170f6476605b8fe4aeb9a28632c7995cf3ba831d97630500000002",
                 .signature =
                     "3618f5af27c004ce0a5472787fd998489a53af7b2e4baa1e0d9c715cbc33d92007767a9474633c792bc137897d55553b"
                     "928acf09d0a51fde68b5ea041b812e03"},
                {.client_data = "{'type':'webauthn.get','challenge':'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8','"
                                "origin':'http://localhost:8421','crossOrigin':false}",
                 .data = "49960de5880e8c687434170f6476605b8fe4aeb9a28632c7995cf3ba831d97630500000003",
                 .signature =
                     "8746cd6ce096d5a6748c6c16b61bb27eba01d97e249e43ef4620d1d263ff3ca6b89ecddd5845bed75b782bc91f758c10"
                     "796efbeb71266b21b07fa44e8bdabb06"},
            },
    },

};
static const struct passkey_party vector_party = {{"localhost", 9}, {"http://localhost:8421", 21}};

static inline struct str bytes_of(struct arena *a, const char *hex)
{
    size_t n = strlen(hex) / 2;
    unsigned char *out = arena_raw(a, n + 1, 1);
    assert_non_null(out);
    assert_true(enc_unhex(str_of(hex), out, n));
    return (struct str){(const char *)out, n};
}

static inline struct str json_of(struct arena *a, const char *text)
{
    return str_of(quotes((char *)arena_str(a, str_of(text)).p));
}

static inline struct str vector_challenge(struct arena *a)
{
    return bytes_of(a, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
}

static inline struct passkey_proof vector_proof(struct arena *a, const struct vector *v, int i)
{
    return (struct passkey_proof){.client_data = json_of(a, v->signs[i].client_data),
                                  .authenticator_data = bytes_of(a, v->signs[i].data),
                                  .signature = bytes_of(a, v->signs[i].signature)};
}

#endif
