/* simdjson's DOM as the second opinion on a text. */
#ifndef FUZZ_JSON_ORACLE_H
#define FUZZ_JSON_ORACLE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif
enum oracle { ORACLE_TAKES, ORACLE_REFUSES, ORACLE_NUMBER, ORACLE_NO_OPINION };
/* ORACLE_NUMBER: refused for a number; beyond a double is no fault for us. ORACLE_NO_OPINION: deeper than its bound. */
enum oracle oracle_judge(const char *text, size_t n);
#ifdef __cplusplus
}
#endif

#endif
