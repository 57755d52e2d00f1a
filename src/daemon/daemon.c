#include "daemon/daemon.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/approvals_stream.h"
#include "approve/approve.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/log.h"
#include "box/box.h"
#include "daemon/stop.h"
#include "notify/notify.h"

enum { HOUSE_SWEEP_MS = 500 };

/* ---- what happens to sessions ---- */

/* What policies see of a session and its calls do not repeat. */
static void house_session_details(const struct lease *l, struct buf *b)
{
    struct json_out o = json_out(b);
    json_open(&o, '{');
    json_kv_str(&o, "owner", l->agent_owner);
    json_kv_strs(&o, "scopes", l->scope, l->scope_count);
    if (l->tier.n)
        json_kv_str(&o, "tier", l->tier);
    else
        json_kv_null(&o, "tier");
    json_close(&o, '}');
}

static void house_session_told(void *ctx, enum session_event event, const struct lease *l, struct str by,
                               struct str reason)
{
    static const enum audit_event events[] = {AUDIT_SESSION_CREATED, AUDIT_SESSION_ENDED, AUDIT_SESSION_EXPIRED,
                                              AUDIT_SESSION_ENDED, AUDIT_SESSION_RESUMED};
    struct house *h = ctx;
    struct audit_entry e;
    struct buf details CLEANUP(buf_done);
    bool own = event == SESSION_OPENED || event == SESSION_LEFT;
    enum audit_actor actor = by.n ? AUDIT_HUMAN : own ? AUDIT_AI_AGENT : AUDIT_SYSTEM;
    audit_entry_init(&e, events[event], actor);
    e.actor = by;
    audit_entry_who(&e, l);
    e.reason = reason;
    e.judged = reason.n > 0;
    e.result = AUDIT_SUCCESS;
    buf_init(&details, 4u << 20);
    if (event == SESSION_OPENED || event == SESSION_RESUMED)
        house_session_details(l, &details);
    e.details = buf_view(&details);
    audit_note(h->audit, &e);
    if (event == SESSION_OPENED || event == SESSION_RESUMED)
        return;
    house_approvals_session_over(h, l->sid);
    session_table_forget(h->protocol_sessions, l->sid);
    bool last = h->leases->ops->open_count(h->leases, l->agent_id) == 0;
    connect_forget(h->connect, last ? l->agent_id : STR_NONE, l->sid);
}

/* Of what an operator accepted, the operators' API writes the entry. */
static void house_pin_told(void *ctx, enum pin_event event, const struct tool *t, struct str before)
{
    static const enum audit_event events[] = {AUDIT_TOOL_PINNED, AUDIT_TOOL_NEW, AUDIT_TOOL_CHANGED,
                                              AUDIT_TOOL_RESTORED};
    static const char *const names[] = {"tool_pinned", "tool_new", "tool_changed", "tool_restored"};
    struct house *h = ctx;
    struct audit_entry e;
    char details[200];
    bool withheld = event == PIN_NEW || event == PIN_CHANGED;
    audit_entry_init(&e, events[event], AUDIT_SYSTEM);
    e.tool = t->id;
    e.details = pin_details(t->hash, before, details, sizeof(details));
    e.result = withheld ? AUDIT_DENIED : AUDIT_SUCCESS;
    audit_note(h->audit, &e);
    if (event == PIN_CHANGED)
        house_approvals_tool_changed(h, t->id);
    log_at(withheld ? LOG_WARN : LOG_INFO, names[event], LOG_S("tool", t->id), LOG_Z("hash", t->hash),
           LOG_S("pinned", before));
}

static void house_sweep(uv_timer_t *t)
{
    struct house *h = t->data;
    session_sweep(h->sessions);
    approvals_sweep(h->approvals, clock_wall_ms());
    admin_sweep(&h->admin);
}

bool house_ready(void *house, struct fault *f)
{
    struct house *h = house;
    struct fault why;
    if (atomic_load(&h->stopping))
        return fault_set(f, ERR_STOPPING, "Doorward is stopping"), false;
    if (stops_all(h->stops))
        return fault_set(f, ERR_ALL_STOPPED, "an operator has stopped everything"), false;
    if (!atomic_load(&h->settled))
        return fault_set(f, ERR_UPSTREAM, "the servers are being asked for their tools"), false;
    if (!audit_healthy(h->audit, &why))
        return fault_set(f, ERR_AUDIT, "%s", why.text), false;
    if (!policy_force_ok(&h->policies.force, NULL))
        return fault_set(f, ERR_POLICY_UNREADY,
                         "the policies of the configuration are not in force: see `doorward policy show`"),
               false;
    return true;
}

static void house_catalogue_changed(void *ctx)
{
    struct house *h = ctx;
    house_policies_changed(h);
    for (unsigned i = 0; i < h->worker_count; i++)
        mcp_catalogue_changed(&h->mcp[i]);
}

static void house_resource_updated(void *ctx, struct str server, struct str key, struct str uri)
{
    struct house *h = ctx;
    for (unsigned i = 0; i < h->worker_count; i++)
        mcp_resource_updated(&h->mcp[i], server, key, uri);
}

static void house_elicitation_completed(void *ctx, struct str server, struct str key, struct str id)
{
    struct house *h = ctx;
    for (unsigned i = 0; i < h->worker_count; i++)
        mcp_elicitation_completed(&h->mcp[i], server, key, id);
}

static void house_server_said(void *ctx, struct str server, struct str key, struct str params)
{
    struct house *h = ctx;
    for (unsigned i = 0; i < h->worker_count; i++)
        mcp_server_said(&h->mcp[i], server, key, params);
}

static void house_unsubscribed(void *ctx, const struct lease *l, struct str server, struct str uri)
{
    gate_subscribed(ctx, l, server, uri, false);
}

static void house_serves(struct house *h)
{
    atomic_store(&h->settled, true);
    struct catalogue *k = connect_catalogue(h->connect);
    char status[64];
    log_info("ready", LOG_I("tools", k->count), LOG_S("mcp", h->resource));
    snprintf(status, sizeof(status), "serves %zu tools", (size_t)k->count);
    manager_ready(status);
    catalogue_unref(k);
}

static void house_settled(void *ctx)
{
    house_policies_make(ctx, house_serves);
}

/* ---- signals ---- */

struct house_reload {
    uv_work_t work;
    struct house *house;
    struct conf *conf;
    struct buf faults;
    enum err err;
};

static void house_reload_work(uv_work_t *w)
{
    struct house_reload *r = w->data;
    r->err = house_load(r->house, &r->conf, &r->faults);
}

static void house_reload_done(uv_work_t *w, int status)
{
    struct house_reload *r = w->data;
    if (status == 0 && !r->err) {
        house_apply(r->house, r->conf, STR_NONE);
    } else {
        admin_note_refused(r->house->audit, STR_NONE, buf_view(&r->faults));
        for (struct str rest = buf_view(&r->faults), line; rest.n;) {
            str_cut(&rest, '\n', &line);
            if (line.n)
                log_error("configuration_fault", LOG_S("fault", line));
        }
        access_reopen(r->house->access, r->house->conf.conf->root.log.access); /* it is renamed all the same */
        manager_ready("serves; the configuration has faults, so that the one before stays in force");
    }
    conf_unref(r->conf);
    buf_done(&r->faults);
    free(r);
}

static void house_reload(struct house *h)
{
    struct house_reload *r = calloc(1, sizeof(*r));
    if (!r)
        return;
    r->house = h;
    r->work.data = r;
    buf_init(&r->faults, 1u << 20);
    manager_reloading();
    if (uv_queue_work(&h->workers[0].loop, &r->work, house_reload_work, house_reload_done)) {
        buf_done(&r->faults);
        free(r);
    }
}

static void house_signal(uv_signal_t *s, int number)
{
    struct house *h = s->data;
    if (number == SIGHUP)
        house_reload(h);
    else
        house_stop(h);
}

/* ---- putting it together ---- */

static enum err house_names(struct house *h, const struct conf_root *r, struct fault *f)
{
    struct str url = r->public_url;
    while (url.n && url.p[url.n - 1] == '/')
        url.n--;
    if (url.n > 900)
        return fault_set(f, ERR_CONFIG, "public_url is too long");
    struct str *names[] = {&h->issuer, &h->resource, &h->metadata_url};
    static const char *const tails[] = {"", "/mcp", "/.well-known/oauth-protected-resource/mcp"};
    for (unsigned i = 0; i < 3; i++) {
        int n = snprintf(h->names[i], sizeof(h->names[i]), STR_FMT "%s", STR_ARG(url), tails[i]);
        *names[i] = (struct str){h->names[i], (size_t)n};
    }
    return ERR_OK;
}

/* Before sinks have begun, and after they have ended, nobody knows how far they are: nothing is pruned. */
static uint64_t house_keeps(void *ctx)
{
    (void)ctx;
    return 0;
}

static enum err house_record(struct house *h, const char *data, const struct conf_root *r, struct fault *f)
{
    char path[4096], text[160];
    struct audit_recovery found;
    struct audit_entry e;
    snprintf(path, sizeof(path), "%s/audit", data);
    TRY(audit_open(path, &r->audit, &h->audit, &found, f));
    audit_hold(h->audit, house_keeps, NULL);
    audit_conf(h->audit, h->conf.conf);
    if (found.torn_bytes)
        log_warn("audit_torn_tail", LOG_I("bytes", found.torn_bytes), LOG_I("entries", found.entries));
    audit_entry_init(&e, AUDIT_GATEWAY_STARTED, AUDIT_SYSTEM);
    int n = snprintf(text, sizeof(text), "{\"entries\":%llu,\"tornBytes\":%llu,\"version\":\"" DOORWARD_VERSION "\"}",
                     (unsigned long long)found.entries, (unsigned long long)found.torn_bytes);
    e.details = (struct str){text, (size_t)n};
    e.result = AUDIT_SUCCESS;
    audit_note(h->audit, &e);
    return ERR_OK;
}

static enum err house_stores(struct house *h, const struct conf_root *r, struct fault *f)
{
    char path[4096];
    const char *data = r->data_dir.p;
    if (mkdir(data, 0700) < 0 && errno != EEXIST)
        return fault_set(f, ERR_IO, "data_dir %s: %m", data);
    TRY(house_record(h, data, r, f)); /* from here on data_dir is ours alone */
    box_tmp_clear(data);
    TRY(access_open(r->log.access, &h->access, f));
    snprintf(path, sizeof(path), "%s/doorward.db", data);
    TRY(store_sqlite_open(path, &h->store, f));
    TRY(agents_new(h->store, &h->agents, f));
    TRY(stops_new(h->store, &h->stops, f));
    TRY(pins_new(h->store, house_pin_told, h, &h->pins, f));
    TRY(house_approvals_new(h, f));
    snprintf(path, sizeof(path), "%s/keys", data);
    TRY(keys_open(path, r->token.alg == CONF_ES256 ? JOSE_ES256 : JOSE_EDDSA, &h->keys, f));
    TRY(admin_token(data, &h->operator_token, f));
    TRY(lease_memory_new(&h->leases, f));
    TRY(sessions_new(h->leases, h->conf.conf, house_session_told, h, &h->sessions, f));
    sessions_stops(h->sessions, h->stops);
    return house_approvals_resume(h, f);
}

static enum err house_workers(struct house *h, const struct conf_root *r, struct fault *f)
{
    h->worker_count = (unsigned)r->workers;
    h->workers = calloc(h->worker_count, sizeof(*h->workers));
    h->stations = calloc(h->worker_count, sizeof(*h->stations));
    h->mcp = calloc(h->worker_count, sizeof(*h->mcp));
    if (!h->workers || !h->stations || !h->mcp)
        return fault_set(f, ERR_NOMEM, "no memory for workers");
    for (unsigned i = 0; i < h->worker_count; i++)
        TRY(worker_init(&h->workers[i], i, f));
    TRY(connect_new(h->conf.conf, h->pins, h->workers, h->worker_count, &h->connect, f));
    h->oauth = (struct oauth){.conf = &h->conf,
                              .agents = h->agents,
                              .sessions = h->sessions,
                              .stops = h->stops,
                              .leases = h->leases,
                              .audit = h->audit,
                              .keys = h->keys,
                              .issuer = h->issuer,
                              .resource = h->resource};
    TRY(oauth_init(&h->oauth, f));
    h->gate = (struct gate){.audit = h->audit,
                            .leases = h->leases,
                            .connect = h->connect,
                            .sessions = h->sessions,
                            .policies = &h->policies.force,
                            .approvals = h->approvals,
                            .conf = &h->conf,
                            .states = request_states_new(),
                            .call_timeout_ms = (unsigned)r->limits.call_timeout,
                            .input_timeout_ms = (unsigned)r->limits.input_timeout,
                            .parked_max = (unsigned)r->limits.parked_calls,
                            .parked_session_max = (unsigned)r->session.max_parked_calls};
    if (!h->gate.states)
        return fault_set(f, ERR_NOMEM, "no memory for the states of requests");
    enc_random(h->session_key, sizeof(h->session_key));
    if (!(h->protocol_sessions = session_table_new(house_unsubscribed, &h->gate)) || !(h->elicited = elicited_new()))
        return fault_set(f, ERR_NOMEM, "no memory for protocol sessions");
    for (unsigned i = 0; i < h->worker_count; i++) {
        struct station *s = &h->stations[i];
        s->house = h;
        gate_worker_init(&s->gate, &h->gate, &h->workers[i]);
        TRY(oauth_worker_init(&s->oauth, &h->oauth, f));
        rest_worker_init(&s->rest, &s->gate);
        s->rest.issuer = h->issuer;
        s->rest.authenticate = oauth_authenticate;
        s->rest.ctx = &s->oauth;
        mcp_worker_init(&h->mcp[i], &s->gate);
        h->mcp[i].sessions = h->protocol_sessions;
        h->mcp[i].elicited = h->elicited;
        h->mcp[i].conf = &h->conf;
        h->mcp[i].all = h->mcp;
        h->mcp[i].count = h->worker_count;
        h->mcp[i].session_key = h->session_key;
        h->mcp[i].metadata_url = h->metadata_url;
        h->mcp[i].authenticate = oauth_authenticate;
        h->mcp[i].ctx = &s->oauth;
    }
    return ERR_OK;
}

static enum err house_listen(struct house *h, const struct conf_root *r, struct fault *f)
{
    struct house_descriptors below = house_descriptors(r);
    struct server_limits l = {.body_bytes = (size_t)r->limits.body_bytes,
                              .arena_bytes = (size_t)r->limits.arena_bytes,
                              .connections = (unsigned)r->limits.connections,
                              .meter = METER_CONNECTIONS_AGENTS,
                              .descriptors = below.agents,
                              .socket = h->given.agents,
                              .write_bytes = (size_t)r->limits.result_bytes * 2 + (4u << 20)};
    struct server_limits of_admin = {.meter = METER_CONNECTIONS_OPERATORS,
                                     .connections = 256,
                                     .descriptors = below.operators,
                                     .socket = h->given.operators};
    for (unsigned i = 0; i < h->worker_count; i++)
        TRY(server_listen(&h->workers[i], r->listen, &l, &listen_server_ops, &h->stations[i], &h->stations[i].server,
                          f));
    h->admin = (struct admin){.conf = &h->conf,
                              .agents = h->agents,
                              .stops = h->stops,
                              .sessions = h->sessions,
                              .leases = h->leases,
                              .connect = h->connect,
                              .pins = h->pins,
                              .policies = &h->policies.force,
                              .approvals = h->approvals,
                              .people = h->people,
                              .passkeys = h->passkeys,
                              .console = h->console,
                              .store = h->store,
                              .audit = h->audit,
                              .keys = h->keys,
                              .issuer = h->issuer,
                              .resource = h->resource,
                              .failures = h->oauth.failures,
                              .token = h->operator_token,
                              .worker = &h->workers[0],
                              .started_ns = clock_mono_ns(),
                              .ctx = h,
                              .ready = house_ready,
                              .load = house_load,
                              .apply = house_apply,
                              .over = house_account_operators,
                              .kill = house_kill};
    TRY(admin_streams_new(&h->admin, f));
    TRY(admin_people_new(&h->admin, f));
    TRY(approval_streams_new(&h->admin, &h->admin.approval_streams, f));
    h->approval_streams = h->admin.approval_streams;
    TRY(server_listen(&h->workers[0], r->admin.listen, &of_admin, &admin_server_ops, &h->admin, &h->admin_server, f));
    house_certificates(r);
    h->servers_open = h->worker_count + 1;
    return ERR_OK;
}

static enum err house_timers(struct house *h)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    uv_loop_t *loop = &h->workers[0].loop;
    uv_timer_init(loop, &h->sweep);
    uv_timer_init(loop, &h->grace);
    h->sweep.data = h->grace.data = h;
    uv_timer_start(&h->sweep, house_sweep, HOUSE_SWEEP_MS, HOUSE_SWEEP_MS);
    for (unsigned i = 0; i < 3; i++) {
        uv_signal_init(loop, &h->signals[i]);
        h->signals[i].data = h;
        uv_signal_start(&h->signals[i], house_signal, numbers[i]);
    }
    house_watchdog(h);
    h->handles = 6;
    return ERR_OK;
}

/* Without an index the record is looked through: no reason not to start. */
static void house_index(struct house *h, const struct conf_root *r)
{
    char path[4096];
    struct fault f;
    snprintf(path, sizeof(path), "%s/audit", r->data_dir.p);
    if (indexer_start(h->audit, path, &h->indexer, &f))
        log_warn("audit_index_unavailable", LOG_Z("code", err_code(f.err)), LOG_Z("reason", f.text));
    h->admin.indexer = h->indexer;
}

static uint64_t house_taken(void *sinks)
{
    return sinks_taken(sinks);
}

/* Before the loops run: operators ask about them. */
static enum err house_sinks(struct house *h, const struct conf_root *r, struct fault *f)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/audit", r->data_dir.p);
    TRY(sinks_start(h->audit, path, h->conf.conf, &h->sinks, f));
    h->admin.sinks = h->sinks;
    audit_hold(h->audit, house_taken, h->sinks);
    TRY(house_channels_start(h, f));
    TRY(outside_start(h->audit, path, h->conf.conf, &h->outside, f));
    h->admin.outside = h->outside;
    return ERR_OK;
}

static void house_done(struct house *h)
{
    notify_stop(h->notify);
    outside_stop(h->outside);
    audit_hold(h->audit, house_keeps, NULL);
    sinks_stop(h->sinks);
    indexer_stop(h->indexer);
    oauth_done(&h->oauth);
    for (unsigned i = 0; i < h->worker_count; i++) {
        oauth_worker_done(&h->stations[i].oauth);
        rest_worker_done(&h->stations[i].rest);
        mcp_worker_done(&h->mcp[i]);
    }
    admin_streams_free(&h->admin);
    admin_people_free(&h->admin);
    connect_free(h->connect);
    for (unsigned i = 0; i < h->worker_count; i++)
        worker_done(&h->workers[i]);
    access_close(h->access);
    house_approvals_done(h);
    sessions_free(h->sessions);
    house_policies_done(h);
    request_states_free(h->gate.states);
    session_table_free(h->protocol_sessions);
    elicited_free(h->elicited);
    if (h->leases)
        h->leases->ops->close(h->leases);
    keys_free(h->keys);
    agents_free(h->agents);
    stops_free(h->stops);
    pins_free(h->pins);
    store_close(h->store);
    secret_free(h->operator_token);
    audit_close(h->audit);
    conf_slot_done(&h->conf);
    free(h->workers);
    free(h->stations);
    free(h->mcp);
    free(h);
}

static void house_run(struct house *h)
{
    struct fault f;
    for (unsigned i = 1; i < h->worker_count; i++)
        if (worker_start(&h->workers[i], &f)) {
            log_error("not_started", LOG_Z("reason", f.text));
            exit(1);
        }
    struct conf *conf = h->conf.conf;
    log_info("listening", LOG_S("agents", conf->root.listen), LOG_S("operators", conf->root.admin.listen),
             LOG_Z("version", DOORWARD_VERSION), LOG_I("workers", h->worker_count));
    const struct connect_watch watch = {.changed = house_catalogue_changed,
                                        .said = house_server_said,
                                        .updated = house_resource_updated,
                                        .completed = house_elicitation_completed,
                                        .ctx = h};
    connect_watch(h->connect, &watch);
    connect_start(h->connect, house_settled, h);
    worker_run(&h->workers[0]);
    for (unsigned i = 1; i < h->worker_count; i++)
        worker_join(&h->workers[i]);
    struct audit_entry e;
    audit_entry_init(&e, AUDIT_GATEWAY_STOPPED, AUDIT_SYSTEM);
    e.result = AUDIT_SUCCESS;
    audit_note(h->audit, &e);
}

/* A large answer goes back to the system when it is freed. Left to itself, malloc takes to keeping room of that size
 * among what lives long, and the holes add up. */
static void house_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_TRIM_THRESHOLD, 4 << 20);
}

int daemon_serve(const char *config_file)
{
    struct buf faults;
    struct fault f;
    struct conf *conf;
    buf_init(&faults, 1u << 20);
    struct house *h = calloc(1, sizeof(*h));
    if (!h)
        return 1;
    if (conf_load(config_file, &conf, &faults) || house_policies_open(h, conf, &faults) || sinks_check(conf, &faults) ||
        notify_check(conf, &faults)) {
        fprintf(stderr, STR_FMT "doorward: %s has faults; nothing was started\n", STR_ARG(buf_view(&faults)),
                config_file);
        buf_done(&faults);
        free(h);
        return 1;
    }
    buf_done(&faults);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is a full disk, and no reason to end */
    umask(077);
    house_memory();
    struct rlimit no_core = {0, 0}; /* memory holds keys and tokens */
    setrlimit(RLIMIT_CORE, &no_core);
    h->config_file = config_file;
    conf_slot_init(&h->conf, conf);
    conf_unref(conf);
    log_level_set((enum log_level)conf->root.log.level);
    enum err e = manager_begin(&h->given, &f);
    if (!e)
        e = house_names(h, &conf->root, &f);
    if (!e)
        e = house_stores(h, &conf->root, &f);
    if (!e)
        e = house_workers(h, &conf->root, &f);
    if (!e)
        e = house_listen(h, &conf->root, &f);
    if (!e)
        e = house_timers(h);
    if (!e)
        e = house_sinks(h, &conf->root, &f);
    if (!e)
        house_index(h, &conf->root);
    if (e) { /* what was opened is closed by the end of the process; the record, so that it is whole */
        log_error("not_started", LOG_Z("code", err_code(e)), LOG_Z("reason", f.text));
        audit_close(h->audit);
        return 1;
    }
    house_run(h);
    house_done(h);
    log_info("stopped", LOG_Z("version", DOORWARD_VERSION));
    return 0;
}
