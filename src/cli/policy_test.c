/* Cases of policies, run: what was expected, what came, and which policies no case has ever decided by. */
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/policy.h"
#include "cli/policy_test.h"
#include "policy/set.h"

enum { TEST_BYTES = 1 << 20, TEST_MEMORY = 64 << 20 };

/* ---- files ---- */

static enum err test_add(struct policy_test_run *r, const char *path, struct fault *f)
{
    for (size_t i = 0; i < r->files; i++)
        if (strcmp(r->file[i].path, path) == 0)
            return ERR_OK;
    if (r->files == POLICY_TEST_FILES)
        return fault_set(f, ERR_LIMIT, "more than %d files of cases", POLICY_TEST_FILES);
    r->file[r->files++].path = arena_str(&r->c->arena, str_of(path)).p;
    return ERR_OK;
}

static struct str test_folder(const char *path) /* with the slash */
{
    const char *slash = strrchr(path, '/');
    return slash ? (struct str){path, (size_t)(slash - path) + 1} : STR("");
}

static enum err test_beside(struct policy_test_run *r, struct str policy, struct fault *f)
{
    struct str folder = test_folder(arena_str(&r->c->arena, policy).p);
    struct str pattern = ARENA_JOIN(&r->c->arena, folder, STR("*.test.yaml"));
    glob_t g;
    enum err e = ERR_OK;
    if (!pattern.p || glob(pattern.p, 0, NULL, &g))
        return ERR_OK; /* there are none */
    for (size_t i = 0; i < g.gl_pathc && !e; i++)
        e = test_add(r, g.gl_pathv[i], f);
    globfree(&g);
    return e;
}

static enum err test_config_texts(struct cli *c, struct policy_texts **ret, struct fault *f)
{
    struct buf faults CLEANUP(buf_done);
    buf_init(&faults, 1u << 20);
    TRY(cli_config(c, f));
    enum err e = policy_texts_read(c->conf, ret, &faults);
    cli_policy_print_faults(c, buf_view(&faults));
    return e ? fault_set(f, e, "the policies have faults") : ERR_OK;
}

/* Those that were named, or those beside the policies of the configuration. */
static enum err test_files(struct policy_test_run *r, struct fault *f)
{
    struct cli *c = r->c;
    struct policy_texts *t = NULL;
    enum err e = ERR_OK;
    r->file = arena_alloc(&c->arena, POLICY_TEST_FILES * sizeof(*r->file));
    if (!r->file)
        return fault_set(f, ERR_NOMEM, "no memory for cases");
    for (size_t i = 0; i < c->arg_count; i++)
        TRY(test_add(r, c->arg[i], f));
    if (r->files)
        return ERR_OK;
    TRY(test_config_texts(c, &t, f));
    for (size_t i = 0; i < t->n && !t->builtin && !e; i++)
        e = test_beside(r, t->v[i].name, f);
    policy_texts_unref(t);
    if (!e && !r->files)
        return fault_set(f, ERR_NOT_FOUND,
                         "there is no file *.test.yaml beside the policies of the configuration; write one, or name "
                         "files of cases");
    return e;
}

static enum err test_read(struct policy_test_run *r, struct fault *f)
{
    struct buf faults CLEANUP(buf_done);
    buf_init(&faults, 1u << 20);
    for (size_t i = 0; i < r->files; i++) {
        struct str text;
        TRY(cli_read(r->c, r->file[i].path, TEST_BYTES, &text, f));
        enum err e = policy_cases_read(str_of(r->file[i].path), text, &r->c->arena, &faults, &r->file[i].cases);
        if (e == ERR_NOMEM)
            return fault_set(f, e, "no memory for the cases of %s", r->file[i].path);
    }
    cli_policy_print_faults(r->c, buf_view(&faults));
    return faults.n ? fault_set(f, ERR_CONFIG, "the cases have faults") : ERR_OK;
}

/* ---- sets ---- */

static enum err test_own_texts(struct policy_test_run *r, const struct policy_test_file *file,
                               struct policy_texts **ret, struct fault *f)
{
    struct cli *c = r->c;
    struct buf faults CLEANUP(buf_done);
    struct policy_text *v = arena_alloc(&c->arena, file->cases.policies * sizeof(*v));
    buf_init(&faults, 1u << 20);
    for (size_t i = 0; v && i < file->cases.policies; i++) {
        struct str name = file->cases.policy[i];
        bool absolute = name.n && name.p[0] == '/';
        v[i].name = absolute ? name : ARENA_JOIN(&c->arena, test_folder(file->path), name);
        v[i].enforce = true;
        if (!v[i].name.p)
            return fault_set(f, ERR_NOMEM, "no memory for policies");
        TRY(cli_read(c, v[i].name.p, CEDAR_TEXT_MAX, &v[i].text, f));
    }
    enum err e = v ? policy_texts_of(v, file->cases.policies, ret, &faults) : ERR_NOMEM;
    cli_policy_print_faults(c, buf_view(&faults));
    return e ? fault_set(f, e, "the policies have faults") : ERR_OK;
}

/* --tools, or tools.json beside the cases, or the gateway. */
static const char *test_tools(struct policy_test_run *r, const struct policy_test_file *file)
{
    const char *given = cli_option(r->c, "tools");
    struct str beside = given ? STR_NONE : ARENA_JOIN(&r->c->arena, test_folder(file->path), STR("tools.json"));
    return given ? given : beside.p && access(beside.p, F_OK) == 0 ? beside.p : NULL;
}

static bool test_same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static enum err test_set(struct policy_test_run *r, struct policy_test_file *file, struct fault *f)
{
    const char *tools = test_tools(r, file), *own = file->cases.policies ? file->path : NULL;
    struct policy_texts *t = NULL;
    for (size_t i = 0; i < r->sets; i++)
        if (test_same(r->set[i].tools, tools) && test_same(r->set[i].own, own)) {
            file->set = &r->set[i];
            return ERR_OK;
        }
    struct policy_test_set *s = &r->set[r->sets];
    *s = (struct policy_test_set){.tools = tools, .own = own};
    TRY(own ? test_own_texts(r, file, &t, f) : test_config_texts(r->c, &t, f));
    enum err e = cli_policy_set_of(r->c, t, tools, &s->set, f);
    policy_texts_unref(t);
    TRY(e);
    r->sets++;
    file->set = s;
    s->decided = arena_alloc(&r->c->arena, s->set->policies->n + 1);
    return s->decided ? ERR_OK : fault_set(f, ERR_NOMEM, "no memory for cases");
}

/* ---- a case ---- */

static uint32_t test_reasons(const struct policy_answer *a)
{
    return a->reasons < POLICY_REASONS ? a->reasons : POLICY_REASONS;
}

static void test_ids(const struct str *id, size_t n, struct buf *b)
{
    for (size_t i = 0; i < n; i++)
        buf_fmt(b, "%s" STR_FMT, i ? ", " : "", STR_ARG(id[i]));
    buf_z(b, n ? "" : "none");
}

static void test_policies(const struct policy_case *it, const struct policy_answer *a, struct buf *wrong)
{
    struct str decided[POLICY_REASONS];
    uint32_t n = test_reasons(a), found = 0;
    for (uint32_t i = 0; i < n; i++) {
        decided[i] = a->reason[i]->id;
        for (size_t k = 0; k < it->policies; k++)
            found += str_eq(it->policy[k], decided[i]);
    }
    if (found == n && it->policies == n)
        return;
    buf_z(wrong, "expected to be decided by ");
    test_ids(it->policy, it->policies, wrong);
    buf_z(wrong, ", not by ");
    test_ids(decided, n, wrong);
    buf_char(wrong, '\n');
}

static void test_changes(struct policy_test_run *r, const struct policy_case *it, const struct json *j,
                         const struct policy_answer *a, struct buf *wrong)
{
    unsigned found = 0;
    JSON_PAIRS(j, it->set, k, v)
    {
        for (unsigned i = 0; i < a->duty.sets; i++) {
            struct json is;
            if (json_str_is(j, k, a->duty.set[i].path) &&
                json_parse(&is, a->duty.set[i].value, &r->c->arena, NULL, NULL) == ERR_OK &&
                json_equal(j, v, &is, JSON_ROOT, &r->c->arena))
                found++;
        }
    }
    if (found == a->duty.sets && found == j->node[it->set].size)
        return;
    buf_z(wrong, "expected to set ");
    buf_str(wrong, json_raw(j, it->set));
    buf_z(wrong, a->duty.sets ? ", but what is set is" : ", but nothing is set");
    for (unsigned i = 0; i < a->duty.sets; i++)
        buf_fmt(wrong, "%s " STR_FMT " = " STR_FMT, i ? "," : "", STR_ARG(a->duty.set[i].path),
                STR_ARG(a->duty.set[i].value));
    buf_char(wrong, '\n');
}

static void test_effect(const struct policy_case *it, const struct policy_answer *a, struct buf *wrong)
{
    static const char *const is[] = {[POLICY_DENY] = "it is denied",
                                     [POLICY_APPROVE] = "a person has to approve it",
                                     [POLICY_ALLOW] = "it is allowed"};
    struct str decided[POLICY_REASONS];
    uint32_t n = test_reasons(a);
    for (uint32_t i = 0; i < n; i++)
        decided[i] = a->reason[i]->id;
    if (a->effect == it->expect)
        return;
    buf_fmt(wrong, "expected %s, but %s", policy_effects[it->expect], is[a->effect]);
    if (a->effect == POLICY_DENY)
        buf_fmt(wrong, ": %s", a->fault.text);
    else {
        buf_z(wrong, ", by ");
        test_ids(decided, n, wrong);
    }
    buf_char(wrong, '\n');
}

static void test_compare(struct policy_test_run *r, const struct policy_test_result *t, const struct policy_answer *a,
                         struct buf *wrong)
{
    const struct policy_case *it = t->it;
    test_effect(it, a, wrong);
    if (it->policies_said)
        test_policies(it, a, wrong);
    if (it->reason.n && !memmem(a->fault.text, strlen(a->fault.text), it->reason.p, it->reason.n))
        buf_fmt(wrong, "expected a reason with \"" STR_FMT "\", not \"%s\"\n", STR_ARG(it->reason), a->fault.text);
    if (it->risk.n && !str_is(it->risk, duty_risks[a->duty.risk]))
        buf_fmt(wrong, "expected the risk " STR_FMT ", not %s\n", STR_ARG(it->risk), duty_risks[a->duty.risk]);
    if (it->set_said)
        test_changes(r, it, &t->file->cases.yaml.j, a, wrong);
}

static void test_note(struct policy_test_run *r, struct policy_test_result *t, const struct policy_answer *a)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 1u << 20);
    struct json_out o = json_out(&b);
    json_open(&o, '[');
    for (uint32_t i = 0; i < test_reasons(a); i++) {
        json_put_str(&o, a->reason[i]->id);
        for (uint32_t k = 0; k < t->file->set->set->policies->n; k++)
            if (t->file->set->set->policies->policy[k] == a->reason[i])
                t->file->set->decided[k] = true;
    }
    json_close(&o, ']');
    t->effect = str_of(policy_effects[a->effect]);
    t->policies = arena_buf(&r->c->arena, &b);
    t->because = a->effect == POLICY_DENY ? arena_str(&r->c->arena, str_of(a->fault.text)) : STR_NONE;
}

static void test_one(struct policy_test_run *r, const struct policy_test_file *file, const struct policy_case *it)
{
    struct arena a;
    struct fault f = {.text = ""};
    struct policy_made made;
    struct policy_question q;
    struct policy_answer answer;
    struct buf wrong CLEANUP(buf_done);
    struct policy_test_result *t = &r->result[r->results++];
    *t = (struct policy_test_result){.file = file, .it = it};
    buf_init(&wrong, 1u << 20);
    arena_init(&a, TEST_MEMORY);
    if (policy_call_make(&it->call, file->set->set, &a, &made, &q, &f)) {
        buf_fmt(&wrong, "%s\n", f.text);
    } else {
        policy_judge(file->set->set, &q, &a, &answer);
        test_note(r, t, &answer);
        test_compare(r, t, &answer, &wrong);
    }
    policy_made_done(&made);
    arena_done(&a);
    t->wrong = arena_buf(&r->c->arena, &wrong);
    r->passed += !wrong.n;
}

static enum err test_all(struct policy_test_run *r, struct fault *f)
{
    size_t n = 0;
    TRY(test_files(r, f));
    TRY(test_read(r, f));
    for (size_t i = 0; i < r->files; i++) {
        TRY(test_set(r, &r->file[i], f));
        n += r->file[i].cases.n;
    }
    r->result = arena_alloc(&r->c->arena, (n + 1) * sizeof(*r->result));
    if (!r->result)
        return fault_set(f, ERR_NOMEM, "no memory for cases");
    for (size_t i = 0; i < r->files; i++)
        for (size_t k = 0; k < r->file[i].cases.n; k++)
            test_one(r, &r->file[i], &r->file[i].cases.v[k]);
    if (arena_failed(&r->c->arena))
        return fault_set(f, ERR_NOMEM, "no memory for cases");
    if (r->c->json)
        policy_test_json(r);
    else
        policy_test_print(r);
    n = r->results - r->passed;
    return n ? fault_set(f, ERR_CONFIG, "%zu case%s failed", n, n == 1 ? "" : "s") : ERR_OK;
}

enum err cli_run_policy_test(struct cli *c, struct fault *f)
{
    static struct policy_test_run r; /* large */
    r = (struct policy_test_run){.c = c};
    enum err e = test_all(&r, f);
    for (size_t i = 0; i < r.sets; i++)
        policy_set_unref(r.set[i].set);
    return e;
}
