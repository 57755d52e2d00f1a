/*
 * Pins: the definition of each tool as it was when it was first seen, or as an operator accepted it last. A server can
 * change what a tool says of itself after people have looked at it; a tool whose definition is not the pinned one is
 * withheld: in no list, and its calls are refused. The server's other tools stay.
 *
 * All hashes in memory, written through to the store, definitions in the store only. Fails closed: what could not be
 * pinned is not served.
 *
 * Threads: pins_lack, pins_judge, pins_tell on worker 0, without waiting for the disk. pins_first, pins_accept and
 * pins_read block on the store: pool threads only.
 */
#ifndef CONNECT_PINS_H
#define CONNECT_PINS_H

#include "connect/catalogue.h"
#include "store/store.h"

struct pins;
struct tool_set; /* connect/inner.h */

enum pin_event { PIN_PINNED, PIN_NEW, PIN_CHANGED, PIN_RESTORED };
/* Each once when it happens, and, of what is still withheld, once more after a restart. before: the pinned hash, empty
 * when there is none. On worker 0 or a pool thread. */
typedef void pin_told(void *ctx, enum pin_event event, const struct tool *t, struct str before);

enum err pins_new(struct store *store, pin_told *told, void *ctx, struct pins **ret, struct fault *f) MUST_USE;
void pins_free(struct pins *p);

/* Has a tool of the set no pin? */
bool pins_lack(struct pins *p, const struct tool_set *set);
/* Trust on first use: pins the set's tools that have no pin, all or none of them. */
enum err pins_first(struct pins *p, const struct tool_set *set, struct fault *f) MUST_USE;
/* Fills `pin` of each tool. strict: what has no pin waits for an operator. */
void pins_judge(struct pins *p, struct tool_set *set, bool strict);
/* One that has a pin. Any thread. */
void pins_judge_one(struct pins *p, struct tool *t);
/* Tells what has changed since it was told last. */
void pins_tell(struct pins *p, const struct tool_set *set, bool strict);
/* This definition is the pin from now on. ret_before: the hash before, empty when there was none. */
enum err pins_accept(struct pins *p, const struct tool *t, struct str by, char ret_before[65],
                     struct fault *f) MUST_USE;
/* A tool's pin, whole, in the arena. ERR_NOT_FOUND. */
enum err pins_read(struct pins *p, struct str tool, struct arena *a, struct store_pin *ret, struct fault *f) MUST_USE;

/* For the record: {"hash":…,"pinned":…} in ret, canonical. */
struct str pin_details(const char *hash, struct str before, char *ret, size_t n);
const char *pin_word(enum tool_pin pin);   /* "changed", "new", "unpinned"; NULL: served */
const char *pin_reason(enum tool_pin pin); /* why it is withheld, for people and models */

#endif
