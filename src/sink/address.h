/* Where sinks are: scheme://host[:port], for those that are no HTTP, and whom to believe there. */
#ifndef SINK_ADDRESS_H
#define SINK_ADDRESS_H

#include "conf/conf.h"

struct sink_address {
    char host[256]; /* without brackets for IPv6 */
    char port[6];
    bool tls; /* tls://, https:// */
};
/* scheme: the other one than tls, such as "tcp". ERR_CONFIG: f says what would be right. */
enum err sink_address_parse(struct str url, const char *scheme, const char *port, struct sink_address *ret,
                            struct fault *f) MUST_USE;
/* The same for http:// and https://, with whatever comes behind. */
enum err sink_address_http(struct str url, struct fault *f) MUST_USE;
/* Reads ca, certificate and key as they are now. ERR_CONFIG: one of them is none, or goes with TLS alone. */
enum err sink_address_tls(const struct conf_sink *conf, bool tls, struct tls **ret, struct fault *f) MUST_USE;
/* Whether that would go well. */
enum err sink_address_check(const struct conf_sink *conf, bool tls, struct fault *f) MUST_USE;

#endif
