/* Any bytes as a proof's file: what is taken is written as it was, and proves nothing about a tree that is not its. */
#include "../fuzz.h"
#include "tlog/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct str bytes = {(const char *)p, n};
    const struct tlog_hash none = {{0}}, other = {{1}};
    struct proof_file file;
    struct arena a;
    struct buf out;
    struct fault f;
    arena_init(&a, 4u << 20);
    buf_init(&out, 16u << 20);
    enum err e = proof_file_parse(bytes, &a, &file, &f);
    words_checked(e, &f);
    CHECK(e == ERR_OK || e == ERR_SYNTAX);
    if (!e) {
        CHECK(file.proof.n <= TLOG_PROOF && file.extra.n <= PROOF_EXTRA);
        proof_file_write(&file, &out);
        CHECK(str_eq(buf_view(&out), bytes));
        for (uint64_t size = 1; size <= file.index + 2 && size < 300; size++)
            CHECK(tlog_check_inclusion(&file.proof, file.index, &none, size, &other, &f) == ERR_CORRUPT);
        CHECK(tlog_check_inclusion(&file.proof, file.index, &none, UINT64_MAX >> 1, &other, &f) == ERR_CORRUPT);
        CHECK(tlog_check_consistency(&file.proof, file.index, &none, file.index + n, &other, &f) == ERR_CORRUPT);
    }
    buf_done(&out);
    arena_done(&a);
    return 0;
}
