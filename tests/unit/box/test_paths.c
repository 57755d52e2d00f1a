/* What a program's command line opens for it, and what it never does. */
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../folder.h"
#include "box/box.h"

static char top[64]; /* a folder of the test: all paths below are in it */
static struct arena arena;
static struct box_paths found;

static int before(void **state)
{
    char real[PATH_MAX];
    (void)state;
    folder_make(top);
    assert_non_null(realpath(top, real));
    snprintf(top, sizeof(top), "%s", real);
    arena_init(&arena, 4u << 20);
    return 0;
}

static int after(void **state)
{
    (void)state;
    arena_done(&arena);
    folder_remove(top);
    return 0;
}

static const char *at(const char *path)
{
    return path[0] == '/' ? path : arena_fmt(&arena, "%s/%s", top, path).p;
}

/* A file, or with a slash at its end a folder, and all the folders above it. */
static void make(const char *path)
{
    char name[PATH_MAX];
    snprintf(name, sizeof(name), "%s", at(path));
    for (char *slash = strchr(name + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(name, 0700);
        *slash = '/';
    }
    FILE *f = path[strlen(path) - 1] == '/' ? NULL : fopen(name, "w");
    if (f)
        fclose(f);
    if (f)
        assert_int_equal(chmod(name, 0755), 0);
}

static enum err open_for(struct box_plan p, struct fault *f)
{
    const char *program = NULL;
    p.boxed = true;
    enum err e = box_program(&p, &arena, &program, f);
    return e ? e : box_paths(&p, program, &arena, &found, f);
}

/* Can it be opened by these rules? As the kernel judges: by the folders above it. */
static bool opened(const char *path)
{
    char inner[PATH_MAX], outer[PATH_MAX];
    assert_non_null(realpath(at(path), inner));
    for (size_t i = 0; i < found.n; i++) {
        size_t n = realpath(found.v[i].path, outer) ? strlen(outer) : 0;
        if (n && strncmp(inner, outer, n) == 0 && (!inner[n] || inner[n] == '/'))
            return true;
    }
    return false;
}

#define OPENED(path)                                                                                                   \
    if (!opened(path))                                                                                                 \
    fail_msg("%s is shut", path)
#define SHUT(path)                                                                                                     \
    if (opened(path))                                                                                                  \
    fail_msg("%s is open", path)
#define ARGS(...)                                                                                                      \
    (const char *[])                                                                                                   \
    {                                                                                                                  \
        __VA_ARGS__, NULL                                                                                              \
    }

static const char *const plain[] = {"PATH=/usr/bin:/bin", NULL};

static void the_system_is_open_and_its_secrets_are_not(void **state)
{
    (void)state;
    struct fault f;
    assert_int_equal(open_for((struct box_plan){.args = ARGS("sh"), .env = plain}, &f), ERR_OK);
    OPENED("/usr/bin/env");
    OPENED("/etc/passwd");
    OPENED("/dev/null");
    SHUT("/etc");
    SHUT("/dev");
    SHUT("/tmp");
    SHUT("/root");
    SHUT("/");
    SHUT(top);
}

static void a_script_is_open_with_its_package(void **state)
{
    (void)state;
    struct fault f;
    make("shop/package.json");
    make("shop/dist/index.js");
    make("shop/node_modules/dep/index.js");
    make("other/secret");
    assert_int_equal(open_for((struct box_plan){.args = ARGS("sh", "-x", at("shop/dist/index.js")), .env = plain}, &f),
                     ERR_OK);
    OPENED("shop/node_modules/dep/index.js");
    SHUT("other/secret");
    make("deep/node_modules/@a/b/node_modules/c/package.json");
    make("deep/node_modules/@a/b/node_modules/c/main.js");
    make("deep/node_modules/d/index.js");
    make("deep/.env");
    assert_int_equal(open_for((struct box_plan){.args = ARGS("sh", at("deep/node_modules/@a/b/node_modules/c/main.js")),
                                                .env = plain},
                              &f),
                     ERR_OK);
    OPENED("deep/node_modules/d/index.js"); /* where it looks for what it needs */
    SHUT("deep/.env");
}

static void a_file_among_the_arguments_is_open_without_its_folder(void **state)
{
    (void)state;
    struct fault f;
    make("tools/serve.py");
    make("etc/tools.json");
    make("etc/key");
    assert_int_equal(open_for((struct box_plan){.args = ARGS("sh", "serve.py", "--config", "../etc/tools.json"),
                                                .cwd = at("tools"),
                                                .env = plain},
                              &f),
                     ERR_OK);
    OPENED("tools/serve.py");
    OPENED("etc/tools.json");
    SHUT("etc/key");
}

static void a_folder_among_the_arguments_has_to_be_declared(void **state)
{
    (void)state;
    struct fault f;
    make("shared/");
    struct box_plan p = {.args = ARGS("sh", at("shared")), .env = plain};
    assert_int_equal(open_for(p, &f), ERR_OK);
    SHUT("shared");
    struct str declared = str_of(at("shared"));
    p.write = &declared;
    p.write_count = 1;
    assert_int_equal(open_for(p, &f), ERR_OK);
    OPENED("shared");
}

static void a_program_is_open_with_the_libraries_beside_it(void **state)
{
    (void)state;
    struct fault f;
    make("venv/bin/tool");
    make("venv/lib/module.py");
    make("venv/pyvenv.cfg");
    make("venv/notes");
    make("alone/tool");
    make("alone/notes");
    assert_int_equal(open_for((struct box_plan){.args = ARGS(at("venv/bin/tool")), .env = plain}, &f), ERR_OK);
    OPENED("venv/lib/module.py");
    OPENED("venv/pyvenv.cfg");
    SHUT("venv/notes");
    assert_int_equal(open_for((struct box_plan){.args = ARGS(at("alone/tool")), .env = plain}, &f), ERR_OK);
    OPENED("alone/tool");
    SHUT("alone/notes");
}

static void guesses_keep_clear_of_the_gateways_own(void **state)
{
    (void)state;
    struct fault f;
    make("door/serve.py");
    make("door/package.json");
    make("door/doorward.yaml");
    make("door/data/keys/key");
    struct box_plan p = {.args = ARGS("sh", at("door/serve.py"), at("door/data/keys/key"), at("door/doorward.yaml")),
                         .cwd = at("door"),
                         .env = plain,
                         .keep = {at("door/data"), at("door/doorward.yaml")}};
    assert_int_equal(open_for(p, &f), ERR_OK);
    OPENED("door/serve.py");
    SHUT("door/data/keys/key");
    SHUT("door/doorward.yaml");
    p.args = ARGS("sh", at("door/data/keys/key"));
    p.cwd = at("door/data/keys");
    assert_int_equal(open_for(p, &f), ERR_OK);
    SHUT("door/data/keys/key");
}

static void what_is_declared_around_data_dir_is_refused(void **state)
{
    (void)state;
    struct fault f;
    make("door/data/keys/key");
    make("other/");
    assert_int_equal(symlink(at("door"), at("way")), 0);
    static const char *const wrong[] = {"door", "door/data", "door/data/keys", "way", "other/../door", "/"};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct str one = str_of(at(wrong[i]));
        struct box_plan p = {
            .args = ARGS("sh"), .env = plain, .keep = {at("door/data"), NULL}, .read = &one, .read_count = 1};
        if (open_for(p, &f) != ERR_CONFIG)
            fail_msg("%s is taken", wrong[i]);
        assert_non_null(strstr(f.text, "data_dir"));
    }
}

static void one_path_holds_another(void **state)
{
    (void)state;
    make("a/b/");
    assert_true(box_holds(at("a"), at("a/b")));
    assert_true(box_holds(at("a"), at("a")));
    assert_true(box_holds(at("a"), at("a/not/there/yet")));
    assert_true(box_holds("/", at("a")));
    assert_false(box_holds(at("a/b"), at("a")));
    assert_false(box_holds(at("a/b"), at("a/bc"))); /* a name that begins alike */
    assert_true(box_holds(at("a/b/../b/"), at("a/b/c")));
}

#define T(name) cmocka_unit_test_setup_teardown(name, before, after)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_system_is_open_and_its_secrets_are_not),
        T(a_script_is_open_with_its_package),
        T(a_file_among_the_arguments_is_open_without_its_folder),
        T(a_folder_among_the_arguments_has_to_be_declared),
        T(a_program_is_open_with_the_libraries_beside_it),
        T(guesses_keep_clear_of_the_gateways_own),
        T(what_is_declared_around_data_dir_is_refused),
        T(one_path_holds_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
