/* Lists in pages: ?limit=N and ?cursor=…, which is the id of the last tool that was shown, in base64url. It grants
 * nothing: what is shown behind it is judged like anything else. */
#include "base/enc.h"
#include "oauth/oauth.h"
#include "rest/request.h"

enum { CURSOR_MAX = 512 };

struct str rest_cursor(struct str id, struct arena *a)
{
    char *text = id.n <= CURSOR_MAX ? arena_raw(a, (4 * id.n + 2) / 3 + 1, 1) : NULL;
    return text ? (struct str){text, enc_b64url(id.p, id.n, text)} : STR_NONE;
}

enum err rest_page_read(struct str query, struct arena *a, struct rest_page *ret, struct fault *f)
{
    struct form_field field[] = {{"limit", STR_NONE}, {"cursor", STR_NONE}};
    unsigned char id[CURSOR_MAX];
    uint64_t limit = REST_PAGE;
    size_t n = 0;
    if (form_read(query, field, 2, a, f))
        return fault_wrap(f, "the query");
    struct str cursor = field[1].value;
    if (field[0].value.p && (!str_u64(field[0].value, &limit) || limit < 1 || limit > REST_PAGE_MAX))
        return fault_set(f, ERR_PARAMS, "limit must be a whole number from 1 to %d", REST_PAGE_MAX);
    if (cursor.p && (enc_unb64url(cursor, id, sizeof(id), &n) || !n || !str_utf8_valid((struct str){(char *)id, n})))
        return fault_set(f, ERR_PARAMS, "cursor is none that was given out: begin again without it");
    struct str after = arena_str(a, (struct str){(char *)id, n});
    if (!after.p)
        return fault_set(f, ERR_NOMEM, "no memory for the request");
    *ret = (struct rest_page){.limit = (size_t)limit, .after = after};
    return ERR_OK;
}
