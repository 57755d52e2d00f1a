#include "tlog/tlog.h"

void tlog_leaf(struct str entry, struct tlog_hash *ret)
{
    const struct str parts[] = {{"\0", 1}, entry};
    enc_sha256_parts(parts, 2, ret->b);
}

void tlog_node(const struct tlog_hash *left, const struct tlog_hash *right, struct tlog_hash *ret)
{
    unsigned char both[1 + 2 * SHA256_BYTES] = {1};
    memcpy(both + 1, left->b, SHA256_BYTES);
    memcpy(both + 1 + SHA256_BYTES, right->b, SHA256_BYTES);
    enc_sha256(both, sizeof(both), ret->b);
}

bool tlog_same(const struct tlog_hash *a, const struct tlog_hash *b)
{
    return memcmp(a->b, b->b, SHA256_BYTES) == 0;
}

/* The roots of the full subtrees that n hashes are made of, the largest first: one for each bit of n. */
struct fold {
    struct tlog_hash root[64];
    unsigned count;
};

static void fold_add(struct fold *e, uint64_t before, const struct tlog_hash *h)
{
    struct tlog_hash up = *h;
    for (; before & 1; before >>= 1)
        tlog_node(&e->root[--e->count], &up, &up);
    e->root[e->count++] = up;
}

void tlog_fold(const struct tlog_hash *v, size_t n, struct tlog_hash *ret)
{
    struct fold e = {.count = 0};
    if (!n) {
        enc_sha256("", 0, ret->b);
        return;
    }
    for (size_t i = 0; i < n; i++)
        fold_add(&e, i, &v[i]);
    *ret = e.root[--e.count];
    while (e.count)
        tlog_node(&e.root[--e.count], ret, ret);
}

void tlog_tree_init(struct tlog_tree *t)
{
    t->size = 0;
    t->tile = NULL;
    t->ctx = NULL;
    for (unsigned i = 0; i < TLOG_LEVELS; i++)
        t->level[i].width = 0;
}

enum err tlog_tree_add(struct tlog_tree *t, const struct tlog_hash *leaf, struct fault *f)
{
    struct tlog_hash up = *leaf;
    uint64_t index = t->size; /* of the hash in its level */
    for (unsigned i = 0; i < TLOG_LEVELS; i++, index /= TLOG_WIDTH) {
        t->level[i].hash[t->level[i].width] = up;
        if (t->level[i].width + 1 < TLOG_WIDTH) {
            t->level[i].width++;
            break;
        }
        if (t->tile)
            TRY(t->tile(t->ctx, i, index / TLOG_WIDTH, t->level[i].hash, TLOG_WIDTH, f));
        tlog_fold(t->level[i].hash, TLOG_WIDTH, &up);
        t->level[i].width = 0;
    }
    t->size++;
    return ERR_OK;
}

enum err tlog_tree_partial(struct tlog_tree *t, struct fault *f)
{
    uint64_t hashes = t->size;
    for (unsigned i = 0; i < TLOG_LEVELS && t->tile; i++, hashes /= TLOG_WIDTH)
        if (t->level[i].width)
            TRY(t->tile(t->ctx, i, hashes / TLOG_WIDTH, t->level[i].hash, t->level[i].width, f));
    return ERR_OK;
}

/* What is not a full tile below stands to the right of all that is: RFC 6962 cuts a tree at the largest power of two
 * below its size, which is one of whole tiles as long as there are any. */
void tlog_tree_root(const struct tlog_tree *t, struct tlog_hash *ret)
{
    struct tlog_hash row[TLOG_WIDTH + 1];
    bool below = false;
    for (unsigned i = 0; i < TLOG_LEVELS; i++) {
        size_t n = t->level[i].width;
        if (!n)
            continue;
        memcpy(row, t->level[i].hash, n * sizeof(row[0]));
        if (below)
            row[n++] = *ret;
        tlog_fold(row, n, ret);
        below = true;
    }
    if (!below)
        tlog_fold(NULL, 0, ret);
}
