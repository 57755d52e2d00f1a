/* Keys of the record: made once, outside of it, rotated with overlap, and on record when they come and go. */
#include "record.h"

#include "audit/inner.h"

static unsigned signatures(const struct record *r)
{
    struct log_checkpoint *c = malloc(sizeof(*c));
    struct fault f;
    assert_int_equal(log_checkpoint_read(r->dir, c, &f), ERR_OK);
    unsigned n = c->note.count;
    log_checkpoint_done(c);
    free(c);
    return n;
}

static unsigned count_of(const char *dir, const char *tail)
{
    unsigned n = 0;
    DIR *d = opendir(dir);
    for (struct dirent *e; (e = readdir(d));)
        n += str_ends(str_of(e->d_name), str_of(tail));
    closedir(d);
    return n;
}

struct events {
    unsigned added, retired;
};

static void see(void *ctx, struct str text)
{
    struct events *e = ctx;
    e->added += memmem(text.p, text.n, "\"RECORD_KEY_ADDED\"", 18) != NULL;
    e->retired += memmem(text.p, text.n, "\"RECORD_KEY_RETIRED\"", 20) != NULL;
}

static struct events events(const struct record *r)
{
    struct events e = {0};
    record_read(r, 1, see, &e);
    return e;
}

static void rotate(struct record *r)
{
    struct note_verifier key;
    struct fault f;
    while (audit_keys_new(r->keys, STR("ignored.example/audit"), &key, &f) == ERR_EXISTS)
        usleep(100000); /* one a second */
    assert_string_equal(key.name, "example.com/audit");
}

static void the_first_key_is_made_and_on_record(void **state)
{
    struct record *r = *state;
    folder_remove(r->keys);
    record_open(r);
    record_fill(r, 1);
    record_close(r);
    assert_int_equal(events(r).added, 1);
    record_open(r);
    record_close(r);
    assert_int_equal(events(r).added, 1);
    assert_int_equal(count_of(r->keys, ".key"), 2); /* and seal.key */
    assert_int_equal(count_of(r->keys, ".pub"), 1);
}

static void old_and_new_keys_sign_side_by_side_for_a_while(void **state)
{
    struct record *r = *state;
    record_open(r);
    record_fill(r, 1);
    record_close(r);
    assert_int_equal(signatures(r), 1);
    rotate(r);
    record_open(r);
    record_fill(r, 1);
    record_close(r);
    assert_int_equal(signatures(r), 2);
    record_verified(r);
    r->conf.key_overlap = 0;
    record_open(r);
    record_fill(r, 1);
    record_close(r);
    assert_int_equal(signatures(r), 1);
    assert_int_equal(count_of(r->keys, ".key"), 2); /* the old signer is gone, its verifier stays */
    assert_int_equal(count_of(r->keys, ".pub"), 2);
    assert_int_equal(events(r).retired, 1);
    record_verified(r); /* by the old one's signatures, too */
}

static void a_running_record_takes_a_new_key_at_its_reload(void **state)
{
    struct record *r = *state;
    record_open(r);
    record_fill(r, 1);
    rotate(r);
    publish_reload(&r->audit->publish);
    for (unsigned i = 0; i < 500 && !events(r).added; i++)
        usleep(10000);
    assert_int_equal(events(r).added, 1);
    record_close(r);
    assert_int_equal(signatures(r), 2);
    record_verified(r);
}

static void without_its_keys_a_record_is_not_opened(void **state)
{
    struct record *r = *state;
    struct audit *a = NULL;
    struct audit_recovery found;
    struct fault f = {.text = ""};
    char command[256];
    record_open(r);
    record_fill(r, 1);
    record_close(r);
    snprintf(command, sizeof(command), "mv %s %s.away", r->keys, r->keys);
    assert_int_equal(system(command), 0);
    assert_int_equal(audit_open(r->dir, &r->conf, &a, &found, &f), ERR_NOT_FOUND);
    assert_non_null(strstr(f.text, "doorward audit rotate"));
    struct note_verifier key; /* of somebody who cannot have signed what is there */
    assert_int_equal(audit_keys_new(r->keys, STR("example.com/audit"), &key, &f), ERR_OK);
    assert_int_equal(audit_open(r->dir, &r->conf, &a, &found, &f), ERR_CORRUPT);
    assert_non_null(strstr(f.text, "is signed by none of the known keys"));
    snprintf(command, sizeof(command), "rm -rf %s && mv %s.away %s", r->keys, r->keys, r->keys);
    assert_int_equal(system(command), 0);
    record_open(r);
}

static void a_key_that_others_can_read_is_refused(void **state)
{
    struct record *r = *state;
    struct audit *a = NULL;
    struct audit_recovery found;
    struct fault f = {.text = ""};
    char command[256];
    snprintf(command, sizeof(command), "chmod 644 %s/*.key", r->keys);
    assert_int_equal(system(command), 0);
    assert_int_not_equal(audit_open(r->dir, &r->conf, &a, &found, &f), ERR_OK);
    assert_non_null(strstr(f.text, ".key"));
}

int main(void)
{
#define SCENE(name) cmocka_unit_test_setup_teardown(name, record_setup, record_teardown)
    const struct CMUnitTest tests[] = {
        SCENE(the_first_key_is_made_and_on_record),
        SCENE(old_and_new_keys_sign_side_by_side_for_a_while),
        SCENE(a_running_record_takes_a_new_key_at_its_reload),
        SCENE(without_its_keys_a_record_is_not_opened),
        SCENE(a_key_that_others_can_read_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
