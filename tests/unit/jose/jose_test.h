/* The keys that the tests of this folder use. JSON is written with ' for ". */
#ifndef TEST_JOSE_H
#define TEST_JOSE_H

#include "../unit.h"

#include "base/enc.h"
#include "jose/jose.h"

#include <stdio.h>
#include <stdlib.h>

/* RFC 8037 appendix A.1 and A.2 */
#define ED_X      "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define ED_D      "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
#define ED_PUBLIC "'kty':'OKP','crv':'Ed25519','x':'" ED_X "'"
/* RFC 7515 appendix A.3.1 */
#define EC_X      "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define EC_Y      "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define EC_D      "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"
#define EC_PUBLIC "'kty':'EC','crv':'P-256','x':'" EC_X "','y':'" EC_Y "'"

static inline enum err key_parse(const char *jwk, bool public_only, struct jose_key **ret, struct fault *f)
{
    char *text = quotes(strdup(jwk));
    enum err e = jose_key_parse(str_of(text), public_only, ret, f);
    free(text); /* a key must not need its text any longer */
    return e;
}

static inline struct jose_key *key_of(const char *jwk)
{
    struct jose_key *k = NULL;
    struct fault f = {0};
    if (key_parse(jwk, false, &k, &f))
        fail_msg("%s: %s", jwk, f.text);
    return k;
}

#endif
