#include "json_simdjson.h"

#include <simdjson.h>

struct simdjson_parser {
    simdjson::dom::parser dom;
};

struct simdjson_parser *simdjson_new(void)
{
    return new simdjson_parser;
}

void simdjson_free(struct simdjson_parser *p)
{
    delete p;
}

bool simdjson_parse(struct simdjson_parser *p, const char *text, size_t n)
{
    return p->dom.parse(text, n, false).error() == simdjson::SUCCESS;
}

const char *simdjson_kernel(void)
{
    static const std::string name = simdjson::get_active_implementation()->name();
    return name.c_str();
}
