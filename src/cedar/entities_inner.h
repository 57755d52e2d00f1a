/* What a store and its builder are made of; for the files entities*.c. */
#ifndef CEDAR_ENTITIES_INNER_H
#define CEDAR_ENTITIES_INNER_H

#include "cedar/entities.h"

struct cedar_parents {
    const struct cedar_uid **uid; /* direct ones, in the order of cedar_uid_cmp */
    uint32_t n;
};

/* A slot knows 32 bits of its uid's hash, so that another entity's memory is hardly ever touched. */
struct cedar_slot {
    uint32_t tag, entity;
};

/*
 * Found by hash: its first bits choose a run of slots, which are in the order of hash and uid. Runs are short with
 * hashes as they come, and halved when somebody has made them long.
 */
struct cedar_entities {
    struct arena arena; /* of names, values and ancestors */
    struct cedar_entity *entity;
    struct cedar_parents *parents; /* one for each entity */
    uint32_t n, cap;
    uint32_t *run; /* slots of run i: from run[i] to run[i + 1] */
    struct cedar_slot *slot;
    unsigned bits; /* there are 1 << bits runs */
};

#define CEDAR_RECENT 256
struct cedar_entities_new {
    struct cedar_entities *store;
    size_t memory;
    const struct cedar_schema *schema; /* of the last cedar_entities_read that had one */
    struct str recent[CEDAR_RECENT];   /* names and short texts come again and again */
    const struct cedar_uid *recent_uid[CEDAR_RECENT];
};

/* Room for the table, and all of it; the entities' hashes are what counts. False: no memory. */
bool cedar_entities_table(struct cedar_entities *s);
/* Removes entities that stand there twice with the same content. */
enum err cedar_entities_unique(struct cedar_entities *s, struct fault *f) MUST_USE;
/* Computes all ancestors. */
enum err cedar_entities_close(struct cedar_entities *s, struct fault *f) MUST_USE;

static inline unsigned cedar_entities_run(const struct cedar_entities *s, uint64_t hash)
{
    return s->bits ? (unsigned)(hash >> (64 - s->bits)) : 0;
}

/* `Type::"id"` for messages, shortened. */
#define CEDAR_UID_TEXT 160
const char *cedar_uid_text(const struct cedar_uid *uid, char room[static CEDAR_UID_TEXT]);
#define CEDAR_UID_WORDS(uid) cedar_uid_text((uid), (char[CEDAR_UID_TEXT]){0})

#endif
