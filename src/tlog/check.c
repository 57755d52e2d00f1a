/* Proofs, checked: RFC 9162 sections 2.1.3.2 and 2.1.4.2. */
#include "tlog/tlog.h"

static enum err check_failed(const char *what, struct fault *f)
{
    return fault_set(f, ERR_CORRUPT, "%s", what);
}

enum err tlog_check_inclusion(const struct tlog_proof *p, uint64_t index, const struct tlog_hash *leaf, uint64_t size,
                              const struct tlog_hash *root, struct fault *f)
{
    if (index >= size)
        return check_failed("the proof is of a leaf that the tree does not have", f);
    if (p->n > TLOG_PROOF)
        return check_failed("the proof is longer than any is", f);
    uint64_t at = index, last = size - 1; /* on the level that was reached: this node, and the last one */
    struct tlog_hash h = *leaf;
    for (unsigned i = 0; i < p->n; i++) {
        if (last == 0)
            return check_failed("the inclusion proof is too long for this tree", f);
        if (at & 1 || at == last) {
            tlog_node(&p->v[i], &h, &h);
            while (!(at & 1) && at) { /* the last node of its level: it goes up alone, as far as it can */
                at >>= 1;
                last >>= 1;
            }
        } else {
            tlog_node(&h, &p->v[i], &h);
        }
        at >>= 1;
        last >>= 1;
    }
    if (last != 0)
        return check_failed("the inclusion proof is too short for this tree", f);
    return tlog_same(&h, root) ? ERR_OK : check_failed("the inclusion proof does not lead to the tree's root", f);
}

/* Both trees' roots at once, from the nodes of the proof; the first one is the largest subtree that both have. */
static enum err check_climb(const struct tlog_hash *v, unsigned n, uint64_t at, uint64_t last,
                            const struct tlog_hash *old_root, const struct tlog_hash *root, struct fault *f)
{
    struct tlog_hash was = v[0], is = v[0];
    for (unsigned i = 1; i < n; i++) {
        if (last == 0)
            return check_failed("the consistency proof is too long for these trees", f);
        if (at & 1 || at == last) {
            tlog_node(&v[i], &was, &was);
            tlog_node(&v[i], &is, &is);
            while (!(at & 1) && at) {
                at >>= 1;
                last >>= 1;
            }
        } else {
            tlog_node(&is, &v[i], &is);
        }
        at >>= 1;
        last >>= 1;
    }
    if (last != 0)
        return check_failed("the consistency proof is too short for these trees", f);
    if (!tlog_same(&was, old_root))
        return check_failed("the consistency proof does not lead to the old tree's root", f);
    return tlog_same(&is, root) ? ERR_OK : check_failed("the consistency proof does not lead to the tree's root", f);
}

enum err tlog_check_consistency(const struct tlog_proof *p, uint64_t old_size, const struct tlog_hash *old_root,
                                uint64_t size, const struct tlog_hash *root, struct fault *f)
{
    struct tlog_hash v[TLOG_PROOF + 1];
    if (old_size > size)
        return check_failed("the old tree is larger than the new one", f);
    if (p->n > TLOG_PROOF)
        return check_failed("the proof is longer than any is", f);
    if (old_size == 0 || old_size == size) {
        struct tlog_hash none;
        tlog_fold(NULL, 0, &none);
        if (p->n)
            return check_failed("the consistency proof must be empty for these trees", f);
        if (!tlog_same(old_root, old_size ? root : &none))
            return check_failed(old_size ? "two trees of the same size have different roots"
                                         : "the old tree's root is not that of an empty tree",
                                f);
        return ERR_OK;
    }
    if (!p->n)
        return check_failed("the consistency proof is too short for these trees", f);
    unsigned n = 0;
    if ((old_size & (old_size - 1)) == 0) /* the old tree is a subtree itself, and left out */
        v[n++] = *old_root;
    memcpy(v + n, p->v, p->n * sizeof(*v));
    n += p->n;
    uint64_t at = old_size - 1, last = size - 1;
    for (; at & 1; at >>= 1)
        last >>= 1;
    return check_climb(v, n, at, last, old_root, root, f);
}
