/* How many descriptors the process may have, and who gets them. */
#include <sys/resource.h>

#include "base/log.h"
#include "daemon/house.h"

enum {
    DESCRIPTORS_OWN = 64,      /* of a worker: its loop, and its part of the record, the store and the log */
    DESCRIPTORS_SERVER = 1024, /* to one server over HTTP, as the pool is bounded */
    DESCRIPTORS_CHILD = 3,     /* the pipes of a process */
    DESCRIPTORS_OPERATORS = 256,
    DESCRIPTORS_STREAMS = 64, /* of the record: each reads a file */
    DESCRIPTORS_SHARE = 4     /* one in so many is kept back at most, so that a low limit leaves room for connections */
};

static uint64_t descriptors_inside(const struct conf_root *r)
{
    uint64_t n = DESCRIPTORS_OWN * (uint64_t)r->workers + DESCRIPTORS_STREAMS;
    for (size_t i = 0; i < r->servers.n; i++)
        n += r->servers.v[i].url.n ? DESCRIPTORS_SERVER * (uint64_t)r->workers
                                   : DESCRIPTORS_CHILD * (uint64_t)r->servers.v[i].max_processes;
    return n;
}

/* The soft limit is what a shell or a service manager happened to give; up to the hard one it is ours to choose. */
static uint64_t descriptors_raise(uint64_t wanted)
{
    struct rlimit l;
    if (getrlimit(RLIMIT_NOFILE, &l) < 0)
        return 1024;
    if (l.rlim_cur < wanted) {
        struct rlimit more = {wanted < l.rlim_max ? wanted : l.rlim_max, l.rlim_max};
        if (!setrlimit(RLIMIT_NOFILE, &more))
            l = more;
    }
    return l.rlim_cur;
}

struct house_descriptors house_descriptors(const struct conf_root *r)
{
    uint64_t inside = descriptors_inside(r);
    uint64_t wanted = (uint64_t)r->workers * (uint64_t)r->limits.connections + DESCRIPTORS_OPERATORS + inside;
    uint64_t have = descriptors_raise(wanted);
    if (have < wanted)
        log_warn(
            "descriptors_short", LOG_I("have", have), LOG_I("wanted", wanted),
            LOG_Z("hint", "raise the hard limit (LimitNOFILE= of the unit, ulimit -Hn) or lower limits.connections"));
    uint64_t kept = inside < have / DESCRIPTORS_SHARE ? inside : have / DESCRIPTORS_SHARE;
    if (have > INT32_MAX)
        have = INT32_MAX;
    return (struct house_descriptors){.agents = (int)(have - kept), .operators = (int)(have - kept / 2)};
}
