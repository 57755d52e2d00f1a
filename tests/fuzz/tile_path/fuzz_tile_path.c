/* Any bytes as a tile's path: one form for one tile, and never a way out of the folder. */
#include "../fuzz.h"
#include "tlog/tlog.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    struct str bytes = {(const char *)p, n};
    char again[TLOG_PATH];
    unsigned level, width;
    uint64_t index;
    enum err e = tlog_tile_parse(bytes, &level, &index, &width);
    CHECK(e == ERR_OK || e == ERR_SYNTAX);
    if (e)
        return 0;
    CHECK(level <= TLOG_ENTRIES && width >= 1 && width <= TLOG_WIDTH && index >> 55 == 0);
    tlog_tile_path(level, index, width, again);
    CHECK(str_is(bytes, again) && !strstr(again, "..") && !strstr(again, "//"));
    return 0;
}
