/* The index's files: lost, damaged, of another record, in the way of one another, and gone with the entries. */
#include "made.h"

#include "search/follow.h"

static void some(struct made *m, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        made_add(m, &(struct made_entry){.agent = i % 3 ? "bert" : "anna", .allowed = 1, .session = "s1"});
}

static bool there(const char *path)
{
    return access(path, F_OK) == 0;
}

static void overwritten(const char *path, off_t at, char with, size_t n)
{
    char bytes[4096];
    int fd = open(path, O_WRONLY);
    memset(bytes, with, n);
    assert_int_equal(pwrite(fd, bytes, n, at), n);
    close(fd);
}

static void a_damaged_file_misleads_nobody_and_is_made_again(void **state)
{
    struct made *m = *state;
    static struct made_found found;
    char path[256], aside[300];
    some(m, 3000);
    made_index(m);
    made_index_path(m, 1, path);
    snprintf(aside, sizeof(aside), "%s.damaged", path);
    const struct {
        off_t at;
        size_t n;
    } damage[] = {{0, 100}, {0, 4096}, {4096, 4096}, {8192, 4096}, {100, 16}, {3 * 4096, 4096}};
    for (size_t i = 0; i < COUNT(damage); i++) {
        overwritten(path, damage[i].at, 0x5a, damage[i].n);
        made_ask(m, (struct search_question){.agent = STR("anna"), .limit = 1000}, &found);
        assert_int_equal(found.n, 1000);
        made_index(m);
        made_ask(m, (struct search_question){.agent = STR("anna"), .limit = 1000}, &found);
        assert_int_equal(found.n, 1000);
        assert_int_equal(found.answer.scanned, 0);
        assert_int_equal(found.answer.damaged, 0);
    }
    assert_true(there(aside));
    assert_int_equal(truncate(path, 5000), 0);
    made_ask(m, (struct search_question){.agent = STR("anna"), .limit = 1000}, &found);
    assert_int_equal(found.n, 1000);
    assert_int_equal(found.answer.damaged, 1);
    made_index(m);
}

static void a_lost_index_is_made_again(void **state)
{
    struct made *m = *state;
    char command[160], path[256];
    some(m, 10);
    made_index(m);
    snprintf(command, sizeof(command), "rm -r %s/index", m->dir);
    assert_int_equal(system(command), 0);
    FINDS(m, "10,7,4,1", .agent = STR("anna"));
    made_index(m);
    made_index_path(m, 1, path);
    assert_true(there(path));
}

/* The record was put back to an older state, and went on from there. */
static void an_index_of_another_record_is_not_believed(void **state)
{
    struct made *m = *state;
    static struct made_found found;
    some(m, 100);
    made_index(m);
    made_segment(m, 1);
    for (unsigned i = 0; i < 120; i++)
        made_add(m, &(struct made_entry){.agent = i == 50 ? "anna" : "carl", .allowed = 1});
    made_ask(m, (struct search_question){.agent = STR("anna")}, &found);
    assert_int_equal(found.n, 1);
    assert_int_equal(found.seq[0], 51);
    assert_int_equal(found.answer.damaged, 1);
    made_index(m);
    made_ask(m, (struct search_question){.agent = STR("anna")}, &found);
    assert_int_equal(found.n, 1);
    assert_int_equal(found.answer.scanned, 0);
    made_segment(m, 1);
    some(m, 5);
    FINDS(m, "4,1", .agent = STR("anna"));
    made_index(m);
    FINDS(m, "4,1", .agent = STR("anna"));
}

static void whoever_may_not_write_still_asks(void **state)
{
    struct made *m = *state;
    char path[256], command[512];
    if (geteuid() == 0) { /* to whom nothing is forbidden: by a folder that cannot be one */
        snprintf(path, sizeof(path), "%s/index", m->dir);
        close(open(path, O_CREAT | O_WRONLY, 0600));
        some(m, 4);
        struct fault f;
        assert_int_equal(index_build(m->dir, NULL, NULL, &f), ERR_IO);
        FINDS(m, "4,1", .agent = STR("anna"));
        return;
    }
    some(m, 4);
    made_index(m);
    snprintf(command, sizeof(command), "chmod a-w %s/index %s/index/*", m->dir, m->dir);
    assert_int_equal(system(command), 0);
    FINDS(m, "4,1", .agent = STR("anna"));
}

/* As it lies after a clean stop and is read by somebody who cannot make files there: in write-ahead mode, without a
 * log. */
static void a_file_in_write_ahead_mode_is_read_without_its_log(void **state)
{
    struct made *m = *state;
    char path[256], log[300];
    static struct made_found found;
    some(m, 4);
    made_index(m);
    made_index_path(m, 1, path);
    snprintf(log, sizeof(log), "%s-wal", path);
    assert_false(there(log));
    snprintf(log, sizeof(log), "%s-shm", path);
    assert_int_equal(mkdir(log, 0700), 0); /* nobody can make it */
    made_ask(m, (struct search_question){.agent = STR("anna")}, &found);
    assert_int_equal(rmdir(log), 0);
    assert_int_equal(found.n, 2);
    assert_int_equal(found.answer.scanned, 0);
}

static void one_writes_and_others_read(void **state)
{
    struct made *m = *state;
    static struct made_found found;
    struct follow *w, *second;
    struct fault f = {.text = ""};
    some(m, 10);
    assert_int_equal(follow_open(m->dir, 1 << 20, false, &w, &f), ERR_OK);
    assert_int_equal(follow_open(m->dir, 1 << 20, false, &second, &f), ERR_CONFLICT);
    assert_non_null(strstr(f.text, "another process"));
    assert_int_equal(follow_run(w, 6, NULL, NULL, NULL, &f), ERR_OK);
    assert_int_equal(w->at, 6);
    made_ask(m, (struct search_question){.agent = STR("anna")}, &found);
    assert_int_equal(found.answer.indexed, 6);
    assert_int_equal(found.answer.scanned, 4);
    assert_int_equal(found.n, 4);
    assert_int_equal(follow_run(w, 10, NULL, NULL, NULL, &f), ERR_OK);
    made_ask(m, (struct search_question){.agent = STR("anna")}, &found);
    assert_int_equal(found.answer.scanned, 0);
    assert_int_equal(found.n, 4);
    follow_close(w);
}

static void boot_is(const struct made *m, const char *boot)
{
    char path[256], sql[128];
    sqlite3 *db;
    made_index_path(m, 1, path);
    snprintf(sql, sizeof(sql), "UPDATE about SET boot = '%s'", boot);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

/* The machine lost its power: nobody knows what of the index got to the disk. */
static void what_was_being_written_when_the_machine_stopped_is_not_believed(void **state)
{
    struct made *m = *state;
    static struct made_found found;
    some(m, 10);
    made_index(m);
    boot_is(m, "of another day");
    made_ask(m, (struct search_question){.agent = STR("anna")}, &found);
    assert_int_equal(found.n, 4);
    assert_int_equal(found.answer.scanned, 10);
    assert_int_equal(found.answer.damaged, 1);
    made_index(m);
    made_ask(m, (struct search_question){.agent = STR("anna")}, &found);
    assert_int_equal(found.answer.scanned, 0);
}

/* Only what is committed is entered. */
static void nothing_behind_what_was_asked_for_is_entered(void **state)
{
    struct made *m = *state;
    struct follow *w;
    struct fault f;
    some(m, 10);
    assert_int_equal(follow_open(m->dir, 1 << 20, false, &w, &f), ERR_OK);
    for (uint64_t upto = 1; upto <= 10; upto++) {
        assert_int_equal(follow_run(w, upto, NULL, NULL, NULL, &f), ERR_OK);
        assert_int_equal(w->at, upto);
    }
    follow_close(w);
    FINDS(m, "10,7,4,1", .agent = STR("anna"));
}

static void a_file_is_followed_by_the_next(void **state)
{
    struct made *m = *state;
    static struct made_found found;
    char path[256];
    made_drop_segment(m, 1);
    made_segment(m, (1 << 20) - 255);
    some(m, 600);
    made_index(m);
    made_index_path(m, 1, path);
    assert_true(there(path));
    made_index_path(m, (1 << 20) + 1, path);
    assert_true(there(path));
    for (unsigned oldest = 0; oldest < 2; oldest++) {
        made_ask(m, (struct search_question){.agent = STR("anna"), .limit = 33, .oldest_first = oldest}, &found);
        assert_int_equal(found.n, 200);
        assert_int_equal(found.answer.scanned, 0);
        for (size_t i = 0; i < found.n; i++)
            assert_int_equal(found.seq[i], (1 << 20) - 255 + 3 * (oldest ? i : 199 - i));
    }
    /* The first of them is lost: what it held is looked through. */
    made_index_path(m, 1, path);
    assert_int_equal(unlink(path), 0);
    made_ask(m, (struct search_question){.agent = STR("anna"), .limit = 33}, &found);
    assert_int_equal(found.n, 200);
    assert_true(found.answer.scanned > 0);
    made_index(m);
    made_ask(m, (struct search_question){.agent = STR("anna"), .limit = 33}, &found);
    assert_int_equal(found.n, 200);
    assert_int_equal(found.answer.scanned, 0);
}

static void entries_that_are_gone_are_not_found_and_their_files_go(void **state)
{
    struct made *m = *state;
    char path[256];
    some(m, 256);
    made_segment(m, 257);
    some(m, 4);
    made_index(m);
    made_drop_segment(m, 1);
    FINDS(m, "260,257", .agent = STR("anna"));
    FINDS(m, "257,260", .agent = STR("anna"), .oldest_first = true);
    made_index(m);
    FINDS(m, "260,257", .agent = STR("anna"));
    made_index_path(m, 1, path);
    assert_true(there(path));
    made_segment(m, (1 << 20) + 1);
    some(m, 4);
    made_drop_segment(m, 257);
    made_index(m);
    assert_false(there(path));
    FINDS(m, "1048580,1048577", .agent = STR("anna"));
}

static void one_entry_is_read_by_its_number(void **state)
{
    struct made *m = *state;
    struct buf b;
    struct fault f;
    some(m, 300);
    buf_init(&b, 1u << 20);
    for (unsigned round = 0; round < 2; round++) {
        for (uint64_t seq = 1; seq <= 300; seq += 13) {
            char want[32];
            buf_clear(&b);
            assert_int_equal(search_entry(m->dir, seq, &b, &f), ERR_OK);
            snprintf(want, sizeof(want), "\"seq\":%llu,", (unsigned long long)seq);
            assert_non_null(memmem(b.p, b.n, want, strlen(want)));
        }
        assert_int_equal(search_entry(m->dir, 301, &b, &f), ERR_NOT_FOUND);
        assert_int_equal(search_entry(m->dir, 0, &b, &f), ERR_NOT_FOUND);
        made_index(m);
    }
    made_segment(m, 513);
    some(m, 1);
    made_drop_segment(m, 1);
    assert_int_equal(search_entry(m->dir, 5, &b, &f), ERR_NOT_FOUND);
    assert_non_null(strstr(f.text, "any more"));
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_damaged_file_misleads_nobody_and_is_made_again, made_setup, made_teardown),
        cmocka_unit_test_setup_teardown(a_lost_index_is_made_again, made_setup, made_teardown),
        cmocka_unit_test_setup_teardown(an_index_of_another_record_is_not_believed, made_setup, made_teardown),
        cmocka_unit_test_setup_teardown(whoever_may_not_write_still_asks, made_setup, made_teardown),
        cmocka_unit_test_setup_teardown(a_file_in_write_ahead_mode_is_read_without_its_log, made_setup, made_teardown),
        cmocka_unit_test_setup_teardown(one_writes_and_others_read, made_setup, made_teardown),
        cmocka_unit_test_setup_teardown(what_was_being_written_when_the_machine_stopped_is_not_believed, made_setup,
                                        made_teardown),
        cmocka_unit_test_setup_teardown(nothing_behind_what_was_asked_for_is_entered, made_setup, made_teardown),
        cmocka_unit_test_setup_teardown(a_file_is_followed_by_the_next, made_setup, made_teardown),
        cmocka_unit_test_setup_teardown(entries_that_are_gone_are_not_found_and_their_files_go, made_setup,
                                        made_teardown),
        cmocka_unit_test_setup_teardown(one_entry_is_read_by_its_number, made_setup, made_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
