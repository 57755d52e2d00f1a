/* What a yes is about: this agent, in this session, this tool as it is defined now, these arguments, these policies. */
#include "approve/approve.h"

static void binding_part(unsigned char length[8], struct str s, struct str part[2])
{
    for (unsigned i = 0; i < 8; i++)
        length[i] = (unsigned char)((uint64_t)s.n >> (8 * i));
    part[0] = (struct str){(const char *)length, 8};
    part[1] = s;
}

void approval_binding(const struct approval_ask *ask, unsigned char ret[SHA256_BYTES])
{
    const struct str parts[] = {
        STR("doorward approval 1"), ask->lease->agent_id, ask->lease->sid, ask->tool, ask->arguments, ask->definition,
        ask->policy_version};
    enum { PARTS = sizeof(parts) / sizeof(parts[0]) };
    unsigned char length[PARTS][8]; /* so that no two of them flow into one another */
    struct str v[2 * PARTS];
    for (unsigned i = 0; i < PARTS; i++)
        binding_part(length[i], parts[i], &v[2 * i]);
    enc_sha256_parts(v, 2 * (size_t)PARTS, ret);
}
