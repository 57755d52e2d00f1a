/* What is sealed in the record: shown to an operator, and forgotten. */
#include <semaphore.h>
#include <stdio.h>

#include "admin/request.h"
#include "base/log.h"

enum { SUBJECT_MAX = 1024 };

/* ---- on record, and known to be, before anything is shown ---- */

struct seal_told {
    struct audit_done done;
    sem_t told;
};

static void seal_told(struct audit_done *d)
{
    sem_post(&((struct seal_told *)d)->told);
}

/* On a pool thread: worker 0 hears of it. */
static enum err seal_append(struct admin_request *r, const struct audit_entry *e, struct fault *f)
{
    struct seal_told t = {.done = {.worker = r->admin->worker, .done = seal_told}};
    sem_init(&t.told, 0, 0);
    enum err err = audit_append(r->admin->audit, e, &t.done, f);
    while (!err && sem_wait(&t.told) != 0)
        ;
    sem_destroy(&t.told);
    if (!err && t.done.err)
        err = fault_set(f, ERR_AUDIT, "that it was shown could not be put on record, so that it was not shown");
    return err;
}

enum err admin_audit_reveal(struct admin_request *r, struct fault *f)
{
    static const char *const keys[] = {"seq", NULL};
    struct audit_entry e;
    int64_t seq = 0;
    char details[64];
    TRY(admin_only(r, keys, f));
    TRY(admin_i64(r, "seq", &seq, f));
    if (seq <= 0)
        return fault_set(f, ERR_PARAMS, "seq: needed, the number of an entry");
    TRY(audit_reveal(r->admin->audit, (uint64_t)seq, &r->out, f));
    int n = snprintf(details, sizeof(details), "{\"seq\":%lld}", (long long)seq);
    audit_entry_init(&e, AUDIT_SEALED_SHOWN, AUDIT_HUMAN);
    e.actor = r->operator;
    e.details = (struct str){details, (size_t)n};
    e.result = AUDIT_SUCCESS;
    enum err err = seal_append(r, &e, f);
    if (err)
        buf_clear(&r->out);
    return err;
}

/* ---- forgetting ---- */

/* A failed one is on record as well: the key may be gone all the same. */
static void seal_note_forgotten(struct admin_request *r, struct str subject, enum err err)
{
    struct audit_entry e;
    struct buf details CLEANUP(buf_done);
    buf_init(&details, 8 * SUBJECT_MAX);
    struct json_out o = json_out(&details);
    json_open(&o, '{');
    json_kv_str(&o, "subject", subject);
    json_close(&o, '}');
    audit_entry_init(&e, AUDIT_SUBJECT_FORGOTTEN, AUDIT_HUMAN);
    e.actor = r->operator;
    e.details = buf_view(&details);
    e.result = err ? AUDIT_FAILURE : AUDIT_SUCCESS;
    e.code = err ? err_code(err) : NULL;
    audit_note(r->admin->audit, &e);
    log_info("subject_forgotten", LOG_B("done", !err), LOG_S("by", r->operator));
}

static enum err seal_check_subject(struct str subject, struct fault *f)
{
    bool right = str_starts(subject, STR("user:")) || str_starts(subject, STR("agent:"));
    return right && !str_ends(subject, STR(":")) && subject.n <= SUBJECT_MAX
               ? ERR_OK
               : fault_set(f, ERR_PARAMS, "subject: must be user:ID or agent:ID");
}

static void seal_put_count(struct json_out *o, uint64_t entries, bool all)
{
    json_kv_bool(o, "all", all); /* of the record were looked through */
    json_kv_i64(o, "entries", (int64_t)entries);
}

enum err admin_audit_sealed(struct admin_request *r, struct fault *f)
{
    struct str subject = STR_NONE;
    const struct admin_query fields[] = {{"subject", &subject}};
    uint64_t entries;
    bool all;
    TRY(admin_query_read(r, fields, 1, f));
    TRY(seal_check_subject(subject, f));
    enum err e = audit_sealed(r->admin->audit, subject, &entries, &all, f);
    if (e == ERR_NOT_FOUND)
        return fault_set(f, e, "nothing is sealed for " STR_FMT, STR_ARG(subject));
    TRY(e);
    struct json_out o = json_out(&r->out);
    json_open(&o, '{');
    seal_put_count(&o, entries, all);
    json_kv_str(&o, "subject", subject);
    json_close(&o, '}');
    return ERR_OK;
}

enum err admin_audit_forget(struct admin_request *r, struct fault *f)
{
    static const char *const keys[] = {"subject", NULL};
    struct str subject;
    struct fault sick;
    uint64_t entries = 0;
    bool all = false;
    TRY(admin_only(r, keys, f));
    TRY(admin_str(r, "subject", &subject, f));
    TRY(seal_check_subject(subject, f));
    if (!audit_healthy(r->admin->audit, &sick))
        return fault_set(f, ERR_AUDIT, "it could not be put on record, so that nothing was forgotten: %s", sick.text);
    bool counted = audit_sealed(r->admin->audit, subject, &entries, &all, NULL) == ERR_OK; /* while there is a key */
    enum err e = audit_forget(r->admin->audit, subject, f);
    if (e == ERR_NOT_FOUND)
        return e;
    seal_note_forgotten(r, subject, e);
    TRY(e);
    struct json_out o = json_out(&r->out);
    json_open(&o, '{');
    if (counted)
        seal_put_count(&o, entries, all);
    json_kv_str(&o, "forgotten", subject);
    json_close(&o, '}');
    return ERR_OK;
}
