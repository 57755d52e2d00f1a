/* Calls of this worker that wait for a person: their requests are held open for a while, and some are told meanwhile.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "gate/gate.h"
#include "gate/stage.h"

enum { HOLD_TICK_MS = 100 };
#define HOLD_AWAKE_NS (10 * INT64_C(1000000000)) /* from one word to the next */

/* The number has to grow, and the server's own, which may follow, begin at 0: the seconds that are left, below zero. */
static void hold_tell(struct call *c, int64_t now)
{
    char number[32], message[128];
    int64_t left_ms = (c->asked_until - now) / 1000000;
    c->hold_told = now;
    if (left_ms <= 0)
        return;
    snprintf(number, sizeof(number), "-%lld.%03lld", (long long)left_ms / 1000, (long long)left_ms % 1000);
    snprintf(message, sizeof(message), "waits for a person to approve the call (%s)", c->wait.id);
    c->face->progress(c, str_of(number), STR_NONE, str_of(message));
}

static void hold_look(struct call *c, int64_t now)
{
    if (c->hold == HOLD_PROGRESS && now - c->hold_told >= HOLD_AWAKE_NS)
        hold_tell(c, now);
    if (now >= c->hold_until)
        approval_put_off(c);
}

static void hold_tick(uv_timer_t *t)
{
    struct gate_worker *w = t->data;
    int64_t now = clock_mono_ns();
    for (struct call *c = w->holds, *next; c; c = next) {
        next = c->hold_next; /* what is put off ends, and only that one */
        hold_look(c, now);
    }
    if (!w->holds && w->tick)
        uv_timer_stop(t);
}

static bool hold_timer(struct gate_worker *w)
{
    if (!w->tick) {
        if (!(w->tick = calloc(1, sizeof(*w->tick))))
            return false;
        uv_timer_init(&w->worker->loop, w->tick);
        w->tick->data = w;
    }
    if (!uv_is_active((uv_handle_t *)w->tick))
        uv_timer_start(w->tick, hold_tick, HOLD_TICK_MS, HOLD_TICK_MS);
    return true;
}

void hold_enter(struct call *c)
{
    struct gate_worker *w = c->gate;
    c->hold_next = w->holds;
    c->hold_link = &w->holds;
    if (w->holds)
        w->holds->hold_link = &c->hold_next;
    w->holds = c;
    if (!hold_timer(w))
        c->hold = HOLD_REPEAT; /* it is told when it is decided */
    else if (c->hold == HOLD_PROGRESS)
        hold_tell(c, clock_mono_ns());
}

void hold_leave(struct call *c)
{
    if (!c->hold_link)
        return;
    *c->hold_link = c->hold_next;
    if (c->hold_next)
        c->hold_next->hold_link = c->hold_link;
    c->hold_link = NULL;
}

static void hold_closed(uv_handle_t *h)
{
    free(h);
}

void hold_stop(struct gate_worker *w)
{
    for (struct call *c = w->holds, *next; c; c = next) {
        next = c->hold_next;
        approval_put_off(c);
    }
    if (w->tick)
        uv_close((uv_handle_t *)w->tick, hold_closed);
    w->tick = NULL;
}
