/* The gateway's own signing keys: made once, kept secret, never guessed at when they are damaged. */
#include "registry.h"

#include <dirent.h>
#include <sys/stat.h>

#include "identity/keys.h"

struct place {
    char dir[64];
    struct keys *keys;
};

static int enter(void **state)
{
    static struct place p;
    p = (struct place){0};
    folder_make(p.dir);
    *state = &p;
    return 0;
}

static int leave(void **state)
{
    struct place *p = *state;
    keys_free(p->keys);
    folder_remove(p->dir);
    return 0;
}

static void open_keys(struct place *p, enum jose_alg alg)
{
    struct fault f = {0};
    keys_free(p->keys);
    p->keys = NULL;
    if (keys_open(p->dir, alg, &p->keys, &f))
        fail_msg("%s", f.text);
}

/* The path of the only key file. */
static void only_file(const struct place *p, char ret[512])
{
    DIR *d = opendir(p->dir);
    unsigned n = 0;
    for (struct dirent *e; (e = readdir(d));)
        if (e->d_name[0] != '.' && ++n)
            snprintf(ret, 512, "%s/%s", p->dir, e->d_name);
    closedir(d);
    assert_int_equal(n, 1);
}

static void the_first_start_makes_a_key_for_its_owner_only_and_the_next_finds_it(void **state)
{
    struct place *p = *state;
    struct stat st;
    char path[512], kid[JOSE_THUMBPRINT];
    open_keys(p, JOSE_EDDSA);
    only_file(p, path);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    snprintf(kid, sizeof(kid), "%s", jose_key_thumbprint(keys_signing(p->keys)));
    open_keys(p, JOSE_EDDSA);
    assert_string_equal(jose_key_thumbprint(keys_signing(p->keys)), kid);
    only_file(p, path);
}

static void another_algorithm_is_a_rotation(void **state)
{
    struct place *p = *state;
    struct buf jwks;
    char old[JOSE_THUMBPRINT];
    open_keys(p, JOSE_EDDSA);
    snprintf(old, sizeof(old), "%s", jose_key_thumbprint(keys_signing(p->keys)));
    usleep(2000); /* names of keys are times */
    open_keys(p, JOSE_ES256);
    assert_int_equal(jose_key_alg(keys_signing(p->keys)), JOSE_ES256);
    assert_non_null(keys_find(p->keys, str_of(old))); /* it still verifies what it signed */
    buf_init(&jwks, 8192);
    keys_jwks(p->keys, &jwks);
    buf_char(&jwks, 0);
    assert_non_null(strstr(jwks.p, old));
    assert_non_null(strstr(jwks.p, jose_key_thumbprint(keys_signing(p->keys))));
    assert_null(strstr(jwks.p, "\"d\"")); /* public halves only */
    buf_done(&jwks);
}

static void unknown_kids_lead_to_no_key(void **state)
{
    struct place *p = *state;
    open_keys(p, JOSE_EDDSA);
    assert_null(keys_find(p->keys, STR_NONE));
    assert_null(keys_find(p->keys, STR("somebody")));
}

static void not_opened(struct place *p, enum err want, const char *word)
{
    struct keys *k = NULL;
    struct fault f = {0};
    enum err e = keys_open(p->dir, JOSE_EDDSA, &k, &f);
    if (e != want || k || !strstr(f.text, word))
        fail_msg("wanted %s with \"%s\", got %s: %s", err_code(want), word, err_code(e), f.text);
}

static void a_key_that_others_can_read_stops_the_start(void **state)
{
    struct place *p = *state;
    char path[512];
    open_keys(p, JOSE_EDDSA);
    only_file(p, path);
    assert_int_equal(chmod(path, 0640), 0);
    not_opened(p, ERR_IO, "chmod 600");
}

static void a_damaged_key_stops_the_start_and_is_left_alone(void **state)
{
    struct place *p = *state;
    char path[512], jwk[512];
    static const char *const contents[] = {"", "{\"kty\":\"OKP\",\"crv\":", "{\"kty\":\"oct\",\"k\":\"AAAA\"}",
                                           NULL /* public */};
    open_keys(p, JOSE_EDDSA);
    only_file(p, path);
    key_text(jwk);
    for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
        FILE *to = fopen(path, "w");
        assert_non_null(to);
        fputs(contents[i] ? contents[i] : jwk, to);
        fclose(to);
        not_opened(p, ERR_CORRUPT, path);
        only_file(p, path); /* no new one beside it: tokens would end without a word */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_first_start_makes_a_key_for_its_owner_only_and_the_next_finds_it, enter,
                                        leave),
        cmocka_unit_test_setup_teardown(another_algorithm_is_a_rotation, enter, leave),
        cmocka_unit_test_setup_teardown(unknown_kids_lead_to_no_key, enter, leave),
        cmocka_unit_test_setup_teardown(a_key_that_others_can_read_stops_the_start, enter, leave),
        cmocka_unit_test_setup_teardown(a_damaged_key_stops_the_start_and_is_left_alone, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
