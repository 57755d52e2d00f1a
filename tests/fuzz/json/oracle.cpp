#include "oracle.h"

#include <simdjson.h>

enum oracle oracle_judge(const char *text, size_t n)
{
    static simdjson::dom::parser parser;
    switch (parser.parse(text, n).error()) {
    case simdjson::SUCCESS: return ORACLE_TAKES;
    case simdjson::NUMBER_ERROR: return ORACLE_NUMBER;
    case simdjson::DEPTH_ERROR:
    case simdjson::CAPACITY:
    case simdjson::MEMALLOC: return ORACLE_NO_OPINION;
    default: return ORACLE_REFUSES;
    }
}
