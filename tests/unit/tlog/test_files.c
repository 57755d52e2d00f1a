/* Proofs in a file, and what a witness is asked. */
#include "../unit.h"
#include "tlog/note.h"

#define HEAD   "c2sp.org/tlog-proof@v1\n"
#define HASH_A "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n"
#define HASH_B "B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=\n"
#define CHECKPOINT                                                                                                     \
    "example.com/log\n109482\nsFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=\n\n— example.com/log hI2DJwAA\n"

struct pot {
    struct arena arena;
    struct buf buf;
};

static int pot_new(void **state)
{
    static struct pot p;
    arena_init(&p.arena, 8u << 20);
    buf_init(&p.buf, 16u << 20);
    *state = &p;
    return 0;
}

static int pot_free(void **state)
{
    struct pot *p = *state;
    arena_done(&p->arena);
    buf_done(&p->buf);
    return 0;
}

static void proof_is_read_and_written_as_it_was(void **state)
{
    struct pot *w = *state;
    struct proof_file p;
    struct str text = STR(HEAD "extra eyJzZXEiOjEyfQ==\nindex 73894\n" HASH_A HASH_B "\n" CHECKPOINT);
    assert_int_equal(proof_file_parse(text, &w->arena, &p, NULL), ERR_OK);
    assert_true(str_is(p.extra, "{\"seq\":12}"));
    assert_int_equal(p.index, 73894);
    assert_int_equal(p.proof.n, 2);
    assert_int_equal(p.proof.v[0].b[0], 0x81);
    assert_int_equal(p.proof.v[1].b[31], 0x60);
    assert_true(str_is(p.checkpoint, CHECKPOINT));
    proof_file_write(&p, &w->buf);
    assert_true(str_eq(buf_view(&w->buf), text));
}

static void proof_of_the_only_leaf_has_no_hashes_and_extra_data_may_be_absent(void **state)
{
    struct pot *w = *state;
    struct proof_file p;
    struct str text = STR(HEAD "index 0\n\n" CHECKPOINT);
    assert_int_equal(proof_file_parse(text, &w->arena, &p, NULL), ERR_OK);
    assert_int_equal(p.extra.n, 0);
    assert_int_equal(p.proof.n, 0);
    proof_file_write(&p, &w->buf);
    assert_true(str_eq(buf_view(&w->buf), text));
}

static void what_is_no_proof_is_refused_with_its_line(void **state)
{
    struct pot *w = *state;
    static const char *const wrong[][2] = {
        {"", "a proof's first line must be c2sp.org/tlog-proof@v1"},
        {"c2sp.org/tlog-proof@v2\nindex 0\n\n" CHECKPOINT, "a proof's first line must be c2sp.org/tlog-proof@v1"},
        {HEAD, "line 2 must be \"index\" and the entry's number in the log, from 0 on"},
        {HEAD "index 01\n\n" CHECKPOINT, "line 2 must be \"index\" and the entry's number in the log, from 0 on"},
        {HEAD "index -1\n\n" CHECKPOINT, "line 2 must be \"index\" and the entry's number in the log, from 0 on"},
        {HEAD "index 9223372036854775808\n\n" CHECKPOINT,
         "line 2 must be \"index\" and the entry's number in the log, from 0 on"},
        {HEAD "index\n\n" CHECKPOINT, "line 2 must be \"index\" and the entry's number in the log, from 0 on"},
        {HEAD "index 1\r\n\n" CHECKPOINT, "line 2 must be \"index\" and the entry's number in the log, from 0 on"},
        {HEAD "extra \nindex 1\n\n" CHECKPOINT, "line 2: extra data must be 1 to 1048576 bytes"},
        {HEAD "extra e30\nindex 1\n\n" CHECKPOINT, "line 2: extra data must be base64"},
        {HEAD "extra e30=\nextra e30=\nindex 1\n\n" CHECKPOINT,
         "line 3 must be \"index\" and the entry's number in the log, from 0 on"},
        {HEAD "index 1\nAAAA\n\n" CHECKPOINT, "line 3 must be a SHA-256 hash in base64, or empty"},
        {HEAD "index 1\n" HASH_A, "an empty line and a checkpoint must follow the proof"},
        {HEAD "index 1\n" HASH_A "\n", "a checkpoint must follow the proof"},
        {HEAD "index 1\n" HASH_A CHECKPOINT, "line 4 must be a SHA-256 hash in base64, or empty"},
    };
    struct proof_file p;
    struct fault f;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        assert_int_equal(proof_file_parse(str_of(wrong[i][0]), &w->arena, &p, &f), ERR_SYNTAX);
        assert_string_equal(f.text, wrong[i][1]);
    }
}

static void proof_has_at_most_as_many_hashes_as_any_tree_needs(void **state)
{
    struct pot *w = *state;
    struct proof_file p;
    struct fault f;
    for (unsigned n = TLOG_PROOF; n <= TLOG_PROOF + 1; n++) {
        buf_clear(&w->buf);
        buf_z(&w->buf, HEAD "index 1\n");
        for (unsigned i = 0; i < n; i++)
            buf_z(&w->buf, HASH_A);
        buf_z(&w->buf, "\n" CHECKPOINT);
        assert_int_equal(proof_file_parse(buf_view(&w->buf), &w->arena, &p, &f), n == TLOG_PROOF ? ERR_OK : ERR_SYNTAX);
    }
    assert_string_equal(f.text, "line 67: no proof has more than 64 hashes");
}

static void proof_without_memory_is_an_error(void **state)
{
    (void)state;
    struct arena a;
    struct proof_file p;
    struct fault f;
    arena_init(&a, 1);
    assert_int_equal(proof_file_parse(STR(HEAD "extra e30=\nindex 0\n\n" CHECKPOINT), &a, &p, &f), ERR_NOMEM);
    arena_done(&a);
}

static void witness_is_asked_as_the_protocol_says(void **state)
{
    struct pot *w = *state;
    struct witness_request r;
    struct str text = STR("old 20852014\n" HASH_A HASH_B "\n" CHECKPOINT);
    assert_int_equal(witness_request_parse(text, &r, NULL), ERR_OK);
    assert_int_equal(r.old_size, 20852014);
    assert_int_equal(r.proof.n, 2);
    assert_true(str_is(r.checkpoint, CHECKPOINT));
    witness_request_write(r.old_size, &r.proof, r.checkpoint, &w->buf);
    assert_true(str_eq(buf_view(&w->buf), text));
    buf_clear(&w->buf);
    r.proof.n = 0;
    witness_request_write(0, &r.proof, STR(CHECKPOINT), &w->buf);
    assert_true(str_is(buf_view(&w->buf), "old 0\n\n" CHECKPOINT));
}

static void what_is_no_request_is_refused(void **state)
{
    struct pot *w = *state;
    static const char *const wrong[] = {
        "",
        "old\n\n" CHECKPOINT,
        "old 1",
        "old 01\n\n" CHECKPOINT,
        "older 1\n\n" CHECKPOINT,
        "old  1\n\n" CHECKPOINT,
        "old 1\n" HASH_A,
        "old 1\n" HASH_A "\n",
        "old 1\nx\n\n" CHECKPOINT,
    };
    struct witness_request r;
    struct fault f;
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_int_equal(witness_request_parse(str_of(wrong[i]), &r, &f), ERR_SYNTAX);
    buf_z(&w->buf, "old 1\n");
    for (unsigned i = 0; i < 64; i++)
        buf_z(&w->buf, HASH_A);
    buf_z(&w->buf, "\n" CHECKPOINT);
    assert_int_equal(witness_request_parse(buf_view(&w->buf), &r, &f), ERR_SYNTAX);
    assert_string_equal(f.text, "line 65: no proof has more than 63 hashes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, pot_new, pot_free)
        T(proof_is_read_and_written_as_it_was),
        T(proof_of_the_only_leaf_has_no_hashes_and_extra_data_may_be_absent),
        T(what_is_no_proof_is_refused_with_its_line),
        T(proof_has_at_most_as_many_hashes_as_any_tree_needs),
        T(proof_without_memory_is_an_error),
        T(witness_is_asked_as_the_protocol_says),
        T(what_is_no_request_is_refused),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
