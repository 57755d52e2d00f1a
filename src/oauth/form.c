#include "base/enc.h"
#include "oauth/oauth.h"

static enum err form_decode(struct str s, struct arena *a, struct str *ret, struct fault *f)
{
    char *out = arena_raw(a, s.n + 1, 1);
    size_t n = 0;
    if (!out)
        return fault_set(f, ERR_NOMEM, "no memory for the form");
    for (size_t i = 0; i < s.n; i++) {
        unsigned char byte;
        if (s.p[i] == '+') {
            out[n++] = ' ';
        } else if (s.p[i] == '%') {
            if (i + 3 > s.n || !enc_unhex((struct str){s.p + i + 1, 2}, &byte, 1) || byte == 0)
                return fault_set(f, ERR_INVALID,
                                 "the form holds a %% that two hexadecimal digits other than 00 do not follow");
            out[n++] = (char)byte;
            i += 2;
        } else {
            out[n++] = s.p[i];
        }
    }
    *ret = (struct str){out, n};
    return str_utf8_valid(*ret) ? ERR_OK : fault_set(f, ERR_INVALID, "the form holds bytes that are not UTF-8");
}

enum err form_read(struct str body, struct form_field *fields, size_t count, struct arena *a, struct fault *f)
{
    while (body.n) {
        struct str pair, raw_name, name, value;
        str_cut(&body, '&', &pair);
        if (!pair.n)
            continue;
        str_cut(&pair, '=', &raw_name);
        TRY(form_decode(raw_name, a, &name, f));
        TRY(form_decode(pair, a, &value, f));
        for (size_t i = 0; i < count; i++) {
            if (!str_is(name, fields[i].name))
                continue;
            if (fields[i].value.p)
                return fault_set(f, ERR_INVALID, "the parameter %s came twice", fields[i].name);
            fields[i].value = value;
        }
    }
    return ERR_OK;
}
