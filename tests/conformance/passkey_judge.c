/*
 * passkey_judge: src/passkey for tests that compare it with another implementation. Each line of standard input is one
 * command, its words separated by one space, all bytes in base64url ("" for none); each is answered with one line,
 * "ok ..." or "error: why".
 *
 *   register RPID ORIGIN CHALLENGE CLIENTDATA ATTESTATION           ok {"id","jwk","count","mayBackUp"}
 *   assert RPID ORIGIN CHALLENGE CLIENTDATA AUTHDATA SIGNATURE COUNT MAYBACKUP JWK      ok COUNT
 *
 * RPID and ORIGIN as they are, MAYBACKUP true or false, JWK without white space.
 */
#include "base/enc.h"
#include "passkey/passkey.h"

#include <stdio.h>
#include <stdlib.h>

enum { WORDS = 9 };

static struct str decoded(struct str word, struct arena *a)
{
    unsigned char *out = arena_raw(a, word.n + 1, 1);
    size_t n = 0;
    if (!out || enc_unb64url(word, out, word.n + 1, &n)) {
        fprintf(stderr, "not base64url: " STR_FMT "\n", STR_ARG(word));
        exit(2);
    }
    return (struct str){(char *)out, n};
}

static enum err do_register(const struct str *w, struct arena *a, struct fault *f)
{
    struct passkey_party party = {w[0], w[1]};
    struct passkey_new made;
    char id[(4 * PASSKEY_ID_MAX + 2) / 3 + 1];
    TRY(passkey_register(&party, decoded(w[2], a), decoded(w[3], a), decoded(w[4], a), a, &made, f));
    enc_b64url(made.id.p, made.id.n, id);
    printf("ok {\"id\":\"%s\",\"jwk\":" STR_FMT ",\"count\":%u,\"mayBackUp\":%s}\n", id, STR_ARG(made.jwk), made.count,
           made.may_back_up ? "true" : "false");
    return ERR_OK;
}

static enum err do_assert(const struct str *w, struct arena *a, struct fault *f)
{
    struct jose_key *key CLEANUP(jose_key_freep) = NULL;
    struct passkey_party party = {w[0], w[1]};
    struct passkey_proof proof = {decoded(w[3], a), decoded(w[4], a), decoded(w[5], a), STR_NONE};
    uint64_t last = 0;
    uint32_t count;
    TRY(jose_key_parse(w[8], true, &key, f));
    if (!str_u64(w[6], &last))
        return fault_set(f, ERR_USAGE, "no such count");
    struct passkey_known known = {.key = key, .count = (uint32_t)last, .may_back_up = str_is(w[7], "true")};
    TRY(passkey_assert(&party, decoded(w[2], a), &known, &proof, a, &count, f));
    printf("ok %u\n", count);
    return ERR_OK;
}

static enum err run(struct str line, struct fault *f)
{
    struct arena a;
    struct str word[WORDS] = {STR_NONE}, command;
    str_cut(&line, ' ', &command);
    for (int i = 0; i < WORDS && str_cut(&line, ' ', &word[i]); i++)
        ;
    arena_init(&a, 1u << 20);
    enum err e = str_is(command, "register") ? do_register(word, &a, f)
                 : str_is(command, "assert") ? do_assert(word, &a, f)
                                             : fault_set(f, ERR_USAGE, "no such command");
    arena_done(&a);
    return e;
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
