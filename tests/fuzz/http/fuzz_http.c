/*
 * The first byte says whether the rest is a request, an answer, or an answer to HEAD. What our codec takes
 * libhttp-parser in strict mode must take as well, and read the same: method or status, target, fields, content, the
 * end of the message and whether the connection lives on. And wherever the bytes are split, the same comes out.
 */
#include "../fuzz.h"
#include "net/http.h"

#include <http_parser.h>

enum { BODY_MAX = 4096 };
enum kind { REQUEST, RESPONSE, RESPONSE_TO_HEAD, KINDS };

static const struct http_limits limits = {.head_bytes = 2048, .target_bytes = 256, .headers = 16};

/* What one message was read as, by either side. */
struct reading {
    enum http_verdict verdict; /* HTTP_MORE: not whole */
    enum err err;
    char start[512];   /* "GET /target" or "200" */
    struct buf fields; /* "name: value\n" */
    struct buf content;
    size_t used; /* bytes of the message */
    bool keep_alive, until_close;
};

static void reading_done(struct reading *r)
{
    buf_done(&r->fields);
    buf_done(&r->content);
}

/* ---- ours ---- */

static void ours_note_head(struct reading *r, const struct http_head *h, enum kind kind)
{
    if (kind == REQUEST)
        snprintf(r->start, sizeof(r->start), STR_FMT " " STR_FMT, STR_ARG(h->method), STR_ARG(h->target));
    else
        snprintf(r->start, sizeof(r->start), "%d", h->status);
    for (size_t i = 0; i < h->count; i++) {
        buf_str(&r->fields, h->header[i].name);
        buf_z(&r->fields, ": ");
        buf_str(&r->fields, h->header[i].value);
        buf_char(&r->fields, '\n');
    }
    r->keep_alive = h->keep_alive;
}

/* What is looked for in the values of fields. */
static void ours_look_at_values(const struct http_head *h)
{
    struct arena a;
    arena_init(&a, 65536);
    CHECK(!http_accepts(h, "application/json") || http_header_count(h, "accept") > 0);
    for (size_t i = 0; i < h->count; i++) {
        struct str value = http_value_read(h->header[i].value, &a);
        CHECK(!value.p || str_utf8_valid(value));
    }
    arena_done(&a);
}

/* Two parts: the first n bytes have come, then the rest. Each in memory of just its size. */
static void ours_read(const uint8_t *p, size_t n, size_t at, enum kind kind, struct reading *r)
{
    struct http_head h;
    struct http_body b;
    struct fault f = {0};
    struct str piece;
    size_t resume = 0, used;
    *r = (struct reading){.verdict = HTTP_MORE};
    buf_init(&r->fields, 1u << 20);
    buf_init(&r->content, 1u << 20);
    bool in_body = false;
    for (int part = 0; part < 2 && r->verdict == HTTP_MORE; part++) {
        size_t end = part ? n : at;
        char *copy = malloc(end ? end : 1);
        memcpy(copy, p, end);
        if (!in_body) {
            r->verdict = (kind == REQUEST ? http_parse_request : http_parse_response)(copy, end, &limits, &resume, &h,
                                                                                      &r->used, &f);
            if (r->verdict == HTTP_DONE) {
                CHECK(r->used <= end);
                ours_note_head(r, &h, kind);
                ours_look_at_values(&h);
                if (kind == REQUEST)
                    http_body_request(&b, &h, BODY_MAX);
                else
                    http_body_response(&b, &h, kind == RESPONSE_TO_HEAD, BODY_MAX);
                r->until_close = b.kind == HTTP_BODY_CLOSE;
                in_body = true;
                r->verdict = HTTP_MORE;
            }
        }
        while (in_body && r->verdict == HTTP_MORE) {
            r->verdict = http_body_feed(&b, copy + r->used, end - r->used, &used, &piece, &f);
            CHECK(used <= end - r->used && piece.n <= used);
            buf_str(&r->content, piece);
            r->used += used;
            if (!used)
                break;
        }
        free(copy);
    }
    CHECK(r->content.n <= BODY_MAX);
    r->err = r->verdict == HTTP_BAD ? f.err : ERR_OK;
    CHECK(r->verdict != HTTP_BAD || ((f.err == ERR_SYNTAX || f.err == ERR_LIMIT) && f.text[0]));
    if (r->verdict == HTTP_MORE && r->until_close)
        r->verdict = HTTP_DONE;
}

/* ---- the judge's ---- */

struct judged {
    struct reading r;
    enum kind kind;
    bool in_value, whole;
    struct buf url, value;
};

static void judge_value_done(struct judged *j)
{
    if (!j->in_value)
        return;
    struct str v = str_trim(buf_view(&j->value)); /* it leaves white space at the end of a value */
    buf_z(&j->r.fields, ": ");
    buf_str(&j->r.fields, v);
    buf_char(&j->r.fields, '\n');
    buf_clear(&j->value);
    j->in_value = false;
}

static int judge_url(http_parser *p, const char *at, size_t n)
{
    buf_put(&((struct judged *)p->data)->url, at, n);
    return 0;
}

static int judge_field(http_parser *p, const char *at, size_t n)
{
    struct judged *j = p->data;
    judge_value_done(j);
    buf_put(&j->r.fields, at, n);
    return 0;
}

static int judge_value(http_parser *p, const char *at, size_t n)
{
    struct judged *j = p->data;
    j->in_value = true;
    buf_put(&j->value, at, n);
    return 0;
}

static int judge_headers(http_parser *p)
{
    struct judged *j = p->data;
    judge_value_done(j);
    j->r.keep_alive = http_should_keep_alive(p);
    /* It leaves to its caller which answers have no content. */
    bool none = j->kind == RESPONSE_TO_HEAD ||
                (j->kind == RESPONSE && (p->status_code < 200 || p->status_code == 204 || p->status_code == 304));
    return none ? 1 : 0;
}

static int judge_body(http_parser *p, const char *at, size_t n)
{
    buf_put(&((struct judged *)p->data)->r.content, at, n);
    return 0;
}

static int judge_whole(http_parser *p)
{
    ((struct judged *)p->data)->whole = true;
    http_parser_pause(p, 1); /* one message is enough */
    return 0;
}

static void judge_read(const uint8_t *bytes, size_t n, enum kind kind, struct judged *j)
{
    static const http_parser_settings settings = {.on_url = judge_url,
                                                  .on_header_field = judge_field,
                                                  .on_header_value = judge_value,
                                                  .on_headers_complete = judge_headers,
                                                  .on_body = judge_body,
                                                  .on_message_complete = judge_whole};
    http_parser p;
    *j = (struct judged){.kind = kind};
    buf_init(&j->r.fields, 1u << 20);
    buf_init(&j->r.content, 1u << 20);
    buf_init(&j->url, 1u << 20);
    buf_init(&j->value, 1u << 20);
    http_parser_init(&p, kind == REQUEST ? HTTP_REQUEST : HTTP_RESPONSE);
    p.data = j;
    j->r.used = http_parser_execute(&p, &settings, (const char *)bytes, n);
    if (!j->whole && HTTP_PARSER_ERRNO(&p) == HPE_OK && kind != REQUEST)
        http_parser_execute(&p, &settings, NULL, 0); /* the connection ends */
    j->r.verdict = j->whole ? HTTP_DONE : HTTP_PARSER_ERRNO(&p) == HPE_OK ? HTTP_MORE : HTTP_BAD;
    if (kind == REQUEST)
        snprintf(j->r.start, sizeof(j->r.start), "%s " STR_FMT, http_method_str(p.method), STR_ARG(buf_view(&j->url)));
    else
        snprintf(j->r.start, sizeof(j->r.start), "%u", p.status_code);
}

static void judge_done(struct judged *j)
{
    reading_done(&j->r);
    buf_done(&j->url);
    buf_done(&j->value);
}

/* ---- the comparison ---- */

/* The target that we hand on is origin-form; absolute-form was checked against Host and cut. */
static bool same_start(const struct reading *ours, const struct judged *judged)
{
    if (strcmp(ours->start, judged->r.start) == 0)
        return true;
    const char *target = strchr(ours->start, ' ');
    struct str full = buf_view(&judged->url);
    return target && str_starts(full, STR("http")) && str_ends(full, str_of(target + 1));
}

/* It takes each name that only begins with Transfer-Encoding for that field, and refuses the message. */
static bool misread(const struct reading *ours)
{
    const struct str name = STR("Transfer-Encoding");
    struct str rest = buf_view(&ours->fields), line;
    while (str_cut(&rest, '\n', &line))
        if (line.n > name.n && str_ieq((struct str){line.p, name.n}, name) && line.p[name.n] != ':')
            return true;
    return false;
}

static void compare(const struct reading *ours, const uint8_t *p, size_t n, enum kind kind)
{
    struct judged j;
    judge_read(p, n, kind, &j);
    CHECK(j.r.verdict == ours->verdict);
    CHECK(same_start(ours, &j));
    CHECK(str_eq(buf_view(&ours->fields), buf_view(&j.r.fields)));
    CHECK(str_eq(buf_view(&ours->content), buf_view(&j.r.content)));
    CHECK(ours->used == j.r.used);
    /* The judge does not know yet that an answer to HEAD ends with its head. */
    CHECK(!ours->keep_alive || ours->until_close || kind == RESPONSE_TO_HEAD || j.r.keep_alive);
    judge_done(&j);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    if (n < 2 || n > 4096)
        return 0;
    enum kind kind = p[0] % KINDS;
    struct reading whole, split;
    ours_read(p + 1, n - 1, n - 1, kind, &whole);
    for (size_t at = 0; at < n - 1; at++) {
        ours_read(p + 1, n - 1, at, kind, &split);
        CHECK(split.verdict == whole.verdict && split.err == whole.err);
        if (whole.verdict != HTTP_BAD) {
            CHECK(strcmp(split.start, whole.start) == 0 && split.used == whole.used);
            CHECK(str_eq(buf_view(&split.fields), buf_view(&whole.fields)));
            CHECK(str_eq(buf_view(&split.content), buf_view(&whole.content)));
        }
        reading_done(&split);
    }
    if (whole.verdict == HTTP_DONE && !misread(&whole))
        compare(&whole, p + 1, n - 1, kind);
    reading_done(&whole);
    return 0;
}
