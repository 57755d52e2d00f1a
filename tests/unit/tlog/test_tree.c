/* The tree: known roots, growth, and going on after a stop. */
#include "grove.h"

static struct str leaf_text(const char *hex, char *bytes)
{
    size_t n = strlen(hex) / 2;
    assert_true(enc_unhex(str_of(hex), bytes, n));
    return (struct str){bytes, n};
}

static void is_hex(const struct tlog_hash *h, const char *want)
{
    char have[2 * SHA256_BYTES + 1];
    enc_hex(h->b, SHA256_BYTES, have);
    assert_string_equal(have, want);
}

/* The leaves and roots of the tests of RFC 6962's own implementation. */
static const char *const known_leaf[] = {
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
static const char *const known_root[] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

static void known_grow(struct grove *g, struct tlog_hash leaf[COUNT(known_leaf)], uint64_t size)
{
    char bytes[16];
    for (size_t i = 0; i < COUNT(known_leaf); i++)
        tlog_leaf(leaf_text(known_leaf[i], bytes), &leaf[i]);
    for (uint64_t i = 0; i < size; i++)
        assert_int_equal(tlog_tree_add(&g->tree, &leaf[i], NULL), ERR_OK);
}

static void known_leaves_have_known_roots(void **state)
{
    (void)state;
    for (uint64_t size = 0; size <= COUNT(known_leaf); size++) {
        struct tlog_hash leaf[COUNT(known_leaf)], root;
        struct grove *g = grove_new(0);
        known_grow(g, leaf, size);
        tlog_tree_root(&g->tree, &root);
        is_hex(&root, known_root[size]);
        tlog_fold(leaf, size, &root);
        is_hex(&root, known_root[size]);
        grove_free(g);
    }
}

static void known_inclusion(uint64_t leaf_index, uint64_t size, const char *const *want, unsigned n)
{
    struct tlog_hash leaf[COUNT(known_leaf)], root;
    struct tlog_proof p;
    struct grove *g = grove_new(0);
    known_grow(g, leaf, size);
    const struct tlog_tiles tiles = grove_tiles(g);
    tlog_tree_root(&g->tree, &root);
    assert_int_equal(tlog_prove_inclusion(&tiles, leaf_index, size, &p, NULL), ERR_OK);
    assert_int_equal(p.n, n);
    for (unsigned i = 0; i < n; i++)
        is_hex(&p.v[i], want[i]);
    assert_int_equal(tlog_check_inclusion(&p, leaf_index, &leaf[leaf_index], size, &root, NULL), ERR_OK);
    grove_free(g);
}

static void known_consistency(uint64_t old_size, uint64_t size, const char *const *want, unsigned n)
{
    struct tlog_hash leaf[COUNT(known_leaf)];
    struct tlog_proof p;
    struct grove *g = grove_new(0);
    known_grow(g, leaf, size);
    const struct tlog_tiles tiles = grove_tiles(g);
    assert_int_equal(tlog_prove_consistency(&tiles, old_size, size, &p, NULL), ERR_OK);
    assert_int_equal(p.n, n);
    for (unsigned i = 0; i < n; i++)
        is_hex(&p.v[i], want[i]);
    grove_free(g);
}

static void known_trees_have_known_proofs(void **state)
{
    (void)state;
    static const char node_01[] = "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                      node_23[] = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                      node_45[] = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                      node_67[] = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                      node_03[] = "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                      node_47[] = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
                      leaf_0[] = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                      leaf_1[] = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                      leaf_4[] = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
    known_inclusion(0, 1, NULL, 0);
    known_inclusion(0, 8, (const char *const[]){leaf_1, node_23, node_47}, 3);
    known_inclusion(5, 8, (const char *const[]){leaf_4, node_67, node_03}, 3);
    known_inclusion(2, 3, (const char *const[]){node_01}, 1);
    known_inclusion(1, 5, (const char *const[]){leaf_0, node_23, leaf_4}, 3);
    known_consistency(1, 1, NULL, 0);
    known_consistency(1, 8, (const char *const[]){leaf_1, node_23, node_47}, 3);
    known_consistency(6, 8, (const char *const[]){node_45, node_67, node_03}, 3);
    known_consistency(2, 5, (const char *const[]){node_23, leaf_4}, 2);
}

static void tree_has_the_same_root_from_leaves_and_from_tiles(void **state)
{
    (void)state;
    struct grove *g = grove_new(700);
    struct tlog_tree *young = calloc(1, sizeof(*young));
    const struct tlog_tiles tiles = grove_tiles(g);
    struct tlog_hash want, have, leaf;
    tlog_tree_init(young);
    for (uint64_t size = 1; size <= 700; size++) {
        grove_leaf(size - 1, &leaf);
        assert_int_equal(tlog_tree_add(young, &leaf, NULL), ERR_OK);
        grove_root(g, 0, size, &want);
        tlog_tree_root(young, &have);
        assert_true(tlog_same(&want, &have));
        assert_int_equal(tlog_root(&tiles, size, &have, NULL), ERR_OK);
        assert_true(tlog_same(&want, &have));
    }
    free(young);
    grove_free(g);
}

/* Grows from the tiles of what was to what is, and compares with a tree that never stopped. */
static void goes_on(struct grove *g, uint64_t from, uint64_t to)
{
    struct tlog_tree *t = calloc(1, sizeof(*t));
    const struct tlog_tiles tiles = grove_tiles(g);
    struct tlog_hash leaf, root, want;
    tlog_tree_init(t);
    assert_int_equal(tlog_tree_load(t, &tiles, from, NULL), ERR_OK);
    assert_int_equal(t->size, from);
    while (t->size < to) {
        grove_leaf(t->size, &leaf);
        assert_int_equal(tlog_tree_add(t, &leaf, NULL), ERR_OK);
    }
    tlog_tree_root(t, &root);
    assert_int_equal(tlog_root(&tiles, to, &want, NULL), ERR_OK);
    assert_true(tlog_same(&root, &want));
    free(t);
}

static void tree_goes_on_from_full_tiles(void **state)
{
    (void)state;
    struct grove *g = grove_new(70000);
    g->bare = true; /* of what is above level 0, only tiles that are full are there */
    for (uint64_t from = 0; from <= 70000; from += 256 * 39)
        goes_on(g, from, from + 300 < 70000 ? from + 300 : 70000);
    goes_on(g, 65536, 65536 + 1);
    goes_on(g, 65536 + 256, 70000);
    goes_on(g, 69999, 70000);
    goes_on(g, 70000, 70000);
    grove_free(g);
}

static void tree_does_not_go_on_from_tiles_that_are_lost(void **state)
{
    (void)state;
    struct grove *g = grove_new(600);
    struct tlog_tree *t = calloc(1, sizeof(*t));
    const struct tlog_tiles tiles = grove_tiles(g);
    struct fault f;
    tlog_tree_init(t);
    assert_int_equal(tlog_tree_load(t, &tiles, 1024, &f), ERR_NOT_FOUND);
    assert_int_equal(tlog_tree_load(t, &tiles, UINT64_C(1) << 63, &f), ERR_PARAMS);
    free(t);
    grove_free(g);
}

static void partial_tiles_hold_what_the_tree_holds(void **state)
{
    (void)state;
    struct grove *g = grove_new(70000);
    uint64_t before[3] = {g->count[0], g->count[1], g->count[2]};
    assert_int_equal(tlog_tree_partial(&g->tree, NULL), ERR_OK);
    /* the example of tlog-tiles: 273 full tiles and one of 112; one full and one of 17; one of 1 */
    assert_int_equal(before[0], 273 * 256);
    assert_int_equal(g->count[0] - before[0], 112);
    assert_int_equal(before[1], 256);
    assert_int_equal(g->count[1] - before[1], 17);
    assert_int_equal(before[2], 0);
    assert_int_equal(g->count[2], 1);
    grove_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_leaves_have_known_roots),
        cmocka_unit_test(known_trees_have_known_proofs),
        cmocka_unit_test(tree_has_the_same_root_from_leaves_and_from_tiles),
        cmocka_unit_test(tree_goes_on_from_full_tiles),
        cmocka_unit_test(tree_does_not_go_on_from_tiles_that_are_lost),
        cmocka_unit_test(partial_tiles_hold_what_the_tree_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
