#include "sink/answer.h"

#include <stdio.h>

#include "base/json.h"

enum { ANSWER_GONE_MS = 3600 * 1000, ANSWER_ARENA = 1 << 20, ANSWER_BYTES = 64 << 10 };

/* The body of an answer is not repeated: it may repeat what was sent, headers and all. */
enum err sink_answer(const struct sink_http_answer *a, struct sink_told *told, struct fault *f)
{
    if (a->status >= 200 && a->status < 300)
        return ERR_OK;
    told->pause_ms = a->retry_after_ms > 0 ? a->retry_after_ms : 0;
    if (a->status == 410) { /* Standard Webhooks: whoever answers this wants no more of them */
        told->pause_ms = ANSWER_GONE_MS;
        return fault_set(f, ERR_UNREACHABLE, "answered 410 (gone): it wants no more; tried again in an hour");
    }
    if (a->status >= 300 && a->status < 400)
        return fault_set(f, ERR_UNREACHABLE,
                         "answered %d, a redirect, which is not followed: url must be the place itself", a->status);
    if (a->status == 401 || a->status == 403)
        return fault_set(f, ERR_UNREACHABLE, "answered %d: it does not accept the credential", a->status);
    return fault_set(f, ERR_UNREACHABLE, "answered %d", a->status);
}

/* {"partialSuccess":{"rejectedLogRecords":"3","errorMessage":"…"}}: 64-bit numbers are strings in protobuf's JSON, and
 * not all stick to it. */
bool sink_answer_partial(struct str body, uint64_t *ret_rejected, char *reason, size_t n)
{
    static const char *const counts[] = {"partialSuccess.rejectedLogRecords", "partialSuccess.rejectedSpans"};
    static const struct json_limits small = {.depth = 16, .nodes = 1000};
    struct arena a;
    struct json j;
    bool found = false;
    arena_init(&a, ANSWER_ARENA);
    if (body.n && body.n <= ANSWER_BYTES && json_parse(&j, body, &a, &small, NULL) == ERR_OK) {
        for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]) && !found; i++) {
            uint32_t at = json_path(&j, JSON_ROOT, counts[i]);
            int64_t v = 0;
            uint64_t u = 0;
            found = (json_i64(&j, at, &v) && v > 0) || (str_u64(json_str(&j, at, &a), &u) && u > 0);
            *ret_rejected = v > 0 ? (uint64_t)v : u;
        }
        struct str said = json_str(&j, json_path(&j, JSON_ROOT, "partialSuccess.errorMessage"), &a);
        snprintf(reason, n, STR_FMT, STR_ARG(said));
    }
    arena_done(&a);
    return found;
}

static enum err answer_stored(const struct json *j, struct arena *a, struct fault *f)
{
    uint32_t error = json_get(j, JSON_ROOT, STR("error"));
    int64_t seq = 0;
    if (error) {
        struct str why = json_str(j, json_get(j, error, STR("description")), a);
        return fault_set(f, ERR_UNREACHABLE, "the stream refuses: " STR_FMT,
                         STR_ARG(why.n ? why : STR("it does not say why")));
    }
    if (!json_str(j, json_get(j, JSON_ROOT, STR("stream")), a).n ||
        !json_i64(j, json_get(j, JSON_ROOT, STR("seq")), &seq) || seq < 1)
        return fault_set(f, ERR_UNREACHABLE, "something answers that is no JetStream");
    return ERR_OK;
}

enum err sink_answer_stored(struct str body, struct fault *f)
{
    static const struct json_limits small = {.depth = 16, .nodes = 1000};
    struct arena a;
    struct json j;
    arena_init(&a, ANSWER_ARENA);
    enum err e = body.n > ANSWER_BYTES || json_parse(&j, body, &a, &small, NULL)
                     ? fault_set(f, ERR_UNREACHABLE, "something answers that is no JetStream")
                     : answer_stored(&j, &a, f);
    arena_done(&a);
    return e;
}
