/* What the browser says of itself: clientDataJSON (section 5.8.1). */
#include "base/enc.h"
#include "passkey/inner.h"

static enum err client_member(const struct json *j, const char *name, struct str want, struct fault *f)
{
    if (json_str_is(j, json_get(j, JSON_ROOT, str_of(name)), want))
        return ERR_OK;
    return fault_set(f, ERR_PASSKEY, "clientDataJSON: %s must be " STR_FMT, name, STR_ARG(want));
}

static enum err client_challenge(const struct json *j, struct str challenge, struct fault *f)
{
    char text[(4 * PASSKEY_CHALLENGE_MAX + 2) / 3 + 1];
    if (challenge.n < PASSKEY_CHALLENGE_MIN || challenge.n > PASSKEY_CHALLENGE_MAX)
        return fault_set(f, ERR_PASSKEY, "a challenge is of %d to %d bytes", PASSKEY_CHALLENGE_MIN,
                         PASSKEY_CHALLENGE_MAX);
    struct str want = {text, enc_b64url(challenge.p, challenge.n, text)};
    if (!json_str_is(j, json_get(j, JSON_ROOT, STR("challenge")), want))
        return fault_set(f, ERR_PASSKEY, "clientDataJSON: challenge is not the one that was given out");
    return ERR_OK;
}

/* In a frame of another site somebody may be made to sign what he does not see. */
static enum err client_frames(const struct json *j, struct fault *f)
{
    uint32_t cross = json_get(j, JSON_ROOT, STR("crossOrigin"));
    if ((cross && json_type(j, cross) != JSON_FALSE) || json_get(j, JSON_ROOT, STR("topOrigin")))
        return fault_set(f, ERR_PASSKEY, "clientDataJSON: crossOrigin must be false: not within a page of others");
    return ERR_OK;
}

enum err passkey_client_check(const struct passkey_party *party, const char *type, struct str challenge,
                              struct str client_data, struct arena *a, struct fault *f)
{
    struct json j;
    struct json_limits l = {.depth = 4, .nodes = 128};
    struct fault inner = {0};
    if (client_data.n > PASSKEY_CLIENT_DATA_MAX)
        return fault_set(f, ERR_PASSKEY, "clientDataJSON is longer than %d bytes", PASSKEY_CLIENT_DATA_MAX);
    enum err e = json_parse(&j, client_data, a, &l, &inner);
    if (e == ERR_NOMEM)
        return fault_set(f, e, "no memory for a passkey");
    if (e)
        return passkey_syntax(f, "clientDataJSON", &inner);
    if (json_type(&j, JSON_ROOT) != JSON_OBJECT)
        return fault_set(f, ERR_PASSKEY, "clientDataJSON is no object");
    TRY(client_member(&j, "type", str_of(type), f));
    TRY(client_member(&j, "origin", party->origin, f));
    TRY(client_challenge(&j, challenge, f));
    return client_frames(&j, f);
}
