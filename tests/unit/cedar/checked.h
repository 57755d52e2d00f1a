/* Policies before the checker, for the tests of this folder. ' in a policy or a schema stands for ". */
#ifndef TEST_CEDAR_CHECKED_H
#define TEST_CEDAR_CHECKED_H

#include "../unit.h"

#include "cedar/cedar.h"

#include <stdio.h>
#include <stdlib.h>

static const char checked_gateway[] =
    "type Quota = {calls: Long, per?: duration};\n"
    "entity Team, Server; entity Tier enum ['free', 'paid'];\n"
    "entity User {name: String, tier?: Tier, address?: {city: String, zip?: Long}};\n"
    "entity Agent in [Team] {owner: User, version?: String, scopes: Set<String>, home: ipaddr, trust: decimal,\n"
    "    since: datetime, quota: Quota, last?: Quota, deputy?: Agent} tags String;\n"
    "entity Tool in [Server] {risk: Long, owner?: User} tags Set<String>;\n"
    "entity File {name: String, owner: Agent};\n"
    "action read, write in [any] appliesTo {principal: Agent, resource: [Tool, File],\n"
    "    context: {hour: Long, input: {amount?: Long, note: String}, source?: ipaddr}};\n"
    "action any;\n"
    "action admin appliesTo {principal: User, resource: Server};\n"
    "namespace Shop { entity Buyer; action browse appliesTo {principal: Buyer, resource: Buyer}; }\n";

struct checked {
    enum err err;
    char faults[8192], warnings[8192];
};

static inline struct cedar_schema *checked_schema(const char *text)
{
    struct cedar_schema *s = NULL;
    struct buf faults;
    char *doubled = quotes(strdup(text));
    buf_init(&faults, 4096);
    if (cedar_schema_parse(STR("schema"), str_of(doubled), &s, &faults))
        fail_msg("the schema: " STR_FMT, STR_ARG(buf_view(&faults)));
    buf_done(&faults);
    free(doubled);
    return s;
}

static inline struct cedar_policies *checked_policies(const char *text)
{
    struct cedar_policies *ps = cedar_policies_new(64u << 20);
    struct buf faults;
    char *doubled = quotes(strdup(text));
    buf_init(&faults, 4096);
    if (cedar_parse(ps, STR("p"), str_of(doubled), &faults))
        fail_msg("%s: " STR_FMT, text, STR_ARG(buf_view(&faults)));
    buf_done(&faults);
    free(doubled);
    return ps;
}

static inline void checked_set(const struct cedar_schema *s, const struct cedar_policies *ps, struct checked *ret)
{
    struct buf faults, warnings;
    buf_init(&faults, sizeof(ret->faults) - 1);
    buf_init(&warnings, sizeof(ret->warnings) - 1);
    ret->err = cedar_validate(ps, s, &faults, &warnings);
    snprintf(ret->faults, sizeof(ret->faults), STR_FMT, STR_ARG(buf_view(&faults)));
    snprintf(ret->warnings, sizeof(ret->warnings), STR_FMT, STR_ARG(buf_view(&warnings)));
    buf_done(&faults);
    buf_done(&warnings);
}

static inline void checked_text(const struct cedar_schema *s, const char *text, struct checked *ret)
{
    struct cedar_policies *ps = checked_policies(text);
    checked_set(s, ps, ret);
    cedar_policies_free(ps);
}

struct checked_row {
    const char *policy, *says; /* "": it is accepted */
};

/* `when` puts the row's text into the condition of a policy, whose third line it is. */
static inline void checked_rows(const struct checked_row *row, size_t n, bool when, bool warnings)
{
    struct cedar_schema *s = checked_schema(checked_gateway);
    int wrong = 0;
    for (size_t i = 0; i < n; i++) {
        struct checked got;
        char text[2000];
        snprintf(text, sizeof(text),
                 when ? "permit (principal is Agent, action in Action::'any', resource is Tool)\nwhen {\n%s\n};" : "%s",
                 row[i].policy);
        checked_text(s, text, &got);
        const char *said = warnings ? got.warnings : got.faults;
        enum err e = got.faults[0] ? ERR_SYNTAX : ERR_OK;
        if (strcmp(said, row[i].says) == 0 && got.err == e)
            continue;
        print_error("%s\nis %s and says\n%s, not\n%s", row[i].policy, err_code(got.err), said, row[i].says);
        wrong++;
    }
    cedar_schema_free(s);
    assert_int_equal(wrong, 0);
}
#define CHECK(rows, when, warnings) checked_rows(rows, COUNT(rows), when, warnings)

#endif
