/*
 * A legacy client's response to what it was asked. It comes with a POST of its own, maybe to another worker: the id
 * says which one asked; there it is looked for, and the word goes back to the client.
 */
#include <stdlib.h>

#include "mcp/input.h"

struct response_mail {
    struct worker_mail mail;
    struct mcp_worker *to, *from;
    struct mcp_request *request; /* the one that brought the answer: `from`'s */
    struct str sid, mcp_session, id, value;
    bool error, found;
    char bytes[];
};

static bool response_find(struct response_mail *m)
{
    for (struct mcp_request *r = m->to->asking.first; r; r = r->asking_next) {
        if (r->era != ERA_LEGACY || !str_eq(r->mcp_session, m->mcp_session) || !str_eq(lease_sid(r->lease), m->sid))
            continue;
        for (struct mcp_ask *ask = r->asks; ask; ask = ask->next) {
            if (!str_is(m->id, ask->id) || ask->value.n)
                continue;
            mcp_ask_taken(r, ask, m->error, m->value);
            return true;
        }
    }
    return false;
}

static void response_returned(struct worker *w, struct worker_mail *mail)
{
    (void)w;
    struct response_mail *m = (struct response_mail *)mail;
    struct mcp_request *r = m->request;
    struct fault f;
    fault_set(&f, ERR_INVALID, "nothing was asked under this id, or it was answered already");
    if (m->found)
        mcp_answer_accepted(r);
    else
        mcp_answer_fault(r, &f, 0);
    free(m);
}

static void response_arrived(struct worker *w, struct worker_mail *mail)
{
    (void)w;
    struct response_mail *m = (struct response_mail *)mail;
    m->found = response_find(m);
    m->mail.run = response_returned;
    worker_post(m->from->gate->worker, &m->mail);
}

static struct str response_copy(char **at, struct str s)
{
    struct str copy = {*at, s.n};
    if (s.n)
        memcpy(*at, s.p, s.n);
    *at += s.n;
    return copy;
}

/* "ask-WORKER-…": who asked. NULL: nobody. */
static struct mcp_worker *response_worker(struct mcp_worker *m, struct str id)
{
    struct str number;
    if (!str_starts(id, STR(MCP_ASK_PREFIX)))
        return NULL;
    id = str_skip(id, sizeof(MCP_ASK_PREFIX) - 1);
    str_cut(&id, '-', &number);
    unsigned index = 0;
    for (size_t i = 0; i < number.n && i < 4; i++) {
        if (number.p[i] < '0' || number.p[i] > '9')
            return NULL;
        index = index * 10 + (unsigned)(number.p[i] - '0');
    }
    return number.n && index < m->count ? &m->all[index] : NULL;
}

void mcp_response(struct mcp_request *r)
{
    struct fault f;
    struct arena *a = &r->x->arena;
    struct str id = json_str(&r->doc, json_get(&r->doc, JSON_ROOT, STR("id")), a);
    uint32_t result = json_get(&r->doc, JSON_ROOT, STR("result")), error = json_get(&r->doc, JSON_ROOT, STR("error"));
    struct mcp_worker *to = r->mcp_session.n ? response_worker(r->mcp, id) : NULL;
    struct str value = mcp_of_hop(&r->doc, result ? result : error, a), sid = lease_sid(r->lease);
    struct response_mail *m = NULL;
    if (!to)
        fault_set(&f, ERR_INVALID, "nothing was asked under this id");
    else if ((result && error) || json_type(&r->doc, result ? result : error) != JSON_OBJECT)
        fault_set(&f, ERR_INVALID, "a response is an object: a result, or an error");
    else if (!value.p || !(m = malloc(sizeof(*m) + sid.n + r->mcp_session.n + id.n + value.n)))
        fault_set(&f, ERR_NOMEM, "no memory for the response");
    if (!m) {
        mcp_answer_fault(r, &f, 0);
        return;
    }
    char *at = m->bytes;
    *m = (struct response_mail){
        .mail = {.run = response_arrived}, .to = to, .from = r->mcp, .request = r, .error = error != 0};
    m->sid = response_copy(&at, sid);
    m->mcp_session = response_copy(&at, r->mcp_session);
    m->id = response_copy(&at, id);
    m->value = response_copy(&at, value);
    worker_post(to->gate->worker, &m->mail);
}
