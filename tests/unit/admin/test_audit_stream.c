/* One turn of a stream of the record: what is read, as which events, and where it stops. */
#include "../unit.h"

#include "../audit/record.h"
#include "admin/audit_stream.h"
#include "audit/segment.h"

struct turn {
    struct record *record;
    struct audit_stream s;
    struct fault fault;
};

static void turn_begin(struct turn *t, void **state)
{
    *t = (struct turn){.record = *state, .s = {.dir = ((struct record *)*state)->dir}};
    arena_init(&t->s.arena, 1u << 20);
    record_open(t->record);
}

static void turn_end(struct turn *t)
{
    audit_reader_close(t->s.reader);
    buf_done(&t->s.out);
    arena_done(&t->s.arena);
}

/* Reads on, and answers how many events of that name came. */
static unsigned turn_read(struct turn *t, const char *event)
{
    buf_done(&t->s.out);
    if (audit_stream_read(&t->s, &t->fault))
        fail_msg("%s", t->fault.text);
    struct str rest = buf_view(&t->s.out), line, name;
    unsigned n = 0;
    while (rest.n) {
        str_cut(&rest, '\n', &line);
        str_cut(&line, ':', &name);
        n += str_is(name, "event") && str_is(str_trim(line), event);
    }
    return n;
}

static void nothing_is_shown_before_it_is_committed(void **state)
{
    struct turn t;
    turn_begin(&t, state);
    record_notes(t.record, 10);
    t.s.until = 4; /* the others are in the file, and not known to be on the disk */
    assert_int_equal(turn_read(&t, "entry"), 4);
    assert_int_equal(t.s.at, 4);
    assert_int_equal(turn_read(&t, "entry"), 0);
    t.s.until = 9;
    assert_int_equal(turn_read(&t, "entry"), 5);
    assert_int_equal(t.s.at, 9);
    turn_end(&t);
}

static void one_turn_makes_a_slice_and_the_next_goes_on_behind_it(void **state)
{
    struct turn t;
    unsigned turns = 0, entries = 0;
    turn_begin(&t, state);
    record_notes(t.record, 2000);
    t.s.until = audit_committed(t.record->audit);
    while (t.s.at < t.s.until) {
        entries += turn_read(&t, "entry");
        assert_in_range(t.s.out.n, 1, AUDIT_STREAM_SLICE + 4096);
        turns++;
    }
    assert_int_equal(entries, t.s.until);
    assert_true(turns > 5);
    turn_end(&t);
}

static void what_is_passed_over_moves_the_id(void **state)
{
    struct turn t;
    turn_begin(&t, state);
    record_notes(t.record, 3000);
    t.s.until = audit_committed(t.record->audit);
    t.s.wants.agent = STR("agt_2");
    assert_int_equal(turn_read(&t, "entry"), 0);
    assert_true(t.s.at > 1024 && t.s.noted >= 1024);
    assert_true(str_starts(buf_view(&t.s.out), STR("id: 1024\n\n")));
    assert_true(t.s.out.n < 100);
    turn_end(&t);
}

static void a_value_is_compared_whole(void **state)
{
    static const struct {
        struct audit_stream_wants wants;
        unsigned shown;
    } cases[] = {
        {{.agent = {"agt_1", 5}}, 5},        {{.agent = {"agt_", 4}}, 0},
        {{.tool = {"desk/lookup", 11}}, 5},  {{.tool = {"desk", 4}}, 0},
        {{.event = {"TOOL_RESULT", 11}}, 5}, {{.event = {"TOOL_RESULT", 11}, .agent = {"agt_2", 5}}, 0},
        {{.agent = {"TOOL_RESULT", 11}}, 0}, /* it stands in the bytes, as something else */
        {{.session = {"\"", 1}}, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct turn t;
        turn_begin(&t, state);
        if (i == 0)
            record_notes(t.record, 5);
        t.s.until = audit_committed(t.record->audit);
        t.s.wants = cases[i].wants;
        unsigned shown = turn_read(&t, "entry");
        turn_end(&t);
        record_close(t.record);
        if (shown != cases[i].shown)
            fail_msg("case %zu: %u entries are shown", i, shown);
    }
}

static void what_is_gone_is_said_unless_it_was_not_asked_for(void **state)
{
    struct turn t;
    char path[4096];
    ((struct record *)*state)->conf.segment_bytes = 1; /* each holds one bundle of 256 */
    turn_begin(&t, state);
    record_notes(t.record, 300);
    segment_path(t.record->dir, 1, path);
    assert_int_equal(unlink(path), 0);
    t.s.until = audit_committed(t.record->audit);
    t.s.at = 1;
    assert_int_equal(turn_read(&t, "pruned"), 1);
    assert_true(
        str_starts(buf_view(&t.s.out), STR("id: 256\nevent: pruned\ndata: {\"from\":2,\"to\":256}\n\nid: 257\n")));
    assert_int_equal(t.s.at, t.s.until);
    audit_reader_close(t.s.reader);
    t.s.reader = NULL;
    t.s.at = 0;
    t.s.from_start = true;
    assert_int_equal(turn_read(&t, "pruned"), 0);
    turn_end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, record_setup, record_teardown)
        T(nothing_is_shown_before_it_is_committed),
        T(one_turn_makes_a_slice_and_the_next_goes_on_behind_it),
        T(what_is_passed_over_moves_the_id),
        T(a_value_is_compared_whole),
        T(what_is_gone_is_said_unless_it_was_not_asked_for),
#undef T
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
