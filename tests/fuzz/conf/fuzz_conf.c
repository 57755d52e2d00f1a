/*
 * A doorward.yaml. Whatever the bytes are: no crash; every refusal is lines of file:line:column and words, at most
 * CONF_FAULTS of them; what is accepted dumps to JSON that is accepted again and dumps the same, secrets aside.
 */
#include "../fuzz.h"
#include "base/json.h"
#include "conf/conf.h"

/* "f:LINE:COLUMN: " and words, all of one line. */
static void fault_checked(struct str line)
{
    struct str part;
    uint64_t number;
    line_checked(line);
    CHECK(str_cut(&line, ':', &part) && str_is(part, "f"));
    if (str_starts(line, STR(" and "))) /* "f: and 7 more", the last line */
        return;
    CHECK(str_cut(&line, ':', &part) && str_u64(part, &number) && number > 0);
    CHECK(str_cut(&line, ':', &part) && str_u64(part, &number) && number > 0);
    CHECK(line.n > 1 && line.p[0] == ' ');
}

static void faults_checked(struct str text)
{
    size_t lines = 0;
    struct str line;
    CHECK(text.n && text.p[text.n - 1] == '\n');
    for (text.n--; text.n; lines++) {
        str_cut(&text, '\n', &line);
        fault_checked(line);
    }
    CHECK(lines > 0 && lines <= CONF_FAULTS + 1);
}

/* The dump with operators' tokens written so that they may stand in a file. */
static void dumped(const struct conf *c, struct buf *out)
{
    static const char shown[] = "\"token\":\"[secret]\"";
    struct buf b;
    buf_init(&b, 64u << 20);
    conf_dump(c, &b);
    CHECK(!buf_failed(&b));
    struct str rest = buf_view(&b);
    for (const char *at; (at = memmem(rest.p, rest.n, shown, sizeof(shown) - 1));) {
        size_t n = (size_t)(at - rest.p);
        buf_put(out, rest.p, n);
        buf_z(out, "\"token\":\"${DOORWARD_FUZZ_TOKEN}\"");
        rest = str_skip(rest, n + sizeof(shown) - 1);
    }
    buf_str(out, rest);
    buf_done(&b);
}

static void accepted_again(const struct conf *c)
{
    struct buf first, second, faults;
    struct conf *again = NULL;
    buf_init(&first, 64u << 20);
    buf_init(&second, 64u << 20);
    buf_init(&faults, 1u << 20);
    dumped(c, &first);
    /* A value that was put together from parts may look like a reference; and a dump may be longer than a file. */
    bool comparable = first.n <= CONF_FILE_BYTES;
    for (struct str s = buf_view(&first); s.n && comparable; s = str_skip(s, 1))
        if (str_starts(s, STR("${")) && !str_starts(s, STR("${DOORWARD_FUZZ_TOKEN}")))
            comparable = false;
    if (comparable && conf_parse(buf_view(&first), "f", "/d", &again, &faults)) {
        fprintf(stderr, STR_FMT "\n" STR_FMT, STR_ARG(buf_view(&first)), STR_ARG(buf_view(&faults)));
        abort();
    }
    if (again) {
        dumped(again, &second);
        CHECK(str_eq(buf_view(&first), buf_view(&second)));
    }
    conf_unref(again);
    buf_done(&first);
    buf_done(&second);
    buf_done(&faults);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct buf faults;
    struct conf *c = NULL;
    setenv("DOORWARD_FUZZ_TOKEN", "0123456789abcdef", 1);
    buf_init(&faults, 1u << 20);
    enum err e = conf_parse((struct str){(const char *)p, n}, "f", "/d", &c, &faults);
    CHECK(e == ERR_OK || e == ERR_CONFIG || e == ERR_NOMEM);
    CHECK((e == ERR_OK) == (c != NULL));
    if (e == ERR_CONFIG)
        faults_checked(buf_view(&faults));
    if (c) {
        CHECK(faults.n == 0);
        accepted_again(c);
    }
    conf_unref(c);
    buf_done(&faults);
    return 0;
}
