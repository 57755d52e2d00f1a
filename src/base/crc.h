/* CRC-32C (Castagnoli, RFC 3720 appendix B.4): finds what a disk did to bytes, not what a person did. */
#ifndef BASE_CRC_H
#define BASE_CRC_H

#include <stddef.h>
#include <stdint.h>

/* Goes on from crc; 0 at the start. */
uint32_t crc32c(uint32_t crc, const void *p, size_t n);

#endif
