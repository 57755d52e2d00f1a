/* Writing what audit_large() reads. Not for others. */
#ifndef AUDIT_LARGE_H
#define AUDIT_LARGE_H

#include "audit/audit.h"

/* On the disk when it returns. ret_hex: SHA-256 of the bytes, where they are found again. ERR_AUDIT. */
enum err large_put(const char *dir, struct str bytes, char ret_hex[2 * SHA256_BYTES + 1], struct fault *f) MUST_USE;

#endif
