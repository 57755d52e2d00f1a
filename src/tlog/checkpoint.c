#include "tlog/note.h"

enum { CHECKPOINT_ORIGIN = 1024, CHECKPOINT_ROOT = 44 /* base64 of 32 bytes */ };

/* A line of the text, without its end. False: there is none, or it is empty. */
static bool checkpoint_line(struct str *text, struct str *ret)
{
    return str_cut(text, '\n', ret) && ret->n;
}

enum err checkpoint_parse(struct str text, struct checkpoint *ret, struct fault *f)
{
    struct checkpoint c;
    struct str size, root, more;
    unsigned char bytes[SHA256_BYTES + 3];
    size_t n = 0;
    if (!checkpoint_line(&text, &c.origin) || c.origin.n > CHECKPOINT_ORIGIN)
        return fault_set(f, ERR_SYNTAX, "a checkpoint's first line must be the name of its log");
    if (!checkpoint_line(&text, &size) || !str_u64(size, &c.size) || c.size >> 63 || (size.p[0] == '0' && size.n > 1))
        return fault_set(f, ERR_SYNTAX, "a checkpoint's second line must be the size of the tree");
    if (!checkpoint_line(&text, &root) || root.n != CHECKPOINT_ROOT || enc_unb64(root, bytes, sizeof(bytes), &n) ||
        n != SHA256_BYTES)
        return fault_set(f, ERR_SYNTAX, "a checkpoint's third line must be the root's hash in base64");
    while (text.n)
        if (!checkpoint_line(&text, &more))
            return fault_set(f, ERR_SYNTAX, "a checkpoint must have no empty lines");
    memcpy(c.root.b, bytes, SHA256_BYTES);
    *ret = c;
    return ERR_OK;
}

void checkpoint_write(const struct checkpoint *c, struct buf *out)
{
    char root[CHECKPOINT_ROOT + 4];
    enc_b64(c->root.b, SHA256_BYTES, root);
    buf_str(out, c->origin); /* whatever is in it */
    buf_fmt(out, "\n%llu\n%s\n", (unsigned long long)c->size, root);
}
