/*
 * JSON with comments and trailing commas, as editors write their settings (JSONC): read, and changed without touching
 * anything else.
 *
 * Reading: comments, commas before a closing bracket and a byte order mark become spaces, and the strict parser reads
 * the rest. The text keeps its length, so that offsets of the tape are offsets of the file.
 */
#ifndef CLI_JSONC_H
#define CLI_JSONC_H

#include "base/json.h"

/* The text with everything that JSON does not have as spaces; newlines stay. `commas`: those before a closing bracket,
 * too. `out` takes as many bytes as `text` has. A comment without an end goes to the end of the text. */
void jsonc_blank(struct str text, bool commas, char *out);
/* Parses JSONC; *ret points into a copy in the arena. Faults are those of json_parse(), with the file's lines. An empty
 * text is ERR_SYNTAX. */
enum err jsonc_parse(struct json *ret, struct str text, struct arena *a, struct fault *f) MUST_USE;

/* Puts `value` (JSON, indented as if it stood at the margin) under `name` into the object `member` of the root; what
 * has that name is replaced. The object is made when it is missing, and so is the file when the text is empty.
 * Everything else keeps its bytes. ERR_SYNTAX; ERR_CONFLICT: the member is no object. */
enum err jsonc_put(struct str text, const char *member, const char *name, struct str value, struct arena *a,
                   struct str *ret, struct fault *f) MUST_USE;

#endif
