/* An entry on its way into the record: its JSON, with room for what only the writer knows. Not for others. */
#ifndef AUDIT_ENTRY_H
#define AUDIT_ENTRY_H

#include "audit/audit.h"

struct audit_record { /* one block: this, then the JSON without its sequence number */
    struct audit_record *next;
    struct audit_done *done;
    size_t n;
    size_t hash_at; /* of the 64 hex digits of previousHash */
    size_t seq_at;  /* where the digits of seq belong */
    char bytes[];
};

/* NULL: no memory, or larger than an entry may be. free() gives it back. */
struct audit_record *audit_record_new(const struct audit_entry *e);

#endif
