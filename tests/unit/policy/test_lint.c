/* What lint finds, and what it leaves alone. */
#include "../conf_of.h"

#include "policy/lint.h"

#define OBJECT(properties, required)                                                                                   \
    "{\"inputSchema\":{\"type\":\"object\",\"properties\":{" properties "},\"required\":[" required "]}}"
#define TEXT(name)   "\"" name "\":{\"type\":\"string\"}"
#define NUMBER(name) "\"" name "\":{\"type\":\"number\"}"
#define WHOLE(name)  "\"" name "\":{\"type\":\"integer\"}"
#define BOOL(name)   "\"" name "\":{\"type\":\"boolean\"}"

static const struct {
    const char *id, *definition;
} tools[] = {
    {"crm/delete_customer", OBJECT(TEXT("customerId") "," BOOL("approved"), "\"customerId\"")},
    {"crm/lookup_customer", OBJECT(TEXT("customerId"), "\"customerId\"")},
    {"files/read_file", OBJECT(TEXT("path") "," WHOLE("limit"), "\"path\"")},
    {"files/write_file", OBJECT(TEXT("path") "," TEXT("content") ",\"mode\":{\"type\":\"string\",\"enum\":[\"append\","
                                                                 "\"replace\"]}",
                                "\"path\",\"content\",\"mode\"")},
    {"mail/send", OBJECT(TEXT("to") "," TEXT("body") "," TEXT("cc") "," TEXT("reason"), "\"to\",\"body\"")},
    {"orders/cancel_order", OBJECT(TEXT("orderId"), "\"orderId\"")},
    {"orders/issue_refund", OBJECT(TEXT("orderId") "," NUMBER("amount") "," TEXT("note"), "\"orderId\",\"amount\"")},
    {"orders/lookup_order", OBJECT(TEXT("orderId"), "\"orderId\"")},
};

static const char conf_text[] = "tools:\n"
                                "  crm/delete_customer: {risk: critical}\n"
                                "  crm/lookup_customer: {risk: low, read_only: true}\n"
                                "  files/read_file: {risk: low, read_only: true}\n"
                                "  files/write_file: {risk: medium}\n"
                                "  mail/send: {risk: medium}\n"
                                "  orders/cancel_order: {risk: medium}\n"
                                "  orders/issue_refund: {risk: high}\n"
                                "  orders/lookup_order: {risk: low, read_only: true}\n";

struct scene {
    struct conf *conf;
    struct policy_set *set;
    struct arena arena;
    struct lint lint;
};

static void scene_begin(struct scene *s, const struct policy_text *v, size_t n)
{
    struct policy_fact fact[COUNT(tools)] = {0};
    struct policy_texts *texts = NULL;
    struct buf faults;
    struct fault f = {.text = ""};
    buf_init(&faults, 1 << 20);
    for (size_t i = 0; i < COUNT(tools); i++) {
        fact[i] = (struct policy_fact){.id = str_of(tools[i].id), .definition = str_of(tools[i].definition)};
        fact[i].name = fact[i].id;
        str_cut(&fact[i].name, '/', &fact[i].server);
        memset(fact[i].hash, 'a', 64);
    }
    s->conf = conf_of(conf_text);
    s->set = NULL;
    arena_init(&s->arena, 64 << 20);
    if (policy_texts_of(v, n, &texts, &faults) ||
        policy_set_new(texts, &s->conf->root, fact, COUNT(tools), &s->set, &faults))
        fail_msg("%.*s: %.*s", STR_ARG(v[0].text), (int)faults.n, faults.p);
    if (lint(s->set, &s->arena, &s->lint, &f))
        fail_msg("%s", f.text);
    policy_texts_unref(texts);
    buf_done(&faults);
}

static void scene_end(struct scene *s)
{
    policy_set_unref(s->set);
    conf_unref(s->conf);
    arena_done(&s->arena);
}

static void found_text(const struct lint *l, bool uncovered, struct buf *out)
{
    for (size_t i = 0; i < l->n; i++) {
        const struct lint_finding *f = &l->v[i];
        if (f->code == LINT_CODE_UNCOVERED && !uncovered)
            continue;
        buf_fmt(out, "%s%s", out->n ? " " : "", lint_codes[f->code]);
        if (f->file.n)
            buf_fmt(out, ":%u", f->line);
        else
            buf_fmt(out, ":" STR_FMT, STR_ARG(f->tool));
    }
}

/* wanted: "code:line code:line …", without the tools that nothing covers. */
static void finds(const char *policies, const char *wanted)
{
    struct scene s;
    struct buf b;
    buf_init(&b, 65536);
    scene_begin(&s, &(struct policy_text){STR("p.cedar"), str_of(policies), true}, 1);
    found_text(&s.lint, false, &b);
    if (!str_is(buf_view(&b), wanted)) {
        for (size_t i = 0; i < s.lint.n; i++)
            print_message("  %u:%u " STR_FMT ": " STR_FMT "\n", s.lint.v[i].line, s.lint.v[i].column,
                          STR_ARG(s.lint.v[i].what), STR_ARG(s.lint.v[i].right));
        fail_msg("%s\n  found:  %.*s\n  wanted: %s", policies, (int)b.n, b.p, wanted);
    }
    buf_done(&b);
    scene_end(&s);
}

struct row {
    const char *policies, *wanted;
};
#define ROWS(rows)                                                                                                     \
    for (size_t i = 0; i < COUNT(rows); i++)                                                                           \
    finds((rows)[i].policies, (rows)[i].wanted)

#define LOOKUP "permit (principal, action == Action::\"lookup_order\", resource)"
#define REFUND "permit (principal, action == Action::\"issue_refund\", resource)"
#define ANY    "(principal, action, resource)"
#define SEND   "permit (principal, action == Action::\"send\", resource)"
#define READ   "permit (principal, action == Action::\"read_file\", resource)"

static void what_can_never_apply(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {LOOKUP " when { false };", "never:1"},
        {LOOKUP " unless { true };", "never:1"},
        {LOOKUP " when { 1 > 2 };", "never:1"},
        {"permit (principal, action == Action::\"lookup_order\", resource in Server::\"mail\");", "never:1"},
        {"permit (principal, action == Action::\"lookup_order\", resource == Tool::\"mail/send\");", "never:1"},
        {"permit (principal, action in Action::\"server:mail\", resource in Server::\"orders\");", "never:1"},
        {"permit (principal, action in Action::\"read-only\", resource == Tool::\"mail/send\");", "never:1"},
        {LOOKUP " when { resource in Server::\"mail\" };", "never:1"},
        {LOOKUP " when { resource.risk == \"high\" };", "never:1"},
        {LOOKUP " when { resource.server == \"mail\" };", "never:1"},
        {LOOKUP " when { action in Action::\"side-effect\" };", "never:1"},
        {LOOKUP " when { context.input has nothing_like_it };", "never:1"},
        {"permit" ANY " when { context.input has nothing_like_it };", "never:1"},
        {LOOKUP " unless { context.input has orderId };", "never:1"},
        /* Parts that exclude each other. */
        {LOOKUP " when { context.time.hour >= 22 && context.time.hour < 6 };", "never:1"},
        {LOOKUP " when { context.time.hour >= 22 } when { context.time.hour < 6 };", "never:1"},
        {LOOKUP " unless { context.time.hour < 22 || context.time.hour >= 6 };", "never:1"},
        {LOOKUP " when { !(context.time.hour < 22) && 6 > context.time.hour };", "never:1"},
        {LOOKUP " when { context.input.orderId == \"a\" && context.input.orderId == \"b\" };", "never:1"},
        {LOOKUP " when { context.input.orderId == \"a\" } unless { \"a\" == context.input.orderId };", "never:1"},
        {LOOKUP " when { context.session has tier } unless { context.session has tier };", "never:1"},
        {LOOKUP " when { context.session.calls < 0 };", "never:1"},
        {REFUND " when { context.input.amount.lessThan(decimal(\"10.0\")) && "
                "context.input.amount.greaterThan(decimal(\"20.0\")) };",
         "never:1"},
        {"permit (principal == Agent::\"a\", action == Action::\"lookup_order\", resource) when { principal == "
         "Agent::\"b\" };",
         "never:1"},
        {LOOKUP " when { if context.session.calls > 5 then false else context.session.calls > 7 };", "never:1"},
        /* Of alternatives one is enough. */
        {LOOKUP " when { context.time.hour >= 22 || context.time.hour < 6 };", ""},
        {LOOKUP " when { context.time.hour >= 8 && context.time.hour < 24 };", ""},
        {LOOKUP " when { context.time.hour >= 8 && context.time.hour <= 8 };", ""},
        {LOOKUP " when { if context.session.calls > 5 then false else context.session.calls > 3 };", ""},
        {"permit" ANY
         " when { resource.risk == \"low\" && (resource in Server::\"orders\" || context.input has path) };",
         ""},
    };
    ROWS(rows);
}

static void words_and_hours_that_do_not_exist(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {LOOKUP "\nwhen { context.time.weekday != \"Sunday\" };", "never:2"},
        {LOOKUP "\nwhen { context.time.weekday == \"sonntag\" };", "never:2"},
        {LOOKUP "\nwhen { [\"monday\", \"Tuesday\",\n\"friday\"].contains(context.time.weekday) };", "never:2"},
        {LOOKUP "\nwhen { [\"saturday\", \"sunday\"].contains(context.time.weekday) };", ""},
        {"forbid" ANY "\nwhen { resource.risk == \"extreme\" };", "never:2"},
        {"forbid" ANY "\nwhen { [\"high\", \"criticl\"].contains(resource.risk) };", "never:2"},
        {LOOKUP "\nwhen { principal.environment == \"prod\" };", "never:2"},
        {LOOKUP "\nwhen { context.time.hour == 24 };", "never:2"},
        {LOOKUP "\nwhen { context.time.hour > 23 || context.session.calls < 3 };", "never:2"},
        {LOOKUP "\nwhen { 25 > context.time.hour };", "never:2"},
        {LOOKUP "\nwhen { context.time.hour >= 24 || context.session.calls < 3 };", "never:2"},
        {LOOKUP "\nwhen { context.time.hour >= 0 && context.time.hour <= 23 };", ""},
        {LOOKUP " when { context.session has user && context.session.user == \"\u0430lice\" };", "lookalike:1"},
        {LOOKUP "\nwhen { context.session.scopes.contains(\"tool:orders/lookup_order:execute\") };", ""},
        {LOOKUP "\nwhen { context.session.scopes.contains(\"orders:read\") };", ""},
        {LOOKUP "\nwhen { context.session.scopes.contains(\"orders:read:user:usr_1\") };", ""},
        {LOOKUP "\nwhen { context.session.scopes.contains(\"tool:orders/lookup_ordr:execute\") };", "never:2"},
        {LOOKUP "\nwhen { context.session.scopes.contains(\"tool:orders/lookup_order\") };", "never:2"},
        {LOOKUP "\nwhen { context.session.scopes.containsAny([\"orders:read\", \"everything\"]) };", "never:2"},
    };
    ROWS(rows);
}

static void what_says_the_same_twice(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {LOOKUP ";\n" LOOKUP ";", "duplicate:2"},
        {"@id(\"a\") " LOOKUP ";\n@id(\"b\") " LOOKUP ";", "duplicate:2"},
        {"forbid" ANY " unless { context.session.calls < 9 };\nforbid" ANY " when { !(context.session.calls < 9) };",
         "duplicate:2"},
        {LOOKUP ";\n@limit(\"3/minute\") " LOOKUP ";", "shadowed:1"},
        {"@limit(\"3/minute\") " LOOKUP ";\n" LOOKUP ";", "shadowed:2"},
        {LOOKUP ";\npermit (principal in AgentType::\"a\", action == Action::\"lookup_order\", resource);",
         "shadowed:2"},
        {LOOKUP " when { context.session.calls < 9 };\n" LOOKUP ";", "shadowed:1"},
        {LOOKUP " when { context.session.calls < 9 && context.time.hour > 8 };\n" LOOKUP
                " when { context.time.hour > 8 };",
         "shadowed:1"},
        {LOOKUP ";\npermit (principal, action, resource in Server::\"orders\") when { resource.risk != \"high\" };",
         ""},
        {LOOKUP
         " when { context.session.calls < 9 };\npermit (principal, action in Action::\"server:orders\", resource) "
         "when { context.session.calls < 9 };",
         "shadowed:1"},
        {"@approve(\"one\") " LOOKUP ";\npermit (principal, action in [Action::\"lookup_order\", "
         "Action::\"read_file\"], resource);",
         ""},
        {"forbid (principal, action == Action::\"send\", resource);\nforbid (principal, action, resource in "
         "Server::\"mail\");",
         "shadowed:1"},
        {"forbid (principal, action == Action::\"send\", resource) when { context.session.calls > 9 };\nforbid" ANY
         " when { context.session.calls > 9 };",
         "shadowed:1"},
        {"forbid (principal in AgentType::\"a\", action == Action::\"send\", resource);\nforbid (principal in "
         "AgentType::\"b\", action == Action::\"send\", resource);",
         ""},
        {SEND ";\nforbid (principal, action in Action::\"server:mail\", resource);", "shadowed:1"},
        {SEND ";\nforbid (principal, action in Action::\"server:mail\", resource) when { context.time.hour < 8 };", ""},
        {SEND ";\nforbid (principal in AgentType::\"a\", action in Action::\"server:mail\", resource);", ""},
    };
    ROWS(rows);
}

static void names_that_nobody_knows(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"permit (principal, action == Action::\"lookup_ordr\", resource);", "waits:1"},
        {"permit (principal, action in [Action::\"lookup_order\", Action::\"track\"], resource);", "waits:1"},
        {"permit (principal, action, resource in Server::\"ordrs\");", "waits:1"},
        {"permit (principal, action, resource == Tool::\"orders/lookup\");", "waits:1"},
        {LOOKUP "\nwhen { resource in Server::\"ordrs\" || context.session.calls < 3 };", "waits:2"},
    };
    ROWS(rows);
    struct scene s;
    scene_begin(&s,
                &(struct policy_text){STR("p.cedar"),
                                      STR("permit (principal, action == Action::\"lokup_order\", "
                                          "resource);"),
                                      true},
                1);
    assert_true(str_is(s.lint.v[0].right, "did you mean \"lookup_order\"?"));
    assert_true(str_is(s.lint.v[0].file, "p.cedar"));
    assert_int_equal(s.lint.v[0].column, 20);
    scene_end(&s);
}

static void permissions_that_are_wider_than_they_look(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {REFUND ";", "bare-critical:1"},
        {"permit" ANY ";", "bare-critical:1"},
        {"permit" ANY " when { resource.risk != \"low\" };", "bare-critical:1"},
        {REFUND " when { context.time.hour >= 0 };", "bare-critical:1"},
        {REFUND " when { context.time.hour < 24 };", "bare-critical:1"},
        {"@approve(\"one\") " REFUND ";", ""},
        {REFUND " when { context.session.calls < 3 };", ""},
        {"permit" ANY " when { resource.risk == \"medium\" };", ""},
        {"permit" ANY " when { resource.risk == \"low\" && context.session.calls < 3 };", ""},

        {LOOKUP "\nwhen { resource.claims has readOnlyHint && resource.claims.readOnlyHint };", "claims:2"},
        {LOOKUP "\nunless { resource.claims has destructiveHint };", "claims:2"},
        {"forbid" ANY "\nwhen { resource.claims has destructiveHint && resource.claims.destructiveHint };", ""},
        {"forbid" ANY "\nunless { resource.claims has readOnlyHint && resource.claims.readOnlyHint };", "claims:2"},

        {SEND "\nwhen { context.input has reason && context.input.reason like \"*asked*\" };", "agent-words:2"},
        {"permit (principal, action == Action::\"delete_customer\", resource)\nwhen { context.input has approved && "
         "context.input.approved };",
         "agent-words:2"},
        {"forbid (principal, action == Action::\"delete_customer\", resource)\nunless { context.input has approved && "
         "context.input.approved };",
         "agent-words:2"},
        {"forbid (principal, action == Action::\"send\", resource)\nwhen { !(context.input has reason) };",
         "agent-words:2"},

        {SEND "\nunless { context.input.to like \"*@rival.example\" };", "negative:2"},
        {READ "\nwhen { context.input.path != \"/etc/passwd\" && context.input.path != \"/etc/shadow\" };",
         "negative:2"},
        {READ "\nunless { [\"/etc/passwd\", \"/etc/shadow\"].contains(context.input.path) };", "negative:2"},
        {READ "\nwhen { context.input.path like \"/srv/*\" } unless { context.input.path like \"*..*\" };", ""},
        {"permit (principal, action == Action::\"write_file\", resource) when { context.input.mode != \"replace\" };",
         ""},

        {"forbid (principal, action == Action::\"send\", resource)\nwhen { context.input has cc && context.input.cc "
         "like \"*@rival.example\" };",
         "avoidable:2"},
        {"forbid (principal, action == Action::\"read_file\", resource)\nwhen { context.input has limit && "
         "context.input.limit > 100 };",
         "avoidable:2"},
        {"forbid (principal, action == Action::\"read_file\", resource)\nunless { context.input has limit && "
         "context.input.limit <= 100 };",
         ""},
        {"forbid" ANY "\nwhen { context.input has orderId && context.input.orderId == \"ORD-1\" };", ""},
    };
    ROWS(rows);
}

static void rules_for_tools_to_come_are_only_noted(void **state)
{
    (void)state;
    static const struct {
        const char *policy;
        enum lint_severity wanted;
    } rows[] = {
        {"forbid (principal, action in Action::\"server:mail\", resource) when { resource.risk == \"critical\" };",
         LINT_NOTE},
        {"forbid (principal, action == Action::\"send\", resource) when { resource.risk == \"critical\" };",
         LINT_WARNING},
        {"forbid" ANY " when { resource.risk == \"low\" && context.time.hour > 5 && context.time.hour < 3 };",
         LINT_WARNING},
        {"forbid" ANY " when { context.time.hour > 5 && context.time.hour < 3 };", LINT_WARNING},
        {"forbid" ANY " when { context.input has nothing_like_it };", LINT_WARNING},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct scene s;
        scene_begin(&s, &(struct policy_text){STR("p.cedar"), str_of(rows[i].policy), true}, 1);
        assert_int_equal(s.lint.v[0].code, LINT_CODE_NEVER);
        if (s.lint.v[0].severity != rows[i].wanted)
            fail_msg("%s: %s", rows[i].policy, lint_severities[s.lint.v[0].severity]);
        scene_end(&s);
    }
}

static void tools_that_nothing_covers(void **state)
{
    (void)state;
    struct scene s;
    struct buf b;
    buf_init(&b, 65536);
    scene_begin(&s,
                &(struct policy_text){STR("p.cedar"),
                                      STR("permit (principal, action in Action::\"server:orders\", resource) when { "
                                          "context.session.calls < 9 };\n"
                                          "permit (principal, action, resource in Server::\"files\") when { "
                                          "resource.risk == \"low\" };\n"
                                          "forbid (principal, action, resource in Server::\"mail\");\n"
                                          "forbid (principal, action, resource) when { context.session.calls > 1000 "
                                          "};\n"),
                                      true},
                1);
    found_text(&s.lint, true, &b);
    if (!str_is(buf_view(&b), "uncovered:crm/delete_customer uncovered:crm/lookup_customer uncovered:files/write_file"))
        fail_msg("%.*s", (int)b.n, b.p);
    assert_int_equal(s.lint.warnings, 3);
    buf_done(&b);
    scene_end(&s);
}

static void files_that_are_not_enforced_cover_nothing(void **state)
{
    (void)state;
    struct scene s;
    struct buf b;
    const struct policy_text v[] = {
        {STR("base.cedar"), STR("permit (principal, action in Action::\"read-only\", resource);"), true},
        {STR("draft.cedar"),
         STR("forbid (principal, action == Action::\"lookup_order\", resource);\npermit (principal, action in "
             "Action::\"side-effect\", resource) when { context.session.calls < 2 };"),
         false},
    };
    buf_init(&b, 65536);
    scene_begin(&s, v, 2);
    found_text(&s.lint, true, &b);
    if (!str_is(buf_view(&b), "not-enforced:1 uncovered:crm/delete_customer uncovered:files/write_file "
                              "uncovered:mail/send uncovered:orders/cancel_order uncovered:orders/issue_refund"))
        fail_msg("%.*s", (int)b.n, b.p);
    assert_true(str_is(s.lint.v[0].file, "draft.cedar"));
    buf_done(&b);
    scene_end(&s);
}

static void a_draft_does_not_make_what_is_enforced_idle(void **state)
{
    (void)state;
    struct scene s;
    struct buf b;
    const struct policy_text v[] = {
        {STR("base.cedar"), STR(LOOKUP ";"), true},
        {STR("draft.cedar"), STR("forbid" ANY ";\n" LOOKUP ";"), false},
    };
    buf_init(&b, 65536);
    scene_begin(&s, v, 2);
    found_text(&s.lint, false, &b);
    if (!str_is(buf_view(&b), "not-enforced:1 shadowed:2"))
        fail_msg("%.*s", (int)b.n, b.p);
    buf_done(&b);
    scene_end(&s);
}

/* ---- thirty policies as people write them ---- */

static const char thirty[] =
    "// Reading\n"
    "@id(\"read-orders\") permit (principal in AgentType::'support', action == Action::'lookup_order', resource);\n"
    "@id(\"read-customers\") permit (principal in AgentType::'support', action == Action::'lookup_customer', "
    "resource)\n"
    "  when { context.session has user };\n"
    "@id(\"read-as-sales\") permit (principal in AgentType::'sales', action in [Action::'lookup_order', "
    "Action::'lookup_customer'], resource) when { principal.environment == 'production' };\n"
    "@id(\"auditors-read\") permit (principal in AgentType::'audit', action in Action::'read-only', resource);\n"
    "@id(\"read-files\") permit (principal, action == Action::'read_file', resource in Server::'files')\n"
    "  when { context.input.path like '/srv/shared/*' } unless { context.input.path like '*..*' };\n"
    "@id(\"read-own\") permit (principal in AgentType::'coder', action == Action::'read_file', resource)\n"
    "  when { context.input.path like '/srv/code/*' && context.session.calls < 500 };\n"
    "// Refunds\n"
    "@id(\"small-refund\") @limit(\"10/hour\") permit (principal in AgentType::'support', action == "
    "Action::'issue_refund', resource)\n"
    "  when { context.input.amount.lessThanOrEqual(decimal('100.00')) };\n"
    "@id(\"gold-refund\") permit (principal in AgentType::'support', action == Action::'issue_refund', resource)\n"
    "  when { context.session has tier && context.session.tier == 'gold' && "
    "context.input.amount.lessThan(decimal('500.00')) };\n"
    "@id(\"large-refund\") @approve(\"one\") permit (principal in AgentType::'support', action == "
    "Action::'issue_refund', resource)\n"
    "  when { context.input.amount.greaterThan(decimal('100.00')) };\n"
    "@id(\"huge-refund\") @approve(\"two\") permit (principal in AgentType::'support', action == "
    "Action::'issue_refund', resource)\n"
    "  when { context.input.amount.greaterThan(decimal('1000.00')) };\n"
    "@id(\"no-mad-refund\") @reason(\"more than a shop has\") forbid (principal, action == Action::'issue_refund', "
    "resource) when { context.input.amount.greaterThan(decimal('10000.00')) };\n"
    "@id(\"no-refund-at-night\") forbid (principal, action == Action::'issue_refund', resource)\n"
    "  unless { context.time.hour >= 7 && context.time.hour < 22 };\n"
    "@id(\"no-refund-on-sundays\") forbid (principal, action == Action::'issue_refund', resource)\n"
    "  when { context.time.weekday == 'sunday' };\n"
    "// Orders\n"
    "@id(\"cancel\") permit (principal in AgentType::'support', action == Action::'cancel_order', resource)\n"
    "  when { context.session.scopes.contains('orders:cancel') };\n"
    "@id(\"cancel-by-schedule\") permit (principal in AgentType::'cleaner', action == Action::'cancel_order', "
    "resource)\n"
    "  when { context.session has trigger && context.session.trigger == 'schedule' };\n"
    "@id(\"under-investigation\") @reason(\"this order is under investigation\") forbid (principal, action, resource)\n"
    "  when { context.input has orderId && context.input.orderId == 'ORD-4711' };\n"
    "// Mail\n"
    "@id(\"mail-within\") permit (principal, action == Action::'send', resource)\n"
    "  when { context.input.to like '*@shop.example' };\n"
    "@id(\"mail-outside\") @approve(\"one\") permit (principal in AgentType::'support', action == Action::'send', "
    "resource);\n"
    "@id(\"no-copies\") forbid (principal, action == Action::'send', resource)\n"
    "  when { context.input has cc };\n"
    "@id(\"no-mail-from-tests\") forbid (principal, action == Action::'send', resource)\n"
    "  when { principal.environment != 'production' };\n"
    "// Files\n"
    "@id(\"append\") permit (principal in AgentType::'coder', action == Action::'write_file', resource)\n"
    "  when { context.input.mode == 'append' && context.input.path like '/srv/code/*' };\n"
    "@id(\"replace\") @approve(\"one\") permit (principal in AgentType::'coder', action == Action::'write_file', "
    "resource)\n"
    "  when { context.input.mode == 'replace' && context.input.path like '/srv/code/*' };\n"
    "@id(\"no-dots\") forbid (principal, action in Action::'server:files', resource)\n"
    "  when { context.input has path && context.input.path like '*..*' };\n"
    "@id(\"no-write-after-reading-mail\") forbid (principal, action == Action::'write_file', resource)\n"
    "  when { context.session.taints.contains('untrusted') };\n"
    "// Deleting\n"
    "@id(\"delete\") @approve(\"two\") @mask(\"output.customer.email\") permit (principal in AgentType::'privacy', "
    "action "
    "== Action::'delete_customer', resource);\n"
    "@id(\"delete-from-the-office\") forbid (principal, action == Action::'delete_customer', resource)\n"
    "  unless { context.session has source && context.session.source.isInRange(ip('10.0.0.0/8')) };\n"
    "// Everything\n"
    "@id(\"no-critical-for-young-sessions\") forbid (principal, action, resource)\n"
    "  when { resource.risk == 'critical' && context.session.age < 5 };\n"
    "@id(\"enough\") forbid (principal, action, resource) when { context.session.calls >= 1000 };\n"
    "@id(\"side-effects-by-day\") forbid (principal in AgentType::'cleaner', action in Action::'side-effect', "
    "resource)\n"
    "  when { context.time.hour >= 22 || context.time.hour < 6 };\n"
    "@id(\"destructive\") forbid (principal, action in Action::'side-effect', resource)\n"
    "  when { resource.claims has destructiveHint && resource.claims.destructiveHint && context.session.calls > 100 "
    "};\n";

static void nothing_in_what_people_write_well(void **state)
{
    (void)state;
    static char text[sizeof(thirty)];
    struct scene s;
    struct buf b;
    buf_init(&b, 65536);
    memcpy(text, thirty, sizeof(text));
    scene_begin(&s, &(struct policy_text){STR("p.cedar"), str_of(quotes(text)), true}, 1);
    assert_int_equal(s.lint.policies, 30);
    found_text(&s.lint, true, &b);
    if (b.n)
        fail_msg("%.*s", (int)b.n, b.p);
    buf_done(&b);
    scene_end(&s);
}

static void the_built_in_policy_is_named(void **state)
{
    (void)state;
    struct scene s;
    struct policy_texts *texts = NULL;
    struct buf faults;
    struct fault f;
    s.conf = conf_of("{}");
    buf_init(&faults, 65536);
    arena_init(&s.arena, 1 << 20);
    assert_int_equal(policy_texts_read(s.conf, &texts, &faults), ERR_OK);
    if (policy_set_new(texts, &s.conf->root, NULL, 0, &s.set, &faults))
        fail_msg("%.*s", (int)faults.n, faults.p);
    assert_int_equal(lint(s.set, &s.arena, &s.lint, &f), ERR_OK);
    assert_int_equal(s.lint.n, 1);
    assert_int_equal(s.lint.v[0].code, LINT_CODE_BUILT_IN);
    policy_texts_unref(texts);
    buf_done(&faults);
    scene_end(&s);
}

/* ---- places ---- */

static void every_finding_has_its_place(void **state)
{
    (void)state;
    struct scene s;
    scene_begin(
        &s,
        &(struct policy_text){STR("p.cedar"),
                              STR("// ä\n" LOOKUP "\n  when { context.time.hour == 24 }\n\n\n"
                                  "  when { [\"ä\", \"monday\"].contains(context.time.weekday) };\n" REFUND ";"),
                              true},
        1);
    static const unsigned places[][2] = {{3, 10}, {6, 11}, {7, 1}};
    for (size_t i = 0; i < COUNT(places); i++)
        if (s.lint.v[i].line != places[i][0] || s.lint.v[i].column != places[i][1])
            fail_msg("%s: %u:%u", lint_codes[s.lint.v[i].code], s.lint.v[i].line, s.lint.v[i].column);
    scene_end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_can_never_apply),
        cmocka_unit_test(words_and_hours_that_do_not_exist),
        cmocka_unit_test(what_says_the_same_twice),
        cmocka_unit_test(names_that_nobody_knows),
        cmocka_unit_test(permissions_that_are_wider_than_they_look),
        cmocka_unit_test(rules_for_tools_to_come_are_only_noted),
        cmocka_unit_test(tools_that_nothing_covers),
        cmocka_unit_test(files_that_are_not_enforced_cover_nothing),
        cmocka_unit_test(a_draft_does_not_make_what_is_enforced_idle),
        cmocka_unit_test(nothing_in_what_people_write_well),
        cmocka_unit_test(the_built_in_policy_is_named),
        cmocka_unit_test(every_finding_has_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
