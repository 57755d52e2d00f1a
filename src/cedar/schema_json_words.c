/* Members, names and annotations of the JSON form. */
#include <stdio.h>

#include "cedar/schema_reader.h"

bool cedar_sj_wanted(struct cedar_schema_reader *r, uint32_t at, const char *what, const char *right)
{
    cedar_schema_fault(r->b, cedar_sj_offset(r, at), "%s is %s: expected %s", what,
                       json_type_name(cedar_sj_type(r, at)), right);
    return false;
}

/* ---- members ---- */

static void list_words(const struct cedar_form *f, char *room, size_t n)
{
    size_t at = 0;
    room[0] = 0;
    for (int i = 0; i < CEDAR_MEMBERS && f->member[i] && at < n; i++)
        at += (size_t)snprintf(room + at, n - at, "%s%s", i ? ", " : "", f->member[i]);
}

bool cedar_sj_members(struct cedar_schema_reader *r, uint32_t at, const struct cedar_form *f,
                      uint32_t ret[CEDAR_MEMBERS])
{
    char words[200];
    memset(ret, 0, CEDAR_MEMBERS * sizeof(*ret));
    if (cedar_sj_type(r, at) != JSON_OBJECT)
        return cedar_sj_wanted(r, at, f->what, "an object");
    JSON_PAIRS(&r->j, at, k, v)
    {
        int i = 0;
        while (i < CEDAR_MEMBERS && f->member[i] && !json_str_is(&r->j, k, str_of(f->member[i])))
            i++;
        if (i < CEDAR_MEMBERS && f->member[i]) {
            ret[i] = v;
            continue;
        }
        list_words(f, words, sizeof(words));
        cedar_schema_fault(r->b, cedar_sj_offset(r, k), "%s has no member %s: expected %s", f->what,
                           cedar_schema_quote(r->b, cedar_sj_str(r, k)), words);
    }
    return true;
}

bool cedar_sj_missing(struct cedar_schema_reader *r, uint32_t at, const struct cedar_form *f, const char *member)
{
    cedar_schema_fault(r->b, cedar_sj_offset(r, at), "%s has no member `%s`: expected one", f->what, member);
    return false;
}

/* ---- names ---- */

bool cedar_sj_string(struct cedar_schema_reader *r, uint32_t at, const char *what, struct str *ret)
{
    if (cedar_sj_type(r, at) != JSON_STRING)
        return cedar_sj_wanted(r, at, what, "a string");
    *ret = cedar_sj_str(r, at);
    return !arena_failed(r->b->a);
}

bool cedar_sj_id(struct cedar_schema_reader *r, uint32_t at, const char *what, struct str *ret)
{
    if (!cedar_sj_string(r, at, what, ret))
        return false;
    if (cedar_ident_valid(*ret))
        return true;
    cedar_schema_fault(r->b, cedar_sj_offset(r, at),
                       "%s is no name for %s: expected an identifier that is not reserved",
                       cedar_schema_quote(r->b, *ret), what);
    return false;
}

/* Names of Cedar's own namespace too. */
static bool name_valid(struct str name)
{
    struct cedar_decl_name part = {.space = name};
    do {
        part = cedar_decl_name(part.space, 0);
        if (!cedar_ident_valid(part.id) && !str_is(part.id, "__cedar"))
            return false;
    } while (part.space.n);
    return !str_starts(name, STR("::"));
}

bool cedar_sj_name(struct cedar_schema_reader *r, uint32_t at, const char *what, struct cedar_decl_name *ret)
{
    struct str name;
    if (!cedar_sj_string(r, at, what, &name))
        return false;
    *ret = cedar_decl_name(name, cedar_sj_offset(r, at));
    if (name_valid(name))
        return true;
    cedar_schema_fault(r->b, cedar_sj_offset(r, at), "%s is no name of %s: expected identifiers with `::` between them",
                       cedar_schema_quote(r->b, name), what);
    return false;
}

enum err cedar_sj_names(struct cedar_schema_reader *r, uint32_t at, const char *what, struct cedar_decl_name **ret,
                        uint32_t *ret_n)
{
    if (cedar_sj_type(r, at) != JSON_ARRAY) {
        cedar_sj_wanted(r, at, what, "an array of names");
        return ERR_OK;
    }
    *ret = arena_alloc(r->b->a, (r->j.node[at].size + 1) * sizeof(**ret));
    if (!*ret)
        return ERR_NOMEM;
    JSON_EACH(&r->j, at, item)
    {
        if (cedar_sj_name(r, item, "an entity type", &(*ret)[*ret_n]))
            ++*ret_n;
    }
    return arena_failed(r->b->a) ? ERR_NOMEM : ERR_OK;
}

/* An identifier, reserved words too. */
static bool ident_shaped(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (i && c >= '0' && c <= '9')))
            return false;
    }
    return s.n > 0;
}

enum err cedar_sj_notes(struct cedar_schema_reader *r, uint32_t at, struct cedar_notes *ret)
{
    if (at && cedar_sj_type(r, at) != JSON_OBJECT) {
        cedar_sj_wanted(r, at, "`annotations`", "an object");
        return ERR_OK;
    }
    ret->v = at ? arena_alloc(r->b->a, (r->j.node[at].size + 1) * sizeof(*ret->v)) : NULL;
    JSON_PAIRS(&r->j, at, k, v)
    {
        struct cedar_note note = {
            .name = cedar_sj_str(r, k), .at = cedar_sj_offset(r, k), .bare = cedar_sj_type(r, v) == JSON_NULL};
        if (!ret->v || arena_failed(r->b->a))
            return ERR_NOMEM;
        if (!ident_shaped(note.name))
            cedar_schema_fault(r->b, note.at, "%s is no name of an annotation: expected an identifier",
                               cedar_schema_quote(r->b, note.name));
        if (!note.bare)
            cedar_sj_string(r, v, "the value of an annotation", &note.value);
        ret->v[ret->n++] = note;
    }
    cedar_decl_notes_sort(r->b, ret);
    return arena_failed(r->b->a) ? ERR_NOMEM : ERR_OK;
}
