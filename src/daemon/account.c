/* What became of a request of agents, when it is over. */
#include "daemon/house.h"

static const struct {
    const char *path, *face;
    enum meter_series counted;
} account_faces[] = {
    {"/mcp", "mcp", METER_REQUESTS_MCP_2XX},       {"/v1", "rest", METER_REQUESTS_REST_2XX},
    {"/oauth", "oauth", METER_REQUESTS_OAUTH_2XX}, {"/.well-known", "oauth", METER_REQUESTS_OAUTH_2XX},
    {"", "other", METER_REQUESTS_OTHER_2XX},
};

static unsigned account_face(struct str path)
{
    unsigned i = 0;
    for (;; i++) {
        struct str prefix = str_of(account_faces[i].path), rest = str_skip(path, prefix.n);
        if (prefix.n == 0 || (str_starts(path, prefix) && (path.n == prefix.n || rest.p[0] == '/')))
            return i;
    }
}

static bool account_same(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
    if (a->ss_family != b->ss_family)
        return false;
    if (a->ss_family == AF_INET)
        return ((const struct sockaddr_in *)a)->sin_addr.s_addr == ((const struct sockaddr_in *)b)->sin_addr.s_addr;
    return memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr, &((const struct sockaddr_in6 *)b)->sin6_addr, 16) == 0;
}

static void account_line(struct house *h, struct exchange *x, const char *face)
{
    struct sockaddr_storage client;
    if (!access_on(h->access))
        return;
    x->note.face = face;
    struct conf *conf = conf_slot_get(&h->conf);
    oauth_client_address(x, &conf->root, &client);
    conf_unref(conf);
    access_note(h->access, x, account_same(&client, &x->peer) ? NULL : &client);
}

void house_account(struct exchange *x)
{
    struct station *s = x->app;
    unsigned face = account_face(x->head.path);
    if (!x->status)
        return; /* it never became a request */
    meter_request(account_faces[face].counted, x->status);
    account_line(s->house, x, account_faces[face].face);
}

void house_account_operators(void *house, struct exchange *x)
{
    if (!x->status)
        return;
    meter_request(METER_REQUESTS_OPERATORS_2XX, x->status);
    account_line(house, x, "operators");
}
