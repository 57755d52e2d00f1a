/*
 * jose_judge: src/jose for tests that compare it with another implementation. Each line of standard input is one
 * command, its words separated by one space; each is answered with one line, "ok ..." or "error: why".
 *
 *   generate EdDSA|ES256        ok {private JWK}
 *   thumbprint JWK              ok thumbprint
 *   public JWK                  ok {public JWK}
 *   sign TYP PAYLOAD JWK        ok token         (PAYLOAD and JWK are JSON without white space)
 *   verify TYP TOKEN JWK        ok payload       (TYP * is any; the JWK must be public)
 */
#include "jose/jose.h"

#include <stdio.h>
#include <stdlib.h>

static enum err generate(struct str alg, struct fault *f)
{
    struct jose_key *k CLEANUP(jose_key_freep) = NULL;
    struct secret *s CLEANUP(secret_freep) = NULL;
    TRY(jose_key_generate(str_is(alg, "ES256") ? JOSE_ES256 : str_is(alg, "EdDSA") ? JOSE_EDDSA : JOSE_NONE, &k, f));
    TRY(jose_key_write_private(k, &s, f));
    printf("ok %.*s\n", (int)secret_len(s), (const char *)secret_bytes(s));
    return ERR_OK;
}

static enum err describe(bool thumbprint, struct str jwk, struct fault *f)
{
    struct jose_key *k CLEANUP(jose_key_freep) = NULL;
    struct buf out;
    TRY(jose_key_parse(jwk, false, &k, f));
    buf_init(&out, 4096);
    jose_key_write_public(k, &out);
    if (thumbprint)
        printf("ok %s\n", jose_key_thumbprint(k));
    else
        printf("ok " STR_FMT "\n", STR_ARG(buf_view(&out)));
    buf_done(&out);
    return ERR_OK;
}

static enum err sign(struct str typ, struct str payload, struct str jwk, struct fault *f)
{
    struct jose_key *k CLEANUP(jose_key_freep) = NULL;
    struct buf out;
    char name[64];
    snprintf(name, sizeof(name), STR_FMT, STR_ARG(typ));
    TRY(jose_key_parse(jwk, false, &k, f));
    buf_init(&out, 1u << 20);
    enum err e = jose_sign(k, name, payload, &out, f);
    if (!e)
        printf("ok " STR_FMT "\n", STR_ARG(buf_view(&out)));
    buf_done(&out);
    return e;
}

static enum err verify(struct str typ, struct str token, struct str jwk, struct fault *f)
{
    struct jose_key *k CLEANUP(jose_key_freep) = NULL;
    struct arena a;
    struct str payload;
    char name[64];
    snprintf(name, sizeof(name), STR_FMT, STR_ARG(typ));
    TRY(jose_key_parse(jwk, true, &k, f));
    arena_init(&a, 1u << 20);
    enum err e = jose_verify(k, token, str_is(typ, "*") ? NULL : name, &a, &payload, f);
    if (!e)
        printf("ok " STR_FMT "\n", STR_ARG(payload));
    arena_done(&a);
    return e;
}

static enum err run(struct str line, struct fault *f)
{
    struct str command, first, second;
    str_cut(&line, ' ', &command);
    if (str_is(command, "generate"))
        return generate(line, f);
    if (str_is(command, "thumbprint") || str_is(command, "public"))
        return describe(str_is(command, "thumbprint"), line, f);
    if (str_cut(&line, ' ', &first) && str_cut(&line, ' ', &second)) {
        if (str_is(command, "sign"))
            return sign(first, second, line, f);
        if (str_is(command, "verify"))
            return verify(first, second, line, f);
    }
    return fault_set(f, ERR_USAGE, "no such command");
}

int main(void)
{
    char *line = NULL;
    size_t cap = 0;
    for (ssize_t n; (n = getline(&line, &cap, stdin)) > 0;) {
        struct fault f = {0};
        size_t bytes = (size_t)n - (line[n - 1] == '\n');
        if (run((struct str){line, bytes}, &f))
            printf("error: %s\n", f.text);
    }
    free(line);
    return 0;
}
