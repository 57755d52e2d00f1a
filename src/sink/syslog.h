/* One message of syslog (RFC 5424). Pure. */
#ifndef SINK_SYSLOG_H
#define SINK_SYSLOG_H

#include "sink/format.h"

/* Appends "LENGTH SP MESSAGE" (RFC 6587, 3.4.1: octet counting). host: as in HOSTNAME; text: what `format` makes of the
 * entry. False: the entry has no such form, or memory was wanting, which out says. */
bool syslog_write(const struct sink_entry *e, const char *host, const struct sink_format *format, struct buf *scratch,
                  struct buf *out);

#endif
