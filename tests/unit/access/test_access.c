/* The access log: lines, files that are renamed, disks that are full. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../folder.h"
#include "../unit.h"

#include "access/access.h"
#include "base/clock.h"
#include "base/json.h"

struct scene {
    char dir[64], path[96], old[96];
    struct access *access;
    struct exchange *x;
    struct fault f;
};

static int set_up(void **state)
{
    struct scene *s = calloc(1, sizeof(*s));
    folder_make(s->dir);
    snprintf(s->path, sizeof(s->path), "%s/access.log", s->dir);
    snprintf(s->old, sizeof(s->old), "%s/access.log.1", s->dir);
    struct exchange *x = s->x = calloc(1, sizeof(*x));
    x->head.method = STR("POST");
    x->head.path = STR("/mcp");
    x->head.target = STR("/mcp?secret=in-the-query");
    x->head.query = STR("secret=in-the-query");
    x->body = STR("{\"arguments\":{\"card\":\"4111\"}}");
    x->status = 403;
    x->sent = 17;
    x->born_ns = clock_mono_ns() - 2500000;
    struct sockaddr_in *peer = (struct sockaddr_in *)&x->peer;
    peer->sin_family = AF_INET;
    inet_pton(AF_INET, "192.0.2.7", &peer->sin_addr);
    x->note = (struct exchange_note){.face = "mcp",
                                     .effect = "deny",
                                     .code = "insufficient_scope",
                                     .agent = STR("support-1"),
                                     .session = STR("sess_1"),
                                     .method = STR("tools/call"),
                                     .tool = STR("desk/issue_refund"),
                                     .trace = STR("0af7651916cd43dd8448eb211c80319c")};
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *s = *state;
    access_close(s->access);
    folder_remove(s->dir);
    free(s->x);
    free(s);
    return 0;
}

static void log_opens(struct scene *s, const char *target)
{
    if (access_open(str_of(target), &s->access, &s->f))
        fail_msg("%s", s->f.text);
}

/* Closed, so that all of it is written. */
static void log_closes(struct scene *s)
{
    access_close(s->access);
    s->access = NULL;
}

static size_t content(const char *path, char *ret, size_t n)
{
    FILE *f = fopen(path, "re");
    size_t got = f ? fread(ret, 1, n - 1, f) : 0;
    if (f)
        fclose(f);
    ret[got] = 0;
    return got;
}

static unsigned lines(const char *path)
{
    static char text[1 << 20];
    unsigned n = 0;
    content(path, text, sizeof(text));
    for (const char *at = text; (at = strchr(at, '\n')); at++)
        n++;
    return n;
}

static void a_line_says_who_what_and_what_came_of_it_and_nothing_of_what_was_said(void **state)
{
    struct scene *s = *state;
    char text[4096];
    struct arena a;
    struct json j;
    struct sockaddr_storage client = {.ss_family = AF_INET6};
    inet_pton(AF_INET6, "2001:db8::1", &((struct sockaddr_in6 *)&client)->sin6_addr);
    log_opens(s, s->path);
    access_note(s->access, s->x, &client);
    log_closes(s);
    assert_true(content(s->path, text, sizeof(text)) > 0);
    arena_init(&a, 1u << 20);
    assert_int_equal(json_parse(&j, str_of(text), &a, NULL, &s->f), ERR_OK);
    static const char *const said[][2] = {
        {"face", "mcp"},
        {"agentId", "support-1"},
        {"sessionId", "sess_1"},
        {"tool", "desk/issue_refund"},
        {"effect", "deny"},
        {"verb", "POST"},
        {"code", "insufficient_scope"},
        {"method", "tools/call"},
        {"peer", "192.0.2.7"},
        {"client", "2001:db8::1"},
        {"path", "/mcp"},
        {"traceId", "0af7651916cd43dd8448eb211c80319c"},
    };
    for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++)
        if (!json_str_is(&j, json_get(&j, JSON_ROOT, str_of(said[i][0])), str_of(said[i][1])))
            fail_msg("%s is not %s in %s", said[i][0], said[i][1], text);
    int64_t n = 0;
    double ms = 0;
    assert_true(json_i64(&j, json_get(&j, JSON_ROOT, STR("status")), &n) && n == 403);
    assert_true(json_i64(&j, json_get(&j, JSON_ROOT, STR("bytesIn")), &n) && n == (int64_t)s->x->body.n);
    assert_true(json_i64(&j, json_get(&j, JSON_ROOT, STR("bytesOut")), &n) && n == 17);
    assert_true(json_double(&j, json_get(&j, JSON_ROOT, STR("ms")), &ms) && ms >= 2.5);
    assert_null(strstr(text, "4111"));
    assert_null(strstr(text, "in-the-query"));
    arena_done(&a);
}

static void a_strangers_words_make_no_second_line(void **state)
{
    struct scene *s = *state;
    static char name[5000];
    memset(name, 'x', sizeof(name));
    memcpy(name, "\n{\"forged\":true}\n\x1b[2J\xff", 22);
    s->x->note.tool = (struct str){name, sizeof(name)};
    log_opens(s, s->path);
    access_note(s->access, s->x, NULL);
    log_closes(s);
    assert_int_equal(lines(s->path), 1);
    char text[8192];
    struct arena a;
    struct json j;
    assert_true(content(s->path, text, sizeof(text)) < 2048);
    arena_init(&a, 1u << 20);
    assert_int_equal(json_parse(&j, str_of(text), &a, NULL, &s->f), ERR_OK);
    arena_done(&a);
}

static void a_file_that_was_renamed_gets_no_more_lines_and_none_is_lost(void **state)
{
    struct scene *s = *state;
    log_opens(s, s->path);
    for (int i = 0; i < 100; i++)
        access_note(s->access, s->x, NULL);
    assert_int_equal(rename(s->path, s->old), 0);
    access_reopen(s->access, str_of(s->path));
    for (int i = 0; i < 1000 && access(s->path, F_OK) != 0; i++)
        usleep(1000);
    for (int i = 0; i < 50; i++)
        access_note(s->access, s->x, NULL);
    log_closes(s);
    assert_int_equal(lines(s->old), 100);
    assert_int_equal(lines(s->path), 50);
}

static void it_is_switched_on_and_off_while_it_runs(void **state)
{
    struct scene *s = *state;
    log_opens(s, "off");
    assert_false(access_on(s->access));
    access_reopen(s->access, str_of(s->path));
    assert_true(access_on(s->access));
    for (int i = 0; i < 1000 && access(s->path, F_OK) != 0; i++)
        usleep(1000);
    access_note(s->access, s->x, NULL);
    access_reopen(s->access, STR("off"));
    assert_false(access_on(s->access));
    log_closes(s);
    assert_int_equal(lines(s->path), 1);
}

static void a_full_disk_holds_nobody_up_and_what_is_lost_is_counted(void **state)
{
    struct scene *s = *state;
    int64_t before = meter_sum(METER_LOST_ACCESS), from = clock_mono_ns();
    log_opens(s, "/dev/full");
    for (int i = 0; i < 50000; i++)
        access_note(s->access, s->x, NULL);
    assert_true(clock_mono_ns() - from < INT64_C(3000000000));
    log_closes(s);
    assert_int_equal(meter_sum(METER_LOST_ACCESS) - before, 50000);
}

static void disk_holds(rlim_t bytes)
{
    struct rlimit l;
    getrlimit(RLIMIT_FSIZE, &l);
    l.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
}

static void a_disk_that_fills_up_leaves_whole_lines_and_is_used_again_when_it_can_be(void **state)
{
    struct scene *s = *state;
    static char text[1 << 16];
    int64_t before = meter_sum(METER_LOST_ACCESS);
    signal(SIGXFSZ, SIG_IGN);
    disk_holds(1000); /* a line has about 300 bytes: the disk is full in the middle of one */
    log_opens(s, s->path);
    for (int i = 0; i < 10; i++)
        access_note(s->access, s->x, NULL);
    for (int i = 0; i < 5000 && lines(s->path) + meter_sum(METER_LOST_ACCESS) - before < 10; i++)
        usleep(1000);
    size_t n = content(s->path, text, sizeof(text));
    unsigned whole = lines(s->path);
    disk_holds(RLIM_INFINITY);
    assert_true(n > 0 && text[n - 1] == '\n');
    assert_int_equal(whole + (meter_sum(METER_LOST_ACCESS) - before), 10);
    access_note(s->access, s->x, NULL);
    log_closes(s);
    assert_int_equal(lines(s->path), whole + 1);
}

static void a_file_that_cannot_be_opened_is_told_at_the_start(void **state)
{
    struct scene *s = *state;
    assert_int_equal(access_open(STR("/nowhere/access.log"), &s->access, &s->f), ERR_IO);
    assert_non_null(strstr(s->f.text, "/nowhere/access.log"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_says_who_what_and_what_came_of_it_and_nothing_of_what_was_said, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_strangers_words_make_no_second_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_was_renamed_gets_no_more_lines_and_none_is_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_is_switched_on_and_off_while_it_runs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_holds_nobody_up_and_what_is_lost_is_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_disk_that_fills_up_leaves_whole_lines_and_is_used_again_when_it_can_be,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_cannot_be_opened_is_told_at_the_start, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
