/* The table of keys.def in memory, for the parser, the schema and the reference page. Not for others. */
#ifndef CONF_TABLE_H
#define CONF_TABLE_H

#include "conf/conf.h"

enum conf_type {
    CONF_STRING,
    CONF_PATH,
    CONF_LOG, /* off, stderr or a path */
    CONF_URL,
    CONF_ADDRESS,
    CONF_INT,
    CONF_BYTES,
    CONF_DURATION,
    CONF_RATE,
    CONF_HOURS,
    CONF_SECRET,
    CONF_STRINGS,
    CONF_PATHS,
    CONF_CIDRS,
    CONF_SECRETS,
    CONF_LEVEL,
    CONF_ALG,
    CONF_DURABILITY,
    CONF_ISOLATION,
    CONF_PROTOCOL,
    CONF_PIN,
    CONF_SANDBOX,
    CONF_BOOL,
    CONF_TLS_PEER,
    CONF_METRICS,
    CONF_RISK,
    CONF_SINK,
    CONF_CHANNEL,
    CONF_FORMAT,
    CONF_SINK_FROM,
    CONF_ROLE, /* words */
    CONF_SECTION,
    CONF_MAP,
    CONF_LIST,
};
enum conf_section {
    CONF_S_root,
    CONF_S_tls,
    CONF_S_admin,
    CONF_S_log,
    CONF_S_token,
    CONF_S_agents,
    CONF_S_session,
    CONF_S_limits,
    CONF_S_audit,
    CONF_S_retention,
    CONF_S_witness,
    CONF_S_anchor,
    CONF_S_sink,
    CONF_S_server,
    CONF_S_server_client,
    CONF_S_server_limits,
    CONF_S_tool,
    CONF_S_tool_bind,
    CONF_S_console,
    CONF_S_approval,
    CONF_S_channel,
    CONF_S_policy,
    CONF_S_policy_file,
    CONF_S_scope,
    CONF_S_scope_when,
    CONF_S_trial,
    CONF_S_operator,
    CONF_S_COUNT,
};

struct conf_key {
    enum conf_section section;
    const char *name;
    enum conf_type type;
    size_t offset;
    const char *fallback; /* as YAML; "" none */
    int64_t least, most;
    const char *help;
};

extern const struct conf_key conf_keys[];
extern const size_t conf_key_count;
enum {
#define KEY(section, name, type, fallback, least, most, help) CONF_K_##section##_##name,
#include "conf/keys.def"
#undef KEY
    CONF_KEYS_MAX
};

/* The section behind a SECTION, MAP or LIST key, and the size of its struct. */
enum conf_section conf_part(const struct conf_key *k);
size_t conf_part_size(enum conf_section s);
/* The words of a word type, NULL-ended; NULL for other types. A word's value is its index. */
const char *const *conf_words(enum conf_type t);
const char *conf_type_text(enum conf_type t); /* "a duration such as 15m" */

/* The key of the section that the name is most like, for "did you mean"; NULL: none is like it. */
const char *conf_near(enum conf_section s, struct str name);
void conf_known(enum conf_section s, char *ret, size_t n); /* the section's keys, with commas */

/* Scalars of text form: into *at, which has the type's C type. Filled words in `right` say what would be right. */
bool conf_value(const struct conf_key *k, struct str text, void *at, char right[160]);
/* A number of the key's type as it would be written: 15m, 65536. */
void conf_number_text(const struct conf_key *k, int64_t v, char *ret, size_t n);

#endif
