/* Keys as they are given on the command line. */
#include <sys/stat.h>

#include "tlog/folder.h"
#include "verify/verify.h"

static enum err keys_put(struct verify_keys *k, const struct note_verifier *one, struct fault *f)
{
    if (k->n == VERIFY_KEYS)
        return fault_set(f, ERR_USAGE, "more than %d keys", VERIFY_KEYS);
    k->v[k->n++] = *one;
    return ERR_OK;
}

static enum err keys_files(struct verify_keys *k, const char *path, struct fault *f)
{
    struct note_verifiers v;
    TRY(note_verifiers_read(path, &v, f));
    enum err e = v.n ? ERR_OK : fault_set(f, ERR_USAGE, "%s: holds no key, and no files *.pub with one", path);
    for (size_t i = 0; i < v.n && !e; i++)
        e = keys_put(k, &v.v[i], f);
    note_verifiers_done(&v);
    return e;
}

enum err verify_keys_add(struct verify_keys *k, const char *text, struct fault *f)
{
    struct note_verifier one;
    struct stat st;
    struct fault why;
    if (note_verifier_parse(str_of(text), &one, &why) == ERR_OK)
        return keys_put(k, &one, f);
    if (stat(text, &st) == 0)
        return keys_files(k, text, f);
    if (strchr(text, '+')) /* a key with a slip in it, rather than a file */
        return fault_set(f, ERR_USAGE, "%s: %s", text, why.text);
    return fault_set(f, ERR_USAGE, "%s: is no key, and no file", text);
}
