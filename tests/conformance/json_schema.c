/*
 * conformance_json_schema DIR [FOLDER…]: runs the cases of the JSON-Schema-Test-Suite in DIR (its `tests` and `remotes`
 * folders) through src/schema. Prints each failing case as "file: group: case" and, last, "N passed, N failed". Exit
 * code 1 when any failed, 2 when there is nothing to run. Without FOLDERs: tests/draft7 and tests/draft2020-12, whose
 * files are the mandatory cases; the optional ones are in folders below those and have to be named.
 */
#include "schema/schema.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#define SOURCES_MAX 256

static struct schema_source sources[SOURCES_MAX + 1];
static size_t source_count, remotes_prefix;
static unsigned passed, failed;

static struct str file_read(const char *path)
{
    FILE *f = fopen(path, "rb");
    char *p = NULL;
    size_t n = 0;
    if (!f || getdelim(&p, &n, -1, f) < 0) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(2);
    }
    long size = ftell(f);
    fclose(f);
    return (struct str){p, (size_t)size};
}

static int remote_add(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)ftw;
    char *uri;
    if (type != FTW_F || !str_ends(str_of(path), STR(".json")))
        return 0;
    if (source_count == SOURCES_MAX) {
        fprintf(stderr, "more than %d remotes\n", SOURCES_MAX);
        exit(2);
    }
    if (asprintf(&uri, "http://localhost:1234%s", path + remotes_prefix) < 0)
        abort();
    sources[source_count++] = (struct schema_source){str_of(uri), file_read(path)};
    return 0;
}

/* In draft-07's folder a schema without $schema is one of draft-07, so that it is said here. */
static struct str dialect_said(struct str schema, bool draft7, struct arena *a)
{
    struct json j;
    if (!draft7 || schema.n == 0 || schema.p[0] != '{' || json_parse(&j, schema, a, NULL, NULL) ||
        json_get(&j, JSON_ROOT, STR("$schema")))
        return schema;
    struct str rest = str_skip(schema, 1);
    return arena_fmt(a, "{\"$schema\":\"http://json-schema.org/draft-07/schema#\"%s" STR_FMT,
                     json_first(&j, JSON_ROOT) ? "," : "", STR_ARG(rest));
}

static void case_run(const char *file, const struct json *j, uint32_t group, uint32_t test, const struct schema *s,
                     const struct fault *unusable, struct arena *a)
{
    struct fault f = {0};
    bool want = json_bool(j, json_get(j, test, STR("valid")), false);
    enum err e = s ? schema_validate(s, j, json_get(j, test, STR("data")), a, &f) : ERR_SCHEMA_UNUSABLE;
    if (s ? e == (want ? ERR_OK : ERR_SCHEMA) : false) {
        passed++;
        return;
    }
    failed++;
    printf("%s: " STR_FMT ": " STR_FMT ": wanted %s, got %s %s\n", file,
           STR_ARG(json_str(j, json_get(j, group, STR("description")), a)),
           STR_ARG(json_str(j, json_get(j, test, STR("description")), a)), want ? "valid" : "invalid", err_code(e),
           s ? f.text : unusable->text);
}

static void file_run(const char *path, const char *name, bool draft7)
{
    struct str text = file_read(path);
    struct arena a;
    struct json j;
    struct fault f = {0};
    arena_init(&a, 256u << 20);
    if (json_parse(&j, text, &a, NULL, &f)) {
        printf("%s: %s\n", name, f.text);
        failed++;
    } else {
        JSON_EACH(&j, JSON_ROOT, group)
        {
            struct schema *s = NULL;
            struct str schema = dialect_said(json_raw(&j, json_get(&j, group, STR("schema"))), draft7, &a);
            struct fault unusable = {0};
            (void)!schema_compile(schema, sources, NULL, &s, &unusable);
            if (!json_first(&j, json_get(&j, group, STR("tests")))) {
                printf("%s: a group without cases\n", name);
                failed++;
            }
            JSON_EACH(&j, json_get(&j, group, STR("tests")), test)
            case_run(name, &j, group, test, s, &unusable, &a);
            schema_unref(s);
        }
    }
    arena_done(&a);
    free((char *)text.p);
}

static int is_json(const struct dirent *d)
{
    return str_ends(str_of(d->d_name), STR(".json"));
}

static void folder_run(const char *dir, const char *folder)
{
    char path[4096], name[4096];
    struct dirent **list;
    snprintf(path, sizeof(path), "%s/%s", dir, folder);
    int n = scandir(path, &list, is_json, alphasort);
    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof(path), "%s/%s/%s", dir, folder, list[i]->d_name);
        snprintf(name, sizeof(name), "%s/%s", folder, list[i]->d_name);
        file_run(path, name, strstr(folder, "draft7"));
        free(list[i]);
    }
    if (n >= 0)
        free(list);
    if (n <= 0) { /* cases that did not run have not passed */
        printf("%s: no cases there\n", folder);
        failed++;
    }
}

int main(int argc, char **argv)
{
    char remotes[4096];
    if (argc < 2) {
        fprintf(stderr, "usage: conformance_json_schema DIR [FOLDER...]\n");
        return 2;
    }
    snprintf(remotes, sizeof(remotes), "%s/remotes", argv[1]);
    remotes_prefix = strlen(remotes);
    (void)nftw(remotes, remote_add, 16, 0);
    for (int i = 2; i < argc; i++)
        folder_run(argv[1], argv[i]);
    if (argc == 2) {
        folder_run(argv[1], "tests/draft7");
        folder_run(argv[1], "tests/draft2020-12");
    }
    for (size_t i = 0; i < source_count; i++) {
        free((char *)sources[i].uri.p);
        free((char *)sources[i].text.p);
    }
    printf("%u passed, %u failed\n", passed, failed);
    return failed ? 1 : passed ? 0 : 2;
}
