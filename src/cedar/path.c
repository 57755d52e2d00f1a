#include "cedar/path.h"

#include <stdio.h>

/* Writes backwards, from the end of what room there is. False: there is none left. */
static bool path_step(const struct cedar_path *p, char *room, size_t *at)
{
    char number[16];
    struct str part = cedar_cut(p->key);
    if (!p->keyed)
        part = (struct str){number, (size_t)snprintf(number, sizeof(number), "[%u]", (unsigned)p->index)};
    size_t point = p->keyed && p->up ? 1 : 0;
    if (part.n + point + 4 > *at)
        return false;
    *at -= part.n;
    memcpy(room + *at, part.p, part.n);
    if (point)
        room[--*at] = '.';
    return true;
}

const char *cedar_path_text(const struct cedar_path *p, char room[static CEDAR_PATH_TEXT])
{
    size_t at = CEDAR_PATH_TEXT - 1;
    room[at] = 0;
    for (; p; p = p->up) {
        if (!path_step(p, room, &at)) {
            memcpy(room + at - 3, "...", 3);
            return room + at - 3;
        }
    }
    return room + at;
}

enum err cedar_uid_read(const struct json *j, uint32_t at, const struct cedar_path *path, struct arena *a,
                        struct cedar_uid *ret, struct fault *f)
{
    struct str type = json_str(j, json_get(j, at, STR("type")), a), id = json_str(j, json_get(j, at, STR("id")), a);
    if (arena_failed(a))
        return fault_set(f, ERR_NOMEM, "no memory for the name of an entity");
    if (!cedar_name_valid(type))
        return cedar_path_fault(f, path, "\"" STR_FMT "\" is no name of a type: identifiers with :: between them are",
                                STR_ARG(cedar_cut(type)));
    *ret = cedar_uid(type, id);
    return ERR_OK;
}
