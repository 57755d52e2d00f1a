/* Single values of a client's file: variables in our form, secrets found. *why is said when the answer is no. */
#ifndef CLI_IMPORT_VALUE_H
#define CLI_IMPORT_VALUE_H

#include "cli/import.h"

/* ${env:X} and ${X} -> ${X}; ${userHome} -> home; ${/} -> /. */
bool import_value(struct str text, const char *home, struct arena *a, struct str *ret, const char **why);
/* Sets p->secret, by name and value. */
bool import_pair(struct import_pair *p, struct arena *a, const char **why);
/* No secret may stand in a URL or among the arguments: neither can be a file's content. */
bool import_url(struct str url, struct arena *a, const char **why);
bool import_command(const struct import_server *s, struct arena *a, const char **why);

#endif
