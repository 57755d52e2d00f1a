/* simdjson's DOM parser for C, for bench_json. */
#ifndef BENCH_JSON_SIMDJSON_H
#define BENCH_JSON_SIMDJSON_H

#include <stdbool.h>
#include <stddef.h>

#define SIMDJSON_PADDING_BYTES 64 /* readable behind the text */

#ifdef __cplusplus
extern "C" {
#endif
struct simdjson_parser;
struct simdjson_parser *simdjson_new(void);
void simdjson_free(struct simdjson_parser *p);
bool simdjson_parse(struct simdjson_parser *p, const char *text, size_t n);
const char *simdjson_kernel(void); /* the instruction set that it chose */
#ifdef __cplusplus
}
#endif

#endif
