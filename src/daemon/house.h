/* What the daemon is made of. For the files of this room. */
#ifndef DAEMON_HOUSE_H
#define DAEMON_HOUSE_H

#include "admin/admin.h"
#include "mcp/mcp.h"
#include "oauth/oauth.h"

struct house;

struct station { /* one for each worker */
    struct house *house;
    struct gate_worker gate;
    struct oauth_worker oauth;
    struct server *server;
    struct worker_mail drain, cancel; /* posted at the end */
};

struct house {
    const char *config_file;
    struct conf_slot conf;
    struct store *store;
    struct agents *agents;
    struct pins *pins;
    struct lease_store *leases;
    struct keys *keys;
    struct audit *audit;
    struct sessions *sessions;
    struct connect *connect;
    struct oauth oauth;
    struct gate gate;
    struct admin admin;
    struct secret *operator_token;
    struct worker *workers;
    struct station *stations;
    struct mcp_worker *mcp; /* one for each worker */
    struct session_table *protocol_sessions;
    unsigned worker_count;
    struct server *admin_server;
    unsigned char session_key[32]; /* of MCP's own sessions; for the life of the process */
    struct str issuer, resource, metadata_url;
    char names[3][1024];
    uv_timer_t sweep, grace;
    uv_signal_t signals[3];
    unsigned handles;
    _Atomic bool settled, stopping;
    _Atomic unsigned servers_open;
    bool threads;
};

/* listen.c: requests of agents */
extern const struct server_ops listen_server_ops; /* x->app is the struct station */
bool house_ready(void *house, struct fault *f);
/* Reads the configuration file: a snapshot that may be put in force while running, or all faults. Any thread. */
enum err house_load(void *house, struct conf **ret, struct buf *faults);
void house_apply(void *house, struct conf *conf, struct str by); /* worker 0; by: the operator, if one asked for it */

#endif
