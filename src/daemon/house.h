/* What the daemon is made of. For the files of this room. */
#ifndef DAEMON_HOUSE_H
#define DAEMON_HOUSE_H

#include "access/access.h"
#include "admin/admin.h"
#include "daemon/manager.h"
#include "daemon/policies.h"
#include "gate/task.h"
#include "mcp/elicit.h"
#include "oauth/oauth.h"
#include "rest/rest.h"

struct house;

struct station { /* one for each worker */
    struct house *house;
    struct gate_worker gate;
    struct oauth_worker oauth;
    struct rest_worker rest;
    struct server *server;
    struct worker_mail drain, cancel; /* posted at the end */
    struct worker_mail pulse;         /* of the watchdog */
    _Atomic bool turned;              /* it has been run */
};

struct house {
    const char *config_file;
    struct manager_sockets given;
    struct conf_slot conf;
    struct store *store;
    struct agents *agents;
    struct stops *stops;
    struct pins *pins;
    struct lease_store *leases;
    struct keys *keys;
    struct audit *audit;
    struct indexer *indexer; /* NULL before the loops run, and when the index cannot be written */
    struct sinks *sinks;     /* NULL before the loops run */
    struct outside *outside; /* likewise */
    struct access *access;
    struct sessions *sessions;
    struct house_policies policies;
    struct approvals *approvals;
    struct notify *_Atomic notify; /* NULL before the loops run */
    struct people *people;
    struct passkeys *passkeys;
    struct console *console;
    struct approval_streams *_Atomic approval_streams; /* NULL before the listeners */
    struct connect *connect;
    struct oauth oauth;
    struct gate gate;
    struct admin admin;
    struct secret *operator_token;
    struct worker *workers;
    struct station *stations;
    struct mcp_worker *mcp; /* one for each worker */
    struct session_table *protocol_sessions;
    struct elicited *elicited; /* which of them was given which URL */
    unsigned worker_count;
    struct server *admin_server;
    unsigned char session_key[32]; /* of MCP's own sessions; for the life of the process */
    struct str issuer, resource, metadata_url;
    char names[3][1024];
    uv_timer_t sweep, grace, watchdog;
    uv_signal_t signals[3];
    unsigned handles;
    _Atomic bool settled, stopping;
    _Atomic unsigned servers_open;
    bool threads;
};

/* listen.c: requests of agents */
extern const struct server_ops listen_server_ops; /* x->app is the struct station */
/* watchdog.c: on worker 0, whose loop does not run yet. */
void house_watchdog(struct house *h);
/* account.c: a request of agents, or of operators, is over: counted, and a line of the access log. */
void house_account(struct exchange *x);
void house_account_operators(void *house, struct exchange *x);
bool house_ready(void *house, struct fault *f);
/* Reads the configuration file: a snapshot that may be put in force while running, or all faults. Any thread. */
enum err house_load(void *house, struct conf **ret, struct buf *faults);
void house_apply(void *house, struct conf *conf, struct str by); /* worker 0; by: the operator, if one asked for it */
/* approvals.c */
enum err house_approvals_new(struct house *h, struct fault *f) MUST_USE;
enum err house_approvals_resume(struct house *h, struct fault *f) MUST_USE;
void house_approvals_session_over(struct house *h, struct str session);
void house_approvals_tool_changed(struct house *h, struct str tool);
void house_approvals_policies_changed(struct house *h);
/* Operators of the configuration who may not decide any more: what they said yes to is void. */
void house_approvals_operators(struct house *h, const struct conf *before, const struct conf *now);
void house_approvals_done(struct house *h);
/* channels.c: before questions of before are taken up; and before the loops run */
enum err house_channels_watch(struct house *h, struct fault *f) MUST_USE;
enum err house_channels_start(struct house *h, struct fault *f) MUST_USE;
/* kill.c: as admin.kill */
enum err house_kill(void *house, const struct admin_kill *k, struct admin_killed *ret, struct fault *f) MUST_USE;
/* certificates.c: what is shown from now on, told in the log and, of the operators' API, written down for the command
 * line on this machine. */
void house_certificates(const struct conf_root *r);
/* descriptors.c: raises the limit to what the configuration can need, or says at the start that it is too low. Below
 * which descriptor connections of agents and of operators are taken: operators still get in when agents do not, and
 * both leave some for servers, processes and the record. */
struct house_descriptors {
    int agents, operators;
};
struct house_descriptors house_descriptors(const struct conf_root *r);

#endif
