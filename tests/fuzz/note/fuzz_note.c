/*
 * Any bytes as a signed note, as a checkpoint and as a key. A note that is taken is its text, an empty line and its
 * signature lines; a checkpoint and a key are written as they were read; nothing is signed by a key that signed
 * nothing.
 */
#include "../fuzz.h"
#include "tlog/note.h"

static void note_checked(struct str bytes)
{
    static struct note note;
    struct note_verifier v = {.name = "example.com/log", .hash = 0x8483760a, .alg = NOTE_ED25519};
    struct fault f;
    uint64_t time;
    enum err e = note_parse(bytes, &note, &f);
    words_checked(e, &f);
    if (e)
        return;
    CHECK(note.text.p == bytes.p && note.text.n < bytes.n && note.text.p[note.text.n] == '\n');
    const char *at = bytes.p + note.text.n + 1;
    for (unsigned i = 0; i < note.count; i++) {
        CHECK(note.signature[i].line.p == at && note.signature[i].name.n && note.signature[i].n);
        at += note.signature[i].line.n;
    }
    CHECK(at == bytes.p + bytes.n);
    e = note_verify(&note, &v, &time, &f);
    words_checked(e, &f);
    CHECK(e == ERR_NOT_FOUND || e == ERR_CORRUPT);
    v.alg = NOTE_COSIGNATURE;
    CHECK(note_verify(&note, &v, &time, &f));
}

static void checkpoint_checked(struct str bytes, struct buf *out)
{
    struct checkpoint c;
    struct fault f;
    enum err e = checkpoint_parse(bytes, &c, &f);
    words_checked(e, &f);
    if (e)
        return;
    checkpoint_write(&c, out);
    CHECK(str_starts(bytes, buf_view(out))); /* extension lines are passed over */
}

static void key_checked(struct str bytes, struct buf *out)
{
    struct note_verifier v, again;
    struct fault f;
    enum err e = note_verifier_parse(bytes, &v, &f);
    words_checked(e, &f);
    if (e)
        return;
    buf_clear(out);
    note_verifier_write(&v, out);
    CHECK(note_verifier_parse(buf_view(out), &again, &f) == ERR_OK);
    CHECK(again.hash == v.hash && again.alg == v.alg && memcmp(again.key, v.key, sizeof(v.key)) == 0 &&
          strcmp(again.name, v.name) == 0);
}

/* A file of notes: each that is found is one, in order, and it comes to an end. */
static void file_checked(struct str bytes)
{
    static struct note scratch, note;
    struct str rest = bytes, one;
    const char *at = bytes.p;
    size_t passed = 0;
    while (note_next(&rest, &scratch, &one, &passed)) {
        CHECK(one.p >= at && one.p + one.n <= bytes.p + bytes.n);
        CHECK(note_parse(one, &note, NULL) == ERR_OK);
        at = one.p + one.n;
    }
    CHECK(passed <= bytes.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct str bytes = {(const char *)p, n};
    struct buf out;
    buf_init(&out, 4u << 20);
    note_checked(bytes);
    file_checked(bytes);
    checkpoint_checked(bytes, &out);
    key_checked(bytes, &out);
    buf_done(&out);
    return 0;
}
