/* Any bytes as what a witness is asked: what is taken is written as it was. */
#include "../fuzz.h"
#include "tlog/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct str bytes = {(const char *)p, n};
    struct witness_request r;
    struct buf out;
    struct fault f;
    buf_init(&out, 16u << 20);
    enum err e = witness_request_parse(bytes, &r, &f);
    words_checked(e, &f);
    CHECK(e == ERR_OK || e == ERR_SYNTAX);
    if (!e) {
        CHECK(r.proof.n <= 63);
        witness_request_write(r.old_size, &r.proof, r.checkpoint, &out);
        CHECK(str_eq(buf_view(&out), bytes));
    }
    buf_done(&out);
    return 0;
}
