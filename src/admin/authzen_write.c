/* Decisions and errors in AuthZEN's words. */
#include "admin/authzen.h"

static void write_policies(const struct policy_answer *a, struct json_out *o)
{
    json_key(o, STR("policies"));
    json_open(o, '[');
    for (uint32_t i = 0; i < a->reasons && i < POLICY_REASONS; i++)
        json_put_str(o, a->reason[i]->id);
    json_close(o, ']');
}

static void write_failed(const struct policy_answer *a, struct json_out *o)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 4096);
    if (!a->errors)
        return;
    json_key(o, STR("failed"));
    json_open(o, '[');
    for (uint32_t i = 0; i < a->errors && i < POLICY_ERRORS; i++) {
        buf_clear(&b);
        cedar_error_text(&a->error[i], &b);
        json_open(o, '{');
        json_kv_str(o, "policy", a->error[i].policy->id);
        json_kv_str(o, "message", buf_view(&b));
        json_close(o, '}');
    }
    json_close(o, ']');
}

/* ---- obligations ---- */

static void write_limit(const struct duty_limit *l, struct json_out *o)
{
    struct buf id CLEANUP(buf_done);
    buf_init(&id, 64u << 10);
    buf_z(&id, "limit:");
    buf_str(&id, l->policy->id);
    json_open(o, '{');
    json_kv_str(o, "id", buf_view(&id));
    json_key(o, STR("limit"));
    json_open(o, '{');
    json_kv_str(o, "policy", l->policy->id);
    json_kv_i64(o, "calls", l->rate.count);
    json_kv_i64(o, "milliseconds", l->rate.per_ms);
    json_close(o, '}');
    json_close(o, '}');
}

/* As policies write them: below input, or below output. */
static void write_paths(const char *root, const struct str *path, struct json_out *o)
{
    struct buf b CLEANUP(buf_done);
    buf_init(&b, 64u << 10);
    buf_z(&b, root);
    buf_str(&b, *path);
    json_put_str(o, buf_view(&b));
}

static void write_set(const struct authzen_decision *d, struct json_out *o)
{
    json_open(o, '{');
    json_kv_z(o, "id", "set");
    json_key(o, STR("set"));
    json_open(o, '{');
    json_key(o, STR("changed"));
    json_open(o, '[');
    for (unsigned i = 0; i < d->answer.duty.sets; i++)
        write_paths("input.", &d->answer.duty.set[i].path, o);
    json_close(o, ']');
    json_kv_raw(o, "input", d->input);
    json_close(o, '}');
    json_close(o, '}');
}

static void write_mask(const struct duty *d, struct json_out *o)
{
    json_open(o, '{');
    json_kv_z(o, "id", "mask");
    json_key(o, STR("mask"));
    json_open(o, '[');
    for (unsigned i = 0; i < d->masks; i++)
        write_paths("output.", &d->mask[i], o);
    json_close(o, ']');
    json_close(o, '}');
}

/* Each an object with an id and a member that says what it is. */
static void write_obligations(const struct authzen_decision *d, struct json_out *o)
{
    const struct duty *duty = &d->answer.duty;
    if (!duty->risk && !duty->limits && !duty->sets && !duty->masks)
        return;
    json_key(o, STR("obligations"));
    json_open(o, '[');
    if (duty->risk) {
        json_open(o, '{');
        json_kv_z(o, "id", "risk");
        json_kv_z(o, "risk", duty_risks[duty->risk]);
        json_close(o, '}');
    }
    for (unsigned i = 0; i < duty->limits; i++)
        write_limit(&duty->limit[i], o);
    if (duty->sets)
        write_set(d, o);
    if (duty->masks)
        write_mask(duty, o);
    json_close(o, ']');
}

/* ---- decisions ---- */

static void write_approval(const struct authzen_decision *d, struct json_out *o)
{
    json_kv_z(o, "code", err_code(ERR_APPROVAL));
    json_kv_z(o, "reason", "a person has to approve this call first");
    json_key(o, STR("approval"));
    json_open(o, '{');
    json_kv_i64(o, "people", d->course.people);
    json_kv_raw(o, "approvers", d->approvers);
    json_close(o, '}');
}

static void write_judged(const struct authzen *z, const struct authzen_decision *d, struct json_out *o)
{
    static const char *const effects[] = {"deny", "needs approval", "allow"};
    const struct policy_answer *a = &d->answer;
    write_policies(a, o);
    write_failed(a, o);
    json_kv_z(o, "policyVersion", policy_set_texts(z->set)->version);
    if (a->shadowed && a->shadow != a->effect)
        json_kv_z(o, "shadow", effects[a->shadow]);
    if (d->effect != POLICY_DENY)
        write_obligations(d, o);
}

void authzen_write(const struct authzen *z, const struct authzen_decision *d, struct json_out *o)
{
    json_open(o, '{');
    json_kv_bool(o, "decision", d->effect == POLICY_ALLOW);
    json_key(o, STR("context"));
    json_open(o, '{');
    if (d->effect == POLICY_APPROVE)
        write_approval(d, o);
    if (d->effect == POLICY_DENY) {
        json_kv_z(o, "code", err_code(d->fault.err));
        json_kv_z(o, "reason", d->fault.text[0] ? d->fault.text : err_help(d->fault.err));
    }
    if (d->approvers.n) { /* policies let it through, and its risk decided */
        json_kv_z(o, "risk", duty_risks[d->course.risk]);
        json_kv_bool(o, "reviewed", d->course.turn == RISK_REVIEWED);
    }
    if (d->judged)
        write_judged(z, d, o);
    json_close(o, '}');
    json_close(o, '}');
}

void authzen_write_fault(const struct fault *f, struct json_out *o)
{
    json_open(o, '{');
    json_kv_bool(o, "decision", false);
    json_key(o, STR("context"));
    json_open(o, '{');
    json_kv_z(o, "code", err_code(f->err));
    json_key(o, STR("error"));
    json_open(o, '{');
    json_kv_i64(o, "status", err_http(f->err));
    json_kv_z(o, "message", f->text);
    json_close(o, '}');
    json_close(o, '}');
    json_close(o, '}');
}

/* ---- errors of a whole request ---- */

bool authzen_path(struct str path)
{
    return str_starts(path, STR("/access/")) || str_is(path, "/.well-known/authzen-configuration");
}

/* "An error message string" (section 10.1.2), and no other status for what is a bad request but 400. */
void authzen_answer_fault(struct exchange *x, const struct fault *f, const struct http_header *headers, size_t n)
{
    int status = f->err == ERR_MEDIA_TYPE ? 400 : err_http(f->err);
    x->note.code = err_code(f->err);
    exchange_answer(x, status, STR("text/plain; charset=utf-8"), headers, n,
                    str_of(f->text[0] ? f->text : err_help(f->err)));
}
