#include <sodium.h>

#include "base/enc.h"
#include "mcp/request.h"

enum { MCP_NONCE = 16, MCP_CAN = 1, MCP_MAC = 16 };

static void mcp_session_mac(const struct mcp_worker *m, struct str sid, const unsigned char *nonce,
                            unsigned char mac[MCP_MAC])
{
    crypto_generichash_state s;
    crypto_generichash_init(&s, m->session_key, 32, MCP_MAC);
    crypto_generichash_update(&s, nonce, MCP_NONCE + MCP_CAN);
    crypto_generichash_update(&s, (const unsigned char *)sid.p, sid.n);
    crypto_generichash_final(&s, mac, MCP_MAC);
}

void mcp_session_make(const struct mcp_worker *m, struct str sid, unsigned can, char ret[MCP_SESSION_ID_MAX])
{
    unsigned char raw[MCP_NONCE + MCP_CAN + MCP_MAC];
    enc_random(raw, MCP_NONCE);
    raw[MCP_NONCE] = (unsigned char)can;
    mcp_session_mac(m, sid, raw, raw + MCP_NONCE + MCP_CAN);
    enc_b64url(raw, sizeof(raw), ret);
}

bool mcp_session_check(const struct mcp_worker *m, struct str sid, struct str id, unsigned *ret_can)
{
    unsigned char raw[MCP_NONCE + MCP_CAN + MCP_MAC], mac[MCP_MAC];
    size_t n;
    if (enc_unb64url(id, raw, sizeof(raw), &n) || n != sizeof(raw))
        return false;
    mcp_session_mac(m, sid, raw, mac);
    if (sodium_memcmp(mac, raw + MCP_NONCE + MCP_CAN, MCP_MAC) != 0)
        return false;
    *ret_can = raw[MCP_NONCE];
    return true;
}
