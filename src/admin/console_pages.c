/* The console's pages and files. */
#include "admin/request.h"
#include "console/page.h"

enum err admin_console_pages(struct admin_request *r, struct fault *f)
{
    char etag[128];
    struct console_answer answer;
    if (!console_enabled(r->admin->console))
        return fault_set(f, ERR_NOT_FOUND, "there is no console here: console.enabled is false");
    TRY(console_page(console_pages, console_page_count, &r->x->head, etag, &answer, f));
    _Static_assert((int)CONSOLE_PAGE_HEADERS <= (int)ADMIN_HEADERS, "they fit");
    for (size_t i = 0; i < answer.headers; i++) {
        struct str value = answer.header[i].value; /* the tag is of this function */
        if (value.p == etag && !(value = arena_str(r->arena, value)).p)
            return fault_set(f, ERR_NOMEM, "no memory for the page");
        r->header[r->headers++] = (struct http_header){answer.header[i].name, value};
    }
    r->status = answer.status;
    r->type = answer.type;
    r->cache = answer.cache;
    r->bare = answer.status == 304;
    buf_str(&r->out, answer.body);
    return ERR_OK;
}
