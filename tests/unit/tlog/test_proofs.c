/* Every proof of small trees holds, and nothing else does. */
#include "grove.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SIZE = 600, STEP = 3 }; /* a third is enough where everything takes its time */
#else
enum { SIZE = 600, STEP = 1 };
#endif

struct forest {
    struct grove *grove;
    struct tlog_hash root[SIZE + 1];
    struct tlog_hash leaf[SIZE];
};

static int forest_grow(void **state)
{
    struct forest *w = calloc(1, sizeof(*w));
    struct tlog_tree *t = calloc(1, sizeof(*t));
    w->grove = grove_new(SIZE);
    tlog_tree_init(t);
    for (uint64_t i = 0; i <= SIZE; i++) {
        tlog_tree_root(t, &w->root[i]);
        if (i == SIZE)
            break;
        grove_leaf(i, &w->leaf[i]);
        assert_int_equal(tlog_tree_add(t, &w->leaf[i], NULL), ERR_OK);
    }
    free(t);
    *state = w;
    return 0;
}

static int forest_fell(void **state)
{
    struct forest *w = *state;
    grove_free(w->grove);
    free(w);
    return 0;
}

static enum err includes(const struct forest *w, const struct tlog_proof *p, uint64_t index, uint64_t leaf,
                         uint64_t size, uint64_t root)
{
    return tlog_check_inclusion(p, index, &w->leaf[leaf], size, &w->root[root], NULL);
}

static enum err consistent(const struct forest *w, const struct tlog_proof *p, uint64_t old_size, uint64_t old_root,
                           uint64_t size, uint64_t root)
{
    return tlog_check_consistency(p, old_size, &w->root[old_root], size, &w->root[root], NULL);
}

static void every_leaf_is_proved_in_every_tree(void **state)
{
    struct forest *w = *state;
    const struct tlog_tiles tiles = grove_tiles(w->grove);
    struct tlog_proof p;
    for (uint64_t size = 1; size <= SIZE; size++)
        for (uint64_t i = size % STEP; i < size; i += STEP) {
            assert_int_equal(tlog_prove_inclusion(&tiles, i, size, &p, NULL), ERR_OK);
            assert_int_equal(includes(w, &p, i, i, size, size), ERR_OK);
            uint64_t other = i ? i - 1 : size - 1; /* another place, another leaf, another tree */
            if (other != i) {
                assert_int_equal(includes(w, &p, other, i, size, size), ERR_CORRUPT);
                assert_int_equal(includes(w, &p, i, other, size, size), ERR_CORRUPT);
            }
            assert_int_equal(includes(w, &p, i, i, size, size - 1), ERR_CORRUPT);
            assert_int_equal(includes(w, &p, i + size, i, size, size), ERR_CORRUPT);
        }
}

static void every_tree_is_proved_to_be_a_beginning_of_every_later_one(void **state)
{
    struct forest *w = *state;
    const struct tlog_tiles tiles = grove_tiles(w->grove);
    struct tlog_proof p;
    for (uint64_t size = 0; size <= SIZE; size++)
        for (uint64_t old = size % STEP; old <= size; old += STEP) {
            assert_int_equal(tlog_prove_consistency(&tiles, old, size, &p, NULL), ERR_OK);
            assert_int_equal(consistent(w, &p, old, old, size, size), ERR_OK);
            if (old == 0) {
                assert_int_equal(p.n, 0);
                continue;
            }
            assert_int_equal(consistent(w, &p, old, old - 1, size, size), ERR_CORRUPT);
            assert_int_equal(consistent(w, &p, old, old, size, size - 1), ERR_CORRUPT);
            assert_int_equal(consistent(w, &p, size + 1, old, size, size), ERR_CORRUPT);
        }
}

/* Sizes where the tree's shape is another one each time. */
static const uint64_t shapes[] = {1,  2,  3,   4,   5,   6,   7,   8,   9,   15,  16,
                                  17, 31, 100, 255, 256, 257, 300, 511, 512, 513, 600};

static void a_size_that_is_not_the_tree_s_proves_nothing(void **state)
{
    struct forest *w = *state;
    const struct tlog_tiles tiles = grove_tiles(w->grove);
    struct tlog_proof p;
    for (size_t k = 0; k < COUNT(shapes); k++) {
        uint64_t size = shapes[k];
        for (uint64_t i = 0; i < size; i += 1 + size / 17) {
            assert_int_equal(tlog_prove_inclusion(&tiles, i, size, &p, NULL), ERR_OK);
            for (uint64_t said = 0; said <= SIZE; said++) {
                /* The length of the way is all that a size says; it is signed together with the root. */
                if (includes(w, &p, i, i, said, size) == ERR_OK)
                    assert_true(said == size || p.n > 0);
                if (said != size)
                    assert_int_equal(includes(w, &p, i, i, said, said), ERR_CORRUPT);
            }
        }
        assert_int_equal(tlog_prove_consistency(&tiles, size / 2, size, &p, NULL), ERR_OK);
        for (uint64_t said = size / 2; size / 2 && said <= SIZE; said++)
            if (said != size)
                assert_int_equal(consistent(w, &p, size / 2, size / 2, said, said), ERR_CORRUPT);
    }
}

static void no_bit_of_a_proof_can_be_another(void **state)
{
    struct forest *w = *state;
    const struct tlog_tiles tiles = grove_tiles(w->grove);
    struct tlog_proof p;
    for (size_t k = 0; k < COUNT(shapes); k++) {
        uint64_t size = shapes[k], i = size * 2 / 3, old = size / 3 + 1;
        assert_int_equal(tlog_prove_inclusion(&tiles, i, size, &p, NULL), ERR_OK);
        for (unsigned bit = 0; bit < p.n * SHA256_BYTES * 8; bit++) {
            unsigned char *byte = &p.v[bit / 256].b[bit / 8 % SHA256_BYTES];
            *byte ^= (unsigned char)(1u << bit % 8);
            assert_int_equal(includes(w, &p, i, i, size, size), ERR_CORRUPT);
            *byte ^= (unsigned char)(1u << bit % 8);
        }
        assert_int_equal(tlog_prove_consistency(&tiles, old, size, &p, NULL), ERR_OK);
        for (unsigned bit = 0; bit < p.n * SHA256_BYTES * 8; bit++) {
            unsigned char *byte = &p.v[bit / 256].b[bit / 8 % SHA256_BYTES];
            *byte ^= (unsigned char)(1u << bit % 8);
            assert_int_equal(consistent(w, &p, old, old, size, size), ERR_CORRUPT);
            *byte ^= (unsigned char)(1u << bit % 8);
        }
    }
}

static void a_proof_with_a_hash_too_few_or_too_many_proves_nothing(void **state)
{
    struct forest *w = *state;
    const struct tlog_tiles tiles = grove_tiles(w->grove);
    struct tlog_proof p;
    for (uint64_t size = 1; size <= SIZE; size += 7)
        for (uint64_t i = 0; i < size; i += 5) {
            assert_int_equal(tlog_prove_inclusion(&tiles, i, size, &p, NULL), ERR_OK);
            p.v[p.n] = w->root[size];
            p.n++;
            assert_int_equal(includes(w, &p, i, i, size, size), ERR_CORRUPT);
            p.n--;
            if (p.n) {
                p.n--;
                assert_int_equal(includes(w, &p, i, i, size, size), ERR_CORRUPT);
            }
            assert_int_equal(tlog_prove_consistency(&tiles, i, size, &p, NULL), ERR_OK);
            p.v[p.n] = w->root[size];
            p.n++;
            assert_int_equal(consistent(w, &p, i, i, size, size), ERR_CORRUPT);
            p.n--;
            if (p.n) {
                p.n--;
                assert_int_equal(consistent(w, &p, i, i, size, size), ERR_CORRUPT);
            }
        }
    p.n = TLOG_PROOF + 1;
    assert_int_equal(includes(w, &p, 1, 1, SIZE, SIZE), ERR_CORRUPT);
    assert_int_equal(consistent(w, &p, 1, 1, SIZE, SIZE), ERR_CORRUPT);
}

static void what_does_not_fit_the_tree_is_not_proved(void **state)
{
    struct forest *w = *state;
    const struct tlog_tiles tiles = grove_tiles(w->grove);
    struct tlog_proof p = {.n = 0};
    struct fault f;
    assert_int_equal(tlog_prove_inclusion(&tiles, 600, 600, &p, &f), ERR_PARAMS);
    assert_string_equal(f.text, "a tree of 600 leaves has no leaf 600");
    assert_int_equal(tlog_prove_consistency(&tiles, 601, 600, &p, &f), ERR_PARAMS);
    assert_int_equal(tlog_prove_inclusion(&tiles, 0, UINT64_MAX, &p, &f), ERR_PARAMS);
    assert_int_equal(tlog_prove_inclusion(&tiles, 0, 100000, &p, &f), ERR_NOT_FOUND);
    assert_int_equal(tlog_check_inclusion(&p, 0, &w->leaf[0], 0, &w->root[0], &f), ERR_CORRUPT);
}

static void an_old_tree_that_is_empty_has_the_empty_root(void **state)
{
    struct forest *w = *state;
    struct tlog_proof p = {.n = 0};
    assert_int_equal(consistent(w, &p, 0, 0, 600, 600), ERR_OK);
    assert_int_equal(consistent(w, &p, 0, 1, 600, 600), ERR_CORRUPT);
    assert_int_equal(consistent(w, &p, 600, 600, 600, 600), ERR_OK);
    assert_int_equal(consistent(w, &p, 600, 599, 600, 600), ERR_CORRUPT);
}

static void proofs_of_a_large_tree_need_few_tiles_and_no_partial_ones_above_the_leaves(void **state)
{
    (void)state;
    const uint64_t size = 70000, at[] = {0, 1, 255, 256, 65535, 65536, 69887, 69888, 69999};
    struct grove *g = grove_new(size);
    const struct tlog_tiles tiles = grove_tiles(g);
    struct tlog_hash root, leaf, old_root;
    struct tlog_proof p, again;
    struct fault f;
    tlog_tree_root(&g->tree, &root);
    for (size_t i = 0; i < COUNT(at); i++) {
        g->bare = false;
        g->reads = 0;
        assert_int_equal(tlog_prove_inclusion(&tiles, at[i], size, &p, &f), ERR_OK);
        assert_in_range(g->reads, 1, 7);
        grove_leaf(at[i], &leaf);
        assert_int_equal(tlog_check_inclusion(&p, at[i], &leaf, size, &root, &f), ERR_OK);
        g->bare = true;
        assert_int_equal(tlog_prove_inclusion(&tiles, at[i], size, &again, &f), ERR_OK);
        assert_memory_equal(p.v, again.v, p.n * sizeof(p.v[0]));
        assert_int_equal(tlog_prove_consistency(&tiles, at[i], size, &p, &f), ERR_OK);
        assert_int_equal(tlog_root(&tiles, at[i], &old_root, &f), ERR_OK);
        assert_int_equal(tlog_check_consistency(&p, at[i], &old_root, size, &root, &f), ERR_OK);
    }
    grove_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_leaf_is_proved_in_every_tree),
        cmocka_unit_test(every_tree_is_proved_to_be_a_beginning_of_every_later_one),
        cmocka_unit_test(a_size_that_is_not_the_tree_s_proves_nothing),
        cmocka_unit_test(no_bit_of_a_proof_can_be_another),
        cmocka_unit_test(a_proof_with_a_hash_too_few_or_too_many_proves_nothing),
        cmocka_unit_test(what_does_not_fit_the_tree_is_not_proved),
        cmocka_unit_test(an_old_tree_that_is_empty_has_the_empty_root),
        cmocka_unit_test(proofs_of_a_large_tree_need_few_tiles_and_no_partial_ones_above_the_leaves),
    };
    return cmocka_run_group_tests(tests, forest_grow, forest_fell);
}
