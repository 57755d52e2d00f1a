/*
 * conf_judge: asks src/conf for tests that compare it with another implementation.
 *
 *   conf_judge schema       the JSON Schema of doorward.yaml
 *   conf_judge file FILE    loads a file: its faults, or the effective values as JSON
 *   conf_judge              each line of standard input is a configuration (JSON is YAML); each is answered with a line
 *                           "valid" or "invalid: " and the faults, with " | " between them
 */
#include "conf/conf.h"

#include <stdio.h>
#include <stdlib.h>

static void put(struct buf *b)
{
    fwrite(b->p, 1, b->n, stdout);
    buf_done(b);
}

static void judge(struct str line)
{
    struct buf faults;
    struct conf *c = NULL;
    buf_init(&faults, 1u << 20);
    if (conf_parse(line, "line", "/", &c, &faults) == ERR_OK)
        buf_z(&faults, "valid");
    else
        fputs("invalid: ", stdout);
    for (size_t i = 0; i < faults.n; i++)
        if (faults.p[i] == '\n')
            faults.p[i] = '|';
    buf_char(&faults, '\n');
    put(&faults);
    conf_unref(c);
}

static int judge_file(const char *file)
{
    struct buf out;
    struct conf *c = NULL;
    buf_init(&out, 1u << 20);
    enum err e = conf_load(file, &c, &out);
    if (!e)
        conf_dump(c, &out);
    put(&out);
    conf_unref(c);
    return e ? 1 : 0;
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "file") == 0)
        return judge_file(argv[2]);
    if (argc > 1 && strcmp(argv[1], "schema") == 0) {
        struct buf out;
        buf_init(&out, 1u << 20);
        conf_schema(&out);
        put(&out);
        return 0;
    }
    char *line = NULL;
    size_t cap = 0;
    for (ssize_t n; (n = getline(&line, &cap, stdin)) > 0;)
        judge((struct str){line, (size_t)n});
    free(line);
    return 0;
}
