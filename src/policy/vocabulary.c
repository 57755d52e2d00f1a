#include "policy/vocabulary.h"

/* What does not depend on tools. */
static const char vocabulary_fixed[] = "// Who calls. Of the registry of agents.\n"
                                       "entity AgentType;\n"
                                       "entity Agent in [AgentType] = {\n"
                                       "    type: String,\n"
                                       "    version: String,\n"
                                       "    environment: String,\n"
                                       "    owner: String,\n"
                                       "};\n\n"
                                       "// What is called.\n"
                                       "entity Server;\n"
                                       "entity Tool in [Server] = {\n"
                                       "    server: String,\n"
                                       "    name: String,\n"
                                       "    risk: String, // low, medium, high, critical: of the configuration\n"
                                       "    claims: Claims,\n"
                                       "};\n"
                                       "// What the tool's server says of it. Nobody vouches for it.\n"
                                       "type Claims = {\n"
                                       "    readOnlyHint?: Bool,\n"
                                       "    destructiveHint?: Bool,\n"
                                       "    idempotentHint?: Bool,\n"
                                       "    openWorldHint?: Bool,\n"
                                       "};\n\n"
                                       "type Session = {\n"
                                       "    id: String,\n"
                                       "    calls: Long, // made before this one\n"
                                       "    age: Long, // seconds\n"
                                       "    scopes: Set<String>,\n"
                                       "    user?: String,\n"
                                       "    tier?: String,\n"
                                       "    trigger?: String,\n"
                                       "    taints: Set<String>,\n"
                                       "    source?: ipaddr,\n"
                                       "};\n"
                                       "type Time = {\n"
                                       "    hour: Long, // 0 to 23\n"
                                       "    weekday: String, // \"monday\" …\n"
                                       "    datetime: datetime,\n"
                                       "};\n\n"
                                       "action \"read-only\", \"side-effect\";\n";

static void vocabulary_servers(const struct policy_tool *t, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++) { /* sorted by id, and so by server */
        if (i && str_eq(t[i].fact.server, t[i - 1].fact.server))
            continue;
        buf_z(out, "action \"server:");
        buf_str(out, t[i].fact.server); /* lower-case letters, digits and hyphens */
        buf_z(out, "\";\n");
    }
}

static void vocabulary_action(const struct policy_action *a, unsigned index, const struct policy_tool *t, size_t n,
                              struct buf *out)
{
    buf_z(out, "\naction ");
    cedar_string_print(a->name, out);
    buf_z(out, " in [");
    for (size_t i = 0; i < n; i++) {
        if (t[i].action != index)
            continue;
        buf_z(out, "\"server:");
        buf_str(out, t[i].fact.server);
        buf_z(out, "\", ");
    }
    buf_z(out, a->read_only ? "\"read-only\"" : "\"side-effect\"");
    buf_z(out, "] appliesTo {\n    principal: [Agent],\n    resource: [Tool],\n    context: {\n        input: ");
    shape_print(a->input, out);
    buf_z(out, ",\n        session: Session,\n        time: Time,\n    },\n};\n");
}

void vocabulary_schema(const struct policy_tool *t, size_t n, const struct policy_action *action, size_t actions,
                       struct buf *out)
{
    buf_z(out, vocabulary_fixed);
    vocabulary_servers(t, n, out);
    for (size_t i = 0; i < actions; i++)
        vocabulary_action(&action[i], (unsigned)i, t, n, out);
}
