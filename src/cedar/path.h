/*
 * Where in a JSON document something stands, for messages: context.input.lines[2].amount. A path is made on the stack
 * on the way down and becomes words only when there is a fault to tell.
 */
#ifndef CEDAR_PATH_H
#define CEDAR_PATH_H

#include "cedar/value.h"

struct cedar_path {
    const struct cedar_path *up; /* NULL: the root, whose key is its name */
    struct str key;
    uint32_t index;
    bool keyed; /* key, not index */
};

#define CEDAR_PATH_TEXT 160
/* A deep path loses its middle part, never its end. */
const char *cedar_path_text(const struct cedar_path *p, char room[static CEDAR_PATH_TEXT]);
#define cedar_path_fault(f, path, fmt, ...)                                                                            \
    fault_set((f), ERR_SYNTAX, "%s: " fmt, cedar_path_text((path), (char[CEDAR_PATH_TEXT]){0}), ##__VA_ARGS__)

/* At most 60 bytes of it, never ending inside of a character. */
static inline struct str cedar_cut(struct str s)
{
    if (s.n > 60) {
        s.n = 60;
        while (s.n > 0 && ((unsigned char)s.p[s.n] & 0xc0) == 0x80)
            s.n--;
    }
    return s;
}

bool cedar_json_is_uid(const struct json *j, uint32_t at);  /* an object with the strings "type" and "id" */
bool cedar_json_is_call(const struct json *j, uint32_t at); /* an object with the string "fn", and "arg" or "args" */
/* Of an object that is one. Strings are views of the text or copies in the arena. */
enum err cedar_uid_read(const struct json *j, uint32_t at, const struct cedar_path *path, struct arena *a,
                        struct cedar_uid *ret, struct fault *f) MUST_USE;
/* cedar_value_read with a path that is made when it is needed. */
enum err cedar_value_read_at(const struct json *j, uint32_t at, const struct cedar_path *path, struct arena *a,
                             struct cedar_value *ret, struct fault *f) MUST_USE;

#endif
