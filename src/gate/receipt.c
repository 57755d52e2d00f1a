/* What an agent's operator asks for the proof with later: where the call's intent stands on record, and its hash. */
#include "gate/gate.h"

void gate_put_receipt(struct json_out *o, const struct call *c)
{
    char digest[2 * SHA256_BYTES + 1];
    enc_hex(c->intent.leaf.b, SHA256_BYTES, digest);
    json_open(o, '{');
    json_kv_z(o, "digest", digest);
    json_kv_i64(o, "index", (int64_t)c->intent_seq - 1);
    json_close(o, '}');
}
