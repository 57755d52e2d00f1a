/* What the listeners show: when it ends, and how the command line on this machine knows the operators' API. */
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/house.h"

enum { CERTIFICATE_SOON_S = 14 * 86400 };

static void certificate_tell(const char *listener, const struct conf_tls *v)
{
    if (!v->tls)
        return;
    time_t at = (time_t)tls_expires(v->tls);
    struct tm tm;
    char text[32];
    gmtime_r(&at, &tm);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    log_at(at - time(NULL) < CERTIFICATE_SOON_S ? LOG_WARN : LOG_INFO, "certificate", LOG_Z("listener", listener),
           LOG_S("file", v->certificate), LOG_Z("expires", text));
}

/* Beside the operator's token, for the same reader: data_dir/operator.pin, replaced in one go. */
static void certificate_pin(const struct conf_root *r)
{
    char pin[TLS_PIN], path[4096], fresh[4096];
    if (!r->admin.tls.tls)
        return;
    tls_pin(r->admin.tls.tls, pin);
    snprintf(path, sizeof(path), STR_FMT "/operator.pin", STR_ARG(r->data_dir));
    snprintf(fresh, sizeof(fresh), STR_FMT "/operator.pin.new", STR_ARG(r->data_dir));
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t n = strlen(pin);
    bool ok = fd >= 0 && write(fd, pin, n) == (ssize_t)n;
    if (fd >= 0)
        close(fd);
    if (!ok || rename(fresh, path) != 0)
        log_warn("certificate_not_pinned", LOG_Z("file", path));
}

void house_certificates(const struct conf_root *r)
{
    certificate_tell("agents", &r->tls);
    certificate_tell("operators", &r->admin.tls);
    certificate_pin(r);
}
