#include "identity/assertion.h"

#include "base/clock.h"
#include "base/enc.h"

enum { ASSERTION_SECONDS = 60 };

enum err assertion_make(const struct jose_key *key, struct str agent, struct str issuer, struct buf *out,
                        struct fault *f)
{
    struct buf b;
    char jti[ENC_ID_MAX];
    int64_t now = clock_wall_ms() / 1000;
    enc_id("jti", jti);
    buf_init(&b, 4096);
    struct json_out o = json_out(&b);
    json_open(&o, '{');
    json_kv_str(&o, "iss", agent);
    json_kv_str(&o, "sub", agent);
    json_kv_str(&o, "aud", issuer);
    json_kv_z(&o, "jti", jti);
    json_kv_i64(&o, "iat", now);
    json_kv_i64(&o, "exp", now + ASSERTION_SECONDS);
    json_close(&o, '}');
    enum err e = jose_sign(key, "JWT", buf_view(&b), out, f);
    buf_done(&b);
    return e;
}
