/* Signatures of Standard Webhooks (standardwebhooks.com, "v1": HMAC-SHA-256 over id.timestamp.body). Pure. */
#ifndef SINK_WEBHOOK_H
#define SINK_WEBHOOK_H

#include "base/secret.h"

/* The key of "whsec_<base64>", or of base64 alone: 24 to 64 bytes, as the specification wants. ERR_CONFIG. */
enum err webhook_key(const struct secret *text, struct secret **ret, struct fault *f) MUST_USE;
/* "v1,<base64>" */
enum { WEBHOOK_SIGNATURE = 64 };
enum err webhook_sign(const struct secret *key, const char *id, int64_t seconds, struct str body,
                      char ret[WEBHOOK_SIGNATURE], struct fault *f) MUST_USE;

#endif
