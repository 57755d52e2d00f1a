/* Mailboxes: whatever is posted is run once, on the worker's thread, in the order of its poster. */
#include "peer.h"

#include <pthread.h>
#include <sys/resource.h>

enum { POSTERS = 4, LETTERS = 5000 };

struct letter {
    struct worker_mail mail;
    unsigned poster, number;
};

static struct {
    struct worker worker;
    uv_thread_t thread; /* where mail is run */
    unsigned next[POSTERS], out_of_order, elsewhere, run;
} box;

static void letter_run(struct worker *w, struct worker_mail *m)
{
    struct letter *l = (struct letter *)m;
    uv_thread_t here = uv_thread_self();
    if (box.run == 0)
        box.thread = here;
    box.elsewhere += !uv_thread_equal(&here, &box.thread) || w != &box.worker;
    box.out_of_order += l->number != box.next[l->poster];
    box.next[l->poster] = l->number + 1;
    box.run++;
    free(l);
}

static void *poster(void *arg)
{
    for (unsigned i = 0; i < LETTERS; i++) {
        struct letter *l = malloc(sizeof(*l));
        *l = (struct letter){.mail.run = letter_run, .poster = (unsigned)(uintptr_t)arg, .number = i};
        worker_post(&box.worker, &l->mail);
    }
    return NULL;
}

static void mail_of_many_threads_keeps_its_order(void **state)
{
    (void)state;
    struct fault f;
    pthread_t threads[POSTERS];
    assert_int_equal(worker_init(&box.worker, 3, &f), ERR_OK);
    assert_int_equal(worker_start(&box.worker, &f), ERR_OK);
    for (uintptr_t i = 0; i < POSTERS; i++)
        pthread_create(&threads[i], NULL, poster, (void *)i);
    for (int i = 0; i < POSTERS; i++)
        pthread_join(threads[i], NULL);
    worker_stop(&box.worker);
    worker_join(&box.worker);
    worker_done(&box.worker);
    assert_int_equal(box.run, POSTERS * LETTERS); /* what was posted before the stop is run before it */
    assert_int_equal(box.out_of_order, 0);
    assert_int_equal(box.elsewhere, 0);
}

struct hops {
    struct worker_mail mail;
    unsigned left;
    sem_t done;
};

static void hop(struct worker *w, struct worker_mail *m)
{
    struct hops *h = (struct hops *)m;
    if (h->left--)
        worker_post(w, m); /* from its own thread, while the box is being emptied */
    else
        sem_post(&h->done);
}

static void mail_may_be_posted_while_mail_is_run(void **state)
{
    (void)state;
    struct worker w;
    struct fault f;
    struct hops h = {.mail.run = hop, .left = 1000};
    sem_init(&h.done, 0, 0);
    assert_int_equal(worker_init(&w, 0, &f), ERR_OK);
    assert_int_equal(worker_start(&w, &f), ERR_OK);
    worker_post(&w, &h.mail);
    told(&h.done);
    worker_stop(&w);
    worker_join(&w);
    worker_done(&w);
}

/* libuv ends the process when there is no memory for more of them. */
static void a_loop_has_room_for_its_descriptors_from_the_start(void **state)
{
    (void)state;
    struct fault f;
    struct rlimit l;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &l), 0);
    assert_int_equal(worker_init(&box.worker, 0, &f), ERR_OK);
    assert_true(box.worker.loop.nwatchers >= (l.rlim_cur < 10000 ? l.rlim_cur : 10000));
    assert_int_equal(worker_start(&box.worker, &f), ERR_OK);
    worker_stop(&box.worker);
    worker_join(&box.worker);
    worker_done(&box.worker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mail_of_many_threads_keeps_its_order),
        cmocka_unit_test(mail_may_be_posted_while_mail_is_run),
        cmocka_unit_test(a_loop_has_room_for_its_descriptors_from_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
