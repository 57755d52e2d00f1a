/* What a witness is asked: C2SP tlog-witness, "add-checkpoint". */
#include "tlog/lines.h"
#include "tlog/note.h"

enum { WITNESS_PROOF = 63 };

void witness_request_write(uint64_t old_size, const struct tlog_proof *p, struct str checkpoint, struct buf *out)
{
    buf_fmt(out, "old %llu\n", (unsigned long long)old_size);
    tlog_put_proof(p, out);
    buf_str(out, checkpoint);
}

enum err witness_request_parse(struct str body, struct witness_request *ret, struct fault *f)
{
    struct witness_request r;
    struct str line;
    if (!tlog_line(&body, &line) || !tlog_line_number(line, STR("old"), &r.old_size))
        return fault_set(f, ERR_SYNTAX, "line 1 must be \"old\" and the size of the tree that is known");
    TRY(tlog_lines_proof(&body, 2, WITNESS_PROOF, &r.proof, f));
    if (!body.n || body.n > NOTE_BYTES)
        return fault_set(f, ERR_SYNTAX, "a checkpoint must follow the proof");
    r.checkpoint = body;
    *ret = r;
    return ERR_OK;
}
