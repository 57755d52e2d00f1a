/*
 * Runs of bytes for the JSON parser: what needs no look in a string, white space, digits, characters beyond ASCII. 16
 * bytes at a time where the machine has SSE2; nothing behind `end` is read. For json_parse.c and json_out.c.
 */
#ifndef BASE_JSON_SCAN_H
#define BASE_JSON_SCAN_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Skips bytes of a string that are not a quote, not a backslash, not a control, and ASCII. */
static inline const char *scan_plain(const char *p, const char *end)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), back = _mm_set1_epi8('\\'), space = _mm_set1_epi8(0x20);
    while (end - p >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        /* signed: bytes from 0x80 on are negative and so below 0x20 too */
        __m128i bad =
            _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, back)), _mm_cmplt_epi8(v, space));
        int mask = _mm_movemask_epi8(bad);
        if (mask)
            return p + __builtin_ctz((unsigned)mask);
        p += 16;
    }
#endif
    while (p < end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80 && *p != '"' && *p != '\\')
        p++;
    return p;
}

#ifdef __SSE2__
#define SCAN_BLOCK 64
/* The bytes of a block that scan_plain stops at, as bits. */
static inline uint64_t scan_block(const char *p)
{
    const __m128i quote = _mm_set1_epi8('"'), back = _mm_set1_epi8('\\'), space = _mm_set1_epi8(0x20);
    uint64_t mask = 0;
    for (int i = 0; i < 4; i++) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
        __m128i bad =
            _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, back)), _mm_cmplt_epi8(v, space));
        mask |= (uint64_t)(unsigned)_mm_movemask_epi8(bad) << 16 * i;
    }
    return mask;
}
#endif

static inline const char *scan_space(const char *p, const char *end)
{
    if (p < end && (unsigned char)*p > ' ') /* nearly always, in what machines write */
        return p;
    if (end - p >= 2 && *p == ' ' && (unsigned char)p[1] > ' ')
        return p + 1;
#ifdef __SSE2__
    const __m128i space = _mm_set1_epi8(' '), line = _mm_set1_epi8('\n'), back = _mm_set1_epi8('\r'),
                  tab = _mm_set1_epi8('\t');
    while (end - p >= 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i white = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, space), _mm_cmpeq_epi8(v, line)),
                                     _mm_or_si128(_mm_cmpeq_epi8(v, back), _mm_cmpeq_epi8(v, tab)));
        int mask = _mm_movemask_epi8(white) ^ 0xffff;
        if (mask)
            return p + __builtin_ctz((unsigned)mask);
        p += 16;
    }
#endif
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    return p;
}

static inline const char *scan_digits(const char *p, const char *end)
{
#ifdef __SSE2__
    while (end - p >= 16) {
        __m128i v = _mm_sub_epi8(_mm_loadu_si128((const __m128i *)(const void *)p), _mm_set1_epi8('0'));
        int mask = _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(9)), v)) ^ 0xffff;
        if (mask)
            return p + __builtin_ctz((unsigned)mask);
        p += 16;
    }
#endif
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p;
}

/* Bytes of the character beyond ASCII whose first four bytes are v (the first one lowest), by table 3-7 of the Unicode
 * standard; 0 when it is ill-formed. */
static inline size_t scan_utf8(uint32_t v)
{
    if ((v & 0xc0c0f0) == 0x8080e0) { /* not over-long: E0 80…9F; no surrogate: ED A0…BF */
        uint32_t x = v & 0x200f;
        return x && x != 0x200d ? 3 : 0;
    }
    if ((v & 0xc0e0) == 0x80c0)
        return v & 0x1e ? 2 : 0;
    if ((v & 0xc0c0c0f8) == 0x808080f0) { /* F0 90…BF, F1…F3, F4 80…8F */
        uint32_t lead = v & 7, second = v & 0x3000;
        return (lead == 0 && second) || (lead >= 1 && lead <= 3) || (lead == 4 && !second) ? 4 : 0;
    }
    return 0;
}

/* Skips well-formed characters beyond ASCII: stops at ASCII, at the end, or at the first ill-formed one. */
static inline const char *scan_beyond_ascii(const char *p, const char *end)
{
    while (p < end && (unsigned char)*p >= 0x80) {
        uint32_t v = 0; /* what is missing at the end is 0 and so continues nothing */
        if (end - p >= 4)
            memcpy(&v, p, 4);
        else
            for (int i = 0; i < end - p; i++)
                v |= (uint32_t)(unsigned char)p[i] << 8 * i;
        size_t n = scan_utf8(end - p >= 4 ? le32toh(v) : v);
        if (!n)
            break;
        p += n;
    }
    return p;
}

#endif
