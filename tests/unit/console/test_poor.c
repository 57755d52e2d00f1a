/* Memory is short at any point: nobody comes in by that, nothing is half there, and nothing is lost. */
#include "../conf_of.h"
#include "../folder.h"
#include "../passkey/vectors.h"

#include <stdio.h>

#include "console/inner.h"

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t of);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t of);
void *__wrap_realloc(void *p, size_t n);

static int left = -1; /* allocations that succeed; -1: all */

static bool fails(void)
{
    if (left > 0)
        left--;
    else if (!left)
        return true;
    return false;
}

void *__wrap_malloc(size_t n)
{
    return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t of)
{
    return fails() ? NULL : __real_calloc(n, of);
}

void *__wrap_realloc(void *p, size_t n)
{
    return fails() ? NULL : __real_realloc(p, n);
}

struct world {
    char dir[64];
    struct store *store;
    struct people *people;
    struct passkeys *passkeys;
    struct console *console;
    struct conf *conf;
    struct arena arena;
    struct fault f;
};

static int begin(void **state)
{
    static struct world w;
    char db[128];
    struct store_person anna = {
        .name = STR("anna"), .role = STR("approver"), .groups = STR("[\"money\"]"), .enabled = true};
    w = (struct world){.conf = conf_of("{\"console\":{\"session\":\"12h\"}}")};
    folder_make(w.dir);
    snprintf(db, sizeof(db), "%s/doorward.db", w.dir);
    if (store_sqlite_open(db, &w.store, &w.f) || people_new(w.store, &w.people, &w.f) ||
        passkeys_new(w.store, w.people, &w.passkeys, &w.f) ||
        console_new(w.people, w.passkeys, w.conf, &w.console, &w.f) || people_put(w.people, &anna, false, &w.f))
        fail_msg("%s", w.f.text);
    *state = &w;
    return 0;
}

static int end(void **state)
{
    struct world *w = *state;
    console_free(w->console);
    passkeys_free(w->passkeys);
    people_free(w->people);
    store_close(w->store);
    conf_unref(w->conf);
    folder_remove(w->dir);
    return 0;
}

/* Does it once more with one allocation more, until there are enough. */
static void until_rich(struct world *w, enum err (*scene)(struct world *w))
{
    enum err e = ERR_NOMEM;
    int i = 0;
    for (; e && i < 500; i++) {
        arena_init(&w->arena, 16u << 20);
        w->f.text[0] = 0;
        e = scene(w);
        assert_int_equal(left, -1);
        if (e && (e != ERR_NOMEM || !w->f.text[0]))
            fail_msg("after %d allocations: error %d, %s", i, (int)e, w->f.text);
        arena_done(&w->arena);
    }
    assert_int_equal(e, ERR_OK);
    assert_true(i > 1);
}

static int at;

static void poor(void)
{
    left = at++;
}

static enum err makes_a_link(struct world *w)
{
    struct secret *link = NULL;
    int64_t expires;
    poor();
    enum err e = console_link(w->console, STR("anna"), &link, &expires, &w->f);
    left = -1;
    assert_true(!e == (link != NULL) && !e == (w->console->links != NULL));
    secret_free(link);
    return e;
}

static enum err comes_in(struct world *w)
{
    struct secret *link = NULL, *cookie = NULL;
    struct console_who who;
    int64_t expires;
    unsigned before = console_count(w->console);
    assert_int_equal(console_link(w->console, STR("anna"), &link, &expires, &w->f), ERR_OK);
    poor();
    enum err e = console_link_use(w->console, (struct str){(const char *)secret_bytes(link), secret_len(link)},
                                  &w->arena, &who, &cookie, &w->f);
    left = -1;
    assert_true(!e == (cookie != NULL));
    assert_int_equal(console_count(w->console) - before, !e);
    secret_free(link);
    secret_free(cookie);
    return e;
}

static enum err is_asked(struct world *w)
{
    struct passkey_party party;
    poor();
    enum err e = console_party(w->conf, STR("localhost:8421"), &w->arena, &party, &w->f);
    struct str text = e ? STR_NONE : console_challenge(w->console, &party, &w->arena);
    left = -1;
    return text.p ? ERR_OK : fault_set(&w->f, ERR_NOMEM, "no challenge");
}

static enum err enrols(struct world *w)
{
    const struct vector *v = &vectors[0];
    struct passkey_new n;
    struct str challenge = vector_challenge(&w->arena), client = json_of(&w->arena, v->created);
    struct str object = bytes_of(&w->arena, v->object);
    struct arena own;
    arena_init(&own, 1u << 20);
    poor();
    enum err e = passkey_register(&vector_party, challenge, client, object, &own, &n, &w->f);
    struct store_passkey k = {.person = STR("anna"), .rp = vector_party.id, .name = STR("Key")};
    if (!e) {
        k.id = n.id;
        k.jwk = n.jwk;
        k.count = n.count;
        k.may_back_up = n.may_back_up;
        e = passkeys_put(w->passkeys, &k, NULL, &w->f);
    }
    left = -1;
    arena_done(&own);
    return e;
}

static enum err proves(struct world *w)
{
    const struct vector *v = &vectors[0];
    struct store_passkey k;
    struct passkey_proof p = vector_proof(&w->arena, v, 0);
    struct str challenge = vector_challenge(&w->arena), id = bytes_of(&w->arena, v->id);
    struct arena own;
    arena_init(&own, 1u << 20);
    poor();
    enum err e = passkeys_prove(w->passkeys, &vector_party, challenge, id, &p, &own, &k, &w->f);
    left = -1;
    arena_done(&own);
    return e;
}

static void a_link_a_session_and_a_passkey_are_there_or_are_not(void **state)
{
    enum err (*const scenes[])(struct world *) = {makes_a_link, comes_in, is_asked, enrols, proves};
    for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
        at = 0;
        until_rich(*state, scenes[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_link_a_session_and_a_passkey_are_there_or_are_not, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
