/* The log, as whoever reads stderr sees it. */
#include "base_test.h"

#include "base/clock.h"
#include "base/log.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static struct arena arena;
static int err_before, lines[2];

static int stderr_caught(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20);
    if (pipe(lines))
        return -1;
    err_before = dup(STDERR_FILENO);
    return dup2(lines[1], STDERR_FILENO) < 0;
}

static int stderr_back(void **state)
{
    (void)state;
    dup2(err_before, STDERR_FILENO);
    close(err_before);
    close(lines[0]);
    close(lines[1]);
    log_level_set(LOG_INFO);
    arena_done(&arena);
    return 0;
}

/* All that was written since the last time. */
static struct str written(void)
{
    static char text[65536];
    ssize_t n;
    if (write(STDERR_FILENO, "\n", 1) != 1 || (n = read(lines[0], text, sizeof(text))) < 1)
        return STR_NONE;
    return (struct str){text, (size_t)n - 1};
}

static struct json line(void)
{
    struct str text = written();
    assert_true(text.n > 1 && text.p[text.n - 1] == '\n');
    text.n--;
    assert_null(memchr(text.p, '\n', text.n));
    return test_json(&arena, arena_str(&arena, text));
}

static void a_line_is_one_object_with_its_fields_in_order(void **state)
{
    (void)state;
    int64_t ms;
    log_info("server_up", LOG_Z("server", "orders"), LOG_I("tools", 7), LOG_B("fresh", true), LOG_S("none", STR_NONE));
    struct json j = line();
    struct str time = json_str(&j, json_get(&j, JSON_ROOT, STR("time")), &arena);
    assert_int_equal(clock_parse(time, &ms), ERR_OK);
    assert_true(ms <= clock_wall_ms() && ms > clock_wall_ms() - 60000);
    struct str rest = str_skip(j.text, sizeof("{'time':'2026-11-23T20:54:00.123Z',") - 1);
    assert_str(
        rest,
        "\"level\":\"info\",\"event\":\"server_up\",\"server\":\"orders\",\"tools\":7,\"fresh\":true,\"none\":\"\"}");
}

static void what_strangers_wrote_stays_inside_its_quotes(void **state)
{
    (void)state;
    struct str evil = STR("x\"},\n{\"event\":\"forged\"\r\x1b[2J\0\xff");
    log_warn("refused", LOG_S("name", evil));
    struct json j = line();
    assert_str(json_str(&j, json_get(&j, JSON_ROOT, STR("event")), &arena), "refused");
    assert_true(json_str_is(&j, json_get(&j, JSON_ROOT, STR("name")),
                            STR("x\"},\n{\"event\":\"forged\"\r\x1b[2J\0\xef\xbf\xbd")));
    for (size_t i = 0; i < j.text.n; i++)
        assert_true((unsigned char)j.text.p[i] >= 0x20);
}

static void a_level_below_the_threshold_is_silent(void **state)
{
    (void)state;
    log_debug("quiet", LOG_I("n", 1));
    assert_str(written(), "");
    log_level_set(LOG_ERROR);
    log_warn("quiet", LOG_I("n", 1));
    assert_str(written(), "");
    log_error("loud", LOG_I("n", 1));
    struct json j = line();
    assert_str(json_str(&j, json_get(&j, JSON_ROOT, STR("level")), &arena), "error");
}

static void nobody_can_silence_a_line_with_a_long_text(void **state)
{
    (void)state;
    char *text = malloc(40001);
    for (int i = 1; i < 40000; i += 2) /* from 1, so that the cut falls inside a character */
        memcpy(text + i, "\xc3\xa9", 2);
    text[0] = 'a';
    struct str s = {text, 39999};
    log_warn("refused", LOG_S("name", s), LOG_I("n", 7));
    struct json j = line();
    struct str name = json_str(&j, json_get(&j, JSON_ROOT, STR("name")), &arena);
    assert_true(name.n > 1000 && name.n < 4000 && str_starts(s, name)); /* whole characters */
    assert_true(json_get(&j, JSON_ROOT, STR("n")) && json_bool(&j, json_get(&j, JSON_ROOT, STR("cut")), false));
    memset(text, 1, 40000); /* each byte becomes six */
    log_warn("refused", LOG_S("a", s), LOG_S("b", s), LOG_S("c", s));
    j = line();
    assert_str(json_str(&j, json_get(&j, JSON_ROOT, STR("event")), &arena), "refused");
    assert_true(json_bool(&j, json_get(&j, JSON_ROOT, STR("cut")), false));
    free(text);
}

static void limit_files(rlim_t bytes)
{
    struct rlimit l;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &l), 0);
    l.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
}

static void after_a_full_disk_a_line_begins_on_its_own(void **state)
{
    (void)state;
    char text[4096] = "";
    FILE *f = tmpfile();
    assert_non_null(f);
    signal(SIGXFSZ, SIG_IGN);
    dup2(fileno(f), STDERR_FILENO);
    limit_files(40);
    log_info("cut", LOG_Z("by", "the end of the disk"));
    log_info("lost", LOG_I("n", 1));
    limit_files(RLIM_INFINITY);
    log_info("whole", LOG_I("n", 2));
    log_info("whole", LOG_I("n", 3));
    dup2(lines[1], STDERR_FILENO);
    rewind(f);
    assert_true(fread(text, 1, sizeof(text) - 1, f) > 40);
    fclose(f);
    char *second = strchr(text, '\n');
    assert_int_equal(second - text, 40);
    char *third = strchr(second + 1, '\n');
    assert_non_null(third);
    test_json(&arena, (struct str){second + 1, (size_t)(third - second - 1)});
    assert_non_null(strstr(second, "\"event\":\"whole\",\"n\":2}\n{")); /* and no empty line between */
}

#define scene(f) cmocka_unit_test_setup_teardown(f, stderr_caught, stderr_back)

int main(void)
{
    const struct CMUnitTest tests[] = {
        scene(a_line_is_one_object_with_its_fields_in_order), scene(what_strangers_wrote_stays_inside_its_quotes),
        scene(a_level_below_the_threshold_is_silent),         scene(nobody_can_silence_a_line_with_a_long_text),
        scene(after_a_full_disk_a_line_begins_on_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
