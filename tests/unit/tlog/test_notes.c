/* Signed notes, keys and checkpoints: what other programs wrote, and what is refused. */
#include "../unit.h"
#include "tlog/note.h"

#include <stdlib.h>

/* The example of golang.org/x/mod/sumdb/note. */
#define NEUMANN        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define NEUMANN_SECRET "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
#define TEXT           "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
#define SIGNATURE                                                                                                      \
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"

struct desk {
    struct note note;
    struct buf buf;
    struct note_signer signer;
};

static int desk_open(void **state)
{
    struct desk *d = calloc(1, sizeof(*d));
    buf_init(&d->buf, 4u << 20);
    *state = d;
    return 0;
}

static int desk_close(void **state)
{
    struct desk *d = *state;
    buf_done(&d->buf);
    note_signer_done(&d->signer);
    free(d);
    return 0;
}

static void neumann(struct desk *d)
{
    struct secret *s CLEANUP(secret_freep) = secret_new(NEUMANN_SECRET, sizeof(NEUMANN_SECRET) - 1);
    assert_int_equal(note_signer_parse(s, &d->signer, NULL), ERR_OK);
}

static void note_of_another_program_is_verified(void **state)
{
    struct desk *d = *state;
    struct note_verifier v;
    uint64_t time = 1;
    assert_int_equal(note_verifier_parse(STR(NEUMANN), &v, NULL), ERR_OK);
    assert_int_equal(note_parse(STR(TEXT "\n" SIGNATURE), &d->note, NULL), ERR_OK);
    assert_true(str_is(d->note.text, TEXT));
    assert_int_equal(d->note.count, 1);
    assert_true(str_is(d->note.signature[0].line, SIGNATURE));
    assert_int_equal(note_verify(&d->note, &v, &time, NULL), ERR_OK);
    assert_int_equal(time, 0);
}

static void our_signature_is_that_of_the_other_program(void **state)
{
    struct desk *d = *state;
    neumann(d);
    assert_int_equal(note_sign(STR(TEXT), &d->signer, 0, &d->buf, NULL), ERR_OK);
    assert_true(str_is(buf_view(&d->buf), SIGNATURE));
    buf_clear(&d->buf);
    note_verifier_write(&d->signer.public, &d->buf);
    assert_true(str_is(buf_view(&d->buf), NEUMANN));
}

static void signer_is_read_as_it_was_written(void **state)
{
    struct desk *d = *state;
    struct secret *s CLEANUP(secret_freep) = NULL;
    neumann(d);
    assert_int_equal(note_signer_write(&d->signer, &s, NULL), ERR_OK);
    assert_true(secret_eq(s, STR(NEUMANN_SECRET)));
}

static void no_letter_of_a_signed_text_can_be_another(void **state)
{
    struct desk *d = *state;
    struct note_verifier v;
    struct fault f;
    char bytes[] = TEXT "\n" SIGNATURE;
    assert_int_equal(note_verifier_parse(STR(NEUMANN), &v, NULL), ERR_OK);
    for (size_t i = 0; i < sizeof(TEXT) - 2; i++) {
        bytes[i] ^= 1;
        enum err e = note_parse((struct str){bytes, sizeof(bytes) - 1}, &d->note, &f);
        if (!e)
            assert_int_equal(note_verify(&d->note, &v, NULL, &f), ERR_CORRUPT);
        bytes[i] ^= 1;
    }
}

static void signature_of_another_key_is_none(void **state)
{
    struct desk *d = *state;
    struct fault f;
    assert_int_equal(note_signer_new(STR("PeterNeumann"), NOTE_ED25519, &d->signer, NULL), ERR_OK);
    assert_int_equal(note_parse(STR(TEXT "\n" SIGNATURE), &d->note, NULL), ERR_OK);
    assert_int_equal(note_verify(&d->note, &d->signer.public, NULL, &f), ERR_NOT_FOUND);
}

/* Witnesses sign the text and when they saw it; a key is for one kind of signature only. */
static void cosignature_says_when(void **state)
{
    struct desk *d = *state;
    struct note_verifier plain;
    struct fault f;
    uint64_t time = 0;
    assert_int_equal(note_signer_new(STR("witness.example/w1"), NOTE_COSIGNATURE, &d->signer, NULL), ERR_OK);
    buf_z(&d->buf, TEXT "\n");
    assert_int_equal(note_sign(STR(TEXT), &d->signer, 1764000000, &d->buf, NULL), ERR_OK);
    assert_int_equal(note_parse(buf_view(&d->buf), &d->note, NULL), ERR_OK);
    assert_int_equal(d->note.signature[0].n, 72);
    assert_int_equal(note_verify(&d->note, &d->signer.public, &time, NULL), ERR_OK);
    assert_int_equal(time, 1764000000);
    d->note.signature[0].bytes[7] ^= 1; /* another time */
    assert_int_equal(note_verify(&d->note, &d->signer.public, &time, &f), ERR_CORRUPT);
    d->note.signature[0].bytes[7] ^= 1;
    plain = d->signer.public;
    plain.alg = NOTE_ED25519;
    assert_int_equal(note_verify(&d->note, &plain, &time, &f), ERR_CORRUPT);
}

static void signatures_of_unknown_kinds_do_not_disturb(void **state)
{
    struct desk *d = *state;
    struct note_verifier v;
    char b64[6000];
    static unsigned char big[4 + 2420]; /* as long as one of ML-DSA-44 */
    enc_b64(big, sizeof(big), b64);
    buf_z(&d->buf, TEXT "\n");
    buf_fmt(&d->buf, "— somebody.example/else AAAAAAAA\n— post.example/quantum %s\n", b64);
    buf_z(&d->buf, SIGNATURE);
    assert_int_equal(note_verifier_parse(STR(NEUMANN), &v, NULL), ERR_OK);
    assert_int_equal(note_parse(buf_view(&d->buf), &d->note, NULL), ERR_OK);
    assert_int_equal(d->note.count, 3);
    assert_int_equal(note_verify(&d->note, &v, NULL, NULL), ERR_OK);
}

static void what_is_no_note_is_refused(void **state)
{
    struct desk *d = *state;
    static const char *const wrong[] = {
        "",
        TEXT,
        SIGNATURE,
        TEXT SIGNATURE,
        TEXT "\n",
        TEXT "\n\n",
        TEXT "\n" SIGNATURE "more\n",
        TEXT "\n- PeterNeumann x08go/ZJkuBS9UG=\n",
        TEXT "\n— PeterNeumann\n",
        TEXT "\n— PeterNeumann \n",
        TEXT "\n—  x08go/ZJ\n",
        TEXT "\n— Peter Neumann x08go/ZJ\n",
        TEXT "\n— Peter+Neumann x08go/ZJ\n",
        TEXT "\n— PeterNeumann x08go/ZJkuBS9UG\n",
        TEXT "\n— PeterNeumann x08goA==\n", /* no signature behind the hash */
        TEXT "\r\n\n" SIGNATURE,
        "\xff\n\n" SIGNATURE,
        TEXT "\n— PeterNeumann x08go/ZJkuBS", /* no end */
    };
    struct fault f;
    for (size_t i = 0; i < COUNT(wrong); i++)
        if (note_parse(str_of(wrong[i]), &d->note, &f) != ERR_SYNTAX)
            fail_msg("note %zu was taken for one", i);
    buf_z(&d->buf, TEXT "\n");
    for (unsigned i = 0; i <= NOTE_SIGNATURES; i++)
        buf_z(&d->buf, SIGNATURE);
    assert_int_equal(note_parse(buf_view(&d->buf), &d->note, &f), ERR_SYNTAX);
}

static void key_is_refused_with_what_is_wrong_with_it(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy1w==",
        "PeterNeumann+c74f20a3+AhpC2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        NEUMANN_SECRET,
    };
    struct note_verifier v;
    struct fault f;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        f.text[0] = 0;
        if (!note_verifier_parse(str_of(wrong[i]), &v, &f) || !f.text[0])
            fail_msg("%s was taken for a key", wrong[i]);
    }
    assert_int_equal(note_verifier_parse(STR("  " NEUMANN "\n"), &v, &f), ERR_OK);
}

static void checkpoint_is_read_and_written_as_it_was(void **state)
{
    struct desk *d = *state;
    struct checkpoint c;
    struct str text = STR("example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n");
    assert_int_equal(checkpoint_parse(text, &c, NULL), ERR_OK);
    assert_true(str_is(c.origin, "example.com/behind-the-sofa"));
    assert_int_equal(c.size, 20852163);
    assert_int_equal(c.root.b[0], 0x0a);
    checkpoint_write(&c, &d->buf);
    assert_true(str_eq(buf_view(&d->buf), text));
    assert_int_equal(
        checkpoint_parse(STR("a\n0\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\nmore\nlines\n"), &c, NULL), ERR_OK);
}

static void what_is_no_checkpoint_is_refused(void **state)
{
    (void)state;
#define ROOT "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
    static const char *const wrong[] = {
        "",
        "a\n",
        "a\n1\n",
        "a\n1\n" ROOT,
        "\n1\n" ROOT "\n",
        "a\n01\n" ROOT "\n",
        "a\n-1\n" ROOT "\n",
        "a\n9223372036854775808\n" ROOT "\n",
        "a\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I\n",
        "a\n1\nAAAA\n",
        "a\n1\n" ROOT "\n\n",
        "a\n1\n" ROOT "\nmore\n\nlines\n",
        "a\n1\n" ROOT "\nmore",
    };
#undef ROOT
    struct checkpoint c;
    struct fault f;
    for (size_t i = 0; i < COUNT(wrong); i++)
        if (checkpoint_parse(str_of(wrong[i]), &c, &f) != ERR_SYNTAX)
            fail_msg("checkpoint %zu was taken for one", i);
}

/* An anchor's file: what was cut off costs itself and no whole note. */
static void notes_in_one_file_are_found_and_halves_passed_over(void **state)
{
    struct desk *d = *state;
#define NOTE TEXT "\n" SIGNATURE
    static const struct {
        const char *file;
        size_t notes, passed;
    } files[] = {
        {"", 0, 0},
        {"\n\n\n", 0, 0},
        {NOTE, 1, 0},
        {NOTE "\n", 1, 0},
        {NOTE "\n" NOTE "\n", 2, 0},
        {"If you th\n\n" NOTE "\n", 1, 1},
        {NOTE "\n" TEXT "\n\n" NOTE, 2, 1},
        {NOTE "\n" TEXT "\n— PeterNeumann x08g\n\n" NOTE "\n", 2, 1},
        {NOTE "\n" TEXT "\n— Pe", 1, 1},
        {NOTE "\n" SIGNATURE "\n" NOTE, 2, 1},
        {TEXT "\n\n" SIGNATURE "\n", 0, 2},
        {"nothing of the kind\n", 0, 1},
    };
    for (size_t i = 0; i < COUNT(files); i++) {
        struct str rest = str_of(files[i].file), note;
        size_t notes = 0, passed = 0;
        while (note_next(&rest, &d->note, &note, &passed)) {
            assert_true(str_is(note, NOTE));
            notes++;
        }
        if (notes != files[i].notes || passed != files[i].passed)
            fail_msg("file %zu: %zu notes, passed over %zu", i, notes, passed);
    }
#undef NOTE
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, desk_open, desk_close)
        T(note_of_another_program_is_verified),        T(our_signature_is_that_of_the_other_program),
        T(signer_is_read_as_it_was_written),           T(no_letter_of_a_signed_text_can_be_another),
        T(signature_of_another_key_is_none),           T(cosignature_says_when),
        T(signatures_of_unknown_kinds_do_not_disturb), T(what_is_no_note_is_refused),
        T(key_is_refused_with_what_is_wrong_with_it),  T(checkpoint_is_read_and_written_as_it_was),
        T(what_is_no_checkpoint_is_refused),           T(notes_in_one_file_are_found_and_halves_passed_over),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
