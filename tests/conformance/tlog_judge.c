/*
 * Proofs of one tree, for a second opinion (tests/integration/audit_outside.test.mjs): leaf i is the entry "entry i". A
 * question a line: "inclusion INDEX SIZE", "consistency OLD SIZE", "root 0 SIZE". The answer is the number of hashes
 * and the hashes, or "refused". What is proved is checked first: what we would not take ourselves we do not hand out.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tlog/tlog.h"

enum { SIZE = 70000 };

struct judge {
    struct tlog_tree tree;
    struct tlog_hash leaf[SIZE];
    struct tlog_hash level[2][TLOG_WIDTH * 2]; /* 1 and 2 */
};

static void leaf_of(uint64_t i, struct tlog_hash *ret)
{
    char text[32];
    tlog_leaf((struct str){text, (size_t)snprintf(text, sizeof(text), "entry %llu", (unsigned long long)i)}, ret);
}

static enum err judge_tile(void *ctx, unsigned level, uint64_t index, const struct tlog_hash *v, unsigned width,
                           struct fault *f)
{
    (void)f;
    struct judge *j = ctx;
    if (level == 1 || level == 2)
        memcpy(&j->level[level - 1][index * TLOG_WIDTH], v, width * sizeof(*v));
    return ERR_OK;
}

static enum err judge_read(void *ctx, unsigned level, uint64_t index, unsigned width, struct tlog_hash *ret,
                           struct fault *f)
{
    struct judge *j = ctx;
    if (level > 2)
        return fault_set(f, ERR_NOT_FOUND, "there is no such tile");
    const struct tlog_hash *from = level ? j->level[level - 1] : j->leaf;
    memcpy(ret, from + index * TLOG_WIDTH, width * sizeof(*ret));
    return ERR_OK;
}

static enum err judge_ask(struct judge *j, const char *what, uint64_t a, uint64_t size, struct tlog_proof *p)
{
    const struct tlog_tiles tiles = {judge_read, j};
    struct tlog_hash root, old;
    if (size > SIZE || tlog_root(&tiles, size, &root, NULL))
        return ERR_PARAMS;
    if (strcmp(what, "inclusion") == 0) {
        TRY(tlog_prove_inclusion(&tiles, a, size, p, NULL));
        return tlog_check_inclusion(p, a, &j->leaf[a], size, &root, NULL);
    }
    if (strcmp(what, "consistency") == 0) {
        TRY(tlog_prove_consistency(&tiles, a, size, p, NULL));
        TRY(tlog_root(&tiles, a, &old, NULL));
        return tlog_check_consistency(p, a, &old, size, &root, NULL);
    }
    *p = (struct tlog_proof){.v = {root}, .n = 1};
    return ERR_OK;
}

int main(void)
{
    char what[16], text[48];
    unsigned long long a, size;
    struct tlog_proof p;
    struct judge *j = calloc(1, sizeof(*j));
    if (!j)
        return 1;
    tlog_tree_init(&j->tree);
    j->tree.tile = judge_tile;
    j->tree.ctx = j;
    for (uint64_t i = 0; i < SIZE; i++) {
        leaf_of(i, &j->leaf[i]);
        if (tlog_tree_add(&j->tree, &j->leaf[i], NULL))
            return 1;
    }
    if (tlog_tree_partial(&j->tree, NULL))
        return 1;
    while (scanf("%15s %llu %llu", what, &a, &size) == 3) {
        if (judge_ask(j, what, a, size, &p)) {
            puts("refused");
            continue;
        }
        printf("%u", p.n);
        for (unsigned i = 0; i < p.n; i++) {
            enc_b64(p.v[i].b, SHA256_BYTES, text);
            printf(" %s", text);
        }
        puts("");
    }
    free(j);
    return 0;
}
