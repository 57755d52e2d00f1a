/*
 * What an event means to those who do not know this record: a kind of activity, how grave it is, and how it ended. By
 * event, once, for all formats.
 */
#ifndef SINK_MEANING_H
#define SINK_MEANING_H

#include "audit/audit.h"

enum meaning_activity { /* OCSF API Activity, activity_id */
                        ACTIVITY_CREATE = 1,
                        ACTIVITY_READ = 2,
                        ACTIVITY_UPDATE = 3,
                        ACTIVITY_DELETE = 4,
                        ACTIVITY_OTHER = 99
};
enum meaning_level { LEVEL_INFO, LEVEL_LOW, LEVEL_MEDIUM, LEVEL_HIGH };
/* OCSF status_id, less "other". */
enum meaning_status { STATUS_UNKNOWN = 0, STATUS_SUCCESS = 1, STATUS_FAILURE = 2 };

struct meaning {
    const char *name;               /* for people, short */
    enum meaning_activity activity; /* … */
    const char *verb;               /* … its name */
    enum meaning_level level;
    enum meaning_status status; /* of entries that hold no result of their own */
    bool outcome;               /* of something that was asked: its result says how grave it is */
};
/* Of a name that is not known: something else, of no weight. */
const struct meaning *meaning_of(struct str event);
/* With what the entry's `result` says, or empty. */
enum meaning_level meaning_level(const struct meaning *m, struct str result);
enum meaning_status meaning_status(const struct meaning *m, struct str result);

#endif
