/* What `policy test` has run, and how it is told. */
#ifndef CLI_POLICY_TEST_H
#define CLI_POLICY_TEST_H

#include "cli/cli.h"
#include "cli/policy_case.h"

enum { POLICY_TEST_FILES = 1000 };

/* A set that cases are judged by: of the configuration, or of a file's own policies. */
struct policy_test_set {
    const char *tools; /* NULL: the gateway's */
    const char *own;   /* the file that names them; NULL: the configuration's */
    struct policy_set *set;
    bool *decided; /* by the policies' order in the set */
};
struct policy_test_file {
    const char *path;
    struct policy_cases cases;
    struct policy_test_set *set;
};
struct policy_test_result {
    const struct policy_test_file *file;
    const struct policy_case *it;
    struct str wrong;    /* lines; empty: it passed */
    struct str effect;   /* "deny" … or empty: it could not be judged */
    struct str policies; /* JSON array of ids */
    struct str because;  /* the reason */
};
struct policy_test_run {
    struct cli *c;
    struct policy_test_file *file;
    size_t files;
    struct policy_test_set set[POLICY_TEST_FILES];
    size_t sets;
    struct policy_test_result *result;
    size_t results, passed;
};
void policy_test_print(const struct policy_test_run *r);
void policy_test_json(const struct policy_test_run *r);

#endif
