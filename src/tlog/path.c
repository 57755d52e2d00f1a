#include <stdio.h>

#include "tlog/tlog.h"

enum { PATH_LEVELS = 64, PATH_GROUP = 1000, PATH_INDEX_BITS = 55 /* a tree has fewer than 2^63 leaves */ };

/* "x001/x234/067": three digits at a time, and an x before all but the last (tlog-tiles, "Merkle Tree"). */
void tlog_tile_path(unsigned level, uint64_t index, unsigned width, char ret[TLOG_PATH])
{
    unsigned group[8], n = 0; /* the lowest first */
    size_t at = 0;
    do {
        group[n++] = (unsigned)(index % PATH_GROUP);
        index /= PATH_GROUP;
    } while (index);
    at += (size_t)(level == TLOG_ENTRIES ? snprintf(ret, TLOG_PATH, "tile/entries")
                                         : snprintf(ret, TLOG_PATH, "tile/%u", level));
    while (n--)
        at += (size_t)snprintf(ret + at, TLOG_PATH - at, n ? "/x%03u" : "/%03u", group[n]);
    if (width < TLOG_WIDTH)
        snprintf(ret + at, TLOG_PATH - at, ".p/%u", width);
}

static bool path_number(struct str s, uint64_t max, unsigned *ret)
{
    uint64_t v;
    if (!str_u64(s, &v) || v > max)
        return false;
    *ret = (unsigned)v;
    return true;
}

static bool path_index(struct str *rest, uint64_t *ret)
{
    uint64_t index = 0;
    struct str part;
    for (bool more = true; more;) {
        unsigned group;
        struct str digits;
        str_cut(rest, '/', &part);
        more = part.n && part.p[0] == 'x';
        part = str_skip(part, more);
        str_cut(&part, '.', &digits); /* behind the last one may stand ".p" */
        if (!path_number(digits, PATH_GROUP - 1, &group) || index >> PATH_INDEX_BITS)
            return false;
        index = index * PATH_GROUP + group;
    }
    *ret = index;
    return index >> PATH_INDEX_BITS == 0;
}

/* Read without much care, and then it must be what would be written. */
enum err tlog_tile_parse(struct str path, unsigned *ret_level, uint64_t *ret_index, unsigned *ret_width)
{
    char again[TLOG_PATH];
    struct str rest = path, tile, level, width = STR_NONE;
    unsigned l = TLOG_ENTRIES, w = TLOG_WIDTH;
    uint64_t index;
    if (path.n >= TLOG_PATH)
        return ERR_SYNTAX;
    str_cut(&rest, '/', &tile);
    str_cut(&rest, '/', &level);
    if (!str_is(level, "entries") && !path_number(level, PATH_LEVELS - 1, &l))
        return ERR_SYNTAX;
    if (!path_index(&rest, &index))
        return ERR_SYNTAX;
    width = rest;
    if (width.n && (!path_number(width, TLOG_WIDTH - 1, &w) || w == 0))
        return ERR_SYNTAX;
    tlog_tile_path(l, index, w, again);
    if (!str_is(path, again))
        return ERR_SYNTAX;
    *ret_level = l;
    *ret_index = index;
    *ret_width = w;
    return ERR_OK;
}
