/* What a client takes as an answer: Accept (RFC 9110 section 12.5.1). */
#include "net/http.h"

/* "text/html;level=1;q=0.000": is it a refusal? */
static bool http_weight_is_zero(struct str parameters)
{
    for (struct str one, name; parameters.n;) {
        str_cut(&parameters, ';', &one);
        if (!str_cut(&one, '=', &name) || !str_ieq(str_trim(name), STR("q")))
            continue;
        struct str value = str_trim(one);
        for (size_t i = 0; i < value.n; i++)
            if (value.p[i] != '0' && value.p[i] != '.')
                return false;
        return true;
    }
    return false;
}

/* How narrowly a range names the type: 3 itself, 2 its kind, 1 any, 0 not at all. */
static int http_range_fits(struct str range, struct str type)
{
    struct str kind;
    str_cut(&type, '/', &kind);
    if (str_is(range, "*/*"))
        return 1;
    bool of_kind = range.n > kind.n + 1 && range.p[kind.n] == '/' && str_ieq((struct str){range.p, kind.n}, kind);
    struct str sub = of_kind ? str_skip(range, kind.n + 1) : STR_NONE;
    return !of_kind ? 0 : str_is(sub, "*") ? 2 : str_ieq(sub, type) ? 3 : 0;
}

bool http_accepts(const struct http_head *h, const char *type)
{
    int best = 0;
    bool taken = false;
    for (size_t i = 0; i < h->count; i++) {
        struct str list = h->header[i].value;
        if (!str_ieq(h->header[i].name, STR("Accept")))
            continue;
        for (struct str part, range; list.n;) {
            str_cut(&list, ',', &part);
            str_cut(&part, ';', &range);
            int fits = http_range_fits(str_trim(range), str_of(type));
            if (fits > best) {
                best = fits;
                taken = !http_weight_is_zero(part);
            }
        }
    }
    return taken;
}
