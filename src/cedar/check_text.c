/*
 * Strings that are not what they look like: characters that turn the direction of what follows, characters that are not
 * seen, letters of several scripts in one word. A policy that compares with one may never match, or match another than
 * its reader thinks; so it is a warning.
 *
 * Scripts are known by their letters' blocks, those that have look-alikes first of all; a letter of no block here goes
 * with every script (https://www.unicode.org/reports/tr39/).
 */
#include "cedar/check.h"
#include "cedar/lex.h"

enum {
    LATIN = 1,
    GREEK = 2,
    CYRILLIC = 4,
    ARMENIAN = 8,
    HEBREW = 16,
    ARABIC = 32,
    INDIC = 64,
    THAI = 128,
    GEORGIAN = 256,
    CHEROKEE = 512,
    JAPANESE = 1024,
    KOREAN = 2048,
    BOPOMOFO = 4096,
    HAN = JAPANESE | KOREAN | BOPOMOFO,
    ANY = -1,
};

static const struct {
    uint32_t first, last;
    int script;
} blocks[] = {
    {0x41, 0x5a, LATIN},        {0x61, 0x7a, LATIN},        {0xc0, 0xd6, LATIN},        {0xd8, 0xf6, LATIN},
    {0xf8, 0x2b8, LATIN},       {0x370, 0x373, GREEK},      {0x375, 0x377, GREEK},      {0x37a, 0x37d, GREEK},
    {0x37f, 0x37f, GREEK},      {0x386, 0x386, GREEK},      {0x388, 0x3ff, GREEK},      {0x400, 0x52f, CYRILLIC},
    {0x531, 0x58a, ARMENIAN},   {0x591, 0x5f4, HEBREW},     {0x620, 0x63f, ARABIC},     {0x641, 0x64a, ARABIC},
    {0x671, 0x6d3, ARABIC},     {0x750, 0x77f, ARABIC},     {0x900, 0xdff, INDIC},      {0xe01, 0xe3a, THAI},
    {0xe40, 0xe4e, THAI},       {0x10a0, 0x10fa, GEORGIAN}, {0x10fc, 0x10ff, GEORGIAN}, {0x1100, 0x11ff, KOREAN},
    {0x13a0, 0x13fd, CHEROKEE}, {0x1c80, 0x1c88, CYRILLIC}, {0x1c90, 0x1cbf, GEORGIAN}, {0x1d00, 0x1d25, LATIN},
    {0x1e00, 0x1eff, LATIN},    {0x1f00, 0x1ffe, GREEK},    {0x2c60, 0x2c7f, LATIN},    {0x2de0, 0x2dff, CYRILLIC},
    {0x3005, 0x3007, HAN},      {0x3041, 0x3096, JAPANESE}, {0x30a1, 0x30fa, JAPANESE}, {0x3105, 0x312f, BOPOMOFO},
    {0x3131, 0x318e, KOREAN},   {0x3400, 0x4dbf, HAN},      {0x4e00, 0x9fff, HAN},      {0xa640, 0xa69f, CYRILLIC},
    {0xa722, 0xa787, LATIN},    {0xab70, 0xabbf, CHEROKEE}, {0xac00, 0xd7a3, KOREAN},   {0xf900, 0xfad9, HAN},
    {0xff21, 0xff3a, LATIN},    {0xff41, 0xff5a, LATIN},    {0x20000, 0x323af, HAN},
};

static int script(uint32_t u)
{
    size_t low = 0, high = sizeof(blocks) / sizeof(blocks[0]);
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (u < blocks[middle].first)
            high = middle;
        else if (u > blocks[middle].last)
            low = middle + 1;
        else
            return blocks[middle].script;
    }
    return ANY;
}

static bool turns(uint32_t u)
{
    return (u >= 0x202a && u <= 0x202e) || (u >= 0x2066 && u <= 0x2069);
}

static bool hidden(uint32_t u)
{
    return u < 0x20 || (u >= 0x7f && u < 0xa0) || u == 0xad || u == 0x34f || u == 0x61c || u == 0x180e ||
           (u >= 0x200b && u <= 0x200f) || u == 0x2028 || u == 0x2029 || (u >= 0x2060 && u <= 0x206f) || u == 0xfeff ||
           (u >= 0xfff0 && u <= 0xfffb) || (u >= 0xe000 && u <= 0xf8ff) || u >= 0xe0000;
}

void cedar_check_text(struct cedar_check *c, uint32_t at, struct str s, bool name)
{
    int scripts = ANY;
    uint32_t bad = 0;
    bool plain = true;
    for (size_t i = 0; i < s.n && plain; i++) /* nearly all are */
        plain = (unsigned char)s.p[i] >= 0x20 && (unsigned char)s.p[i] < 0x7f;
    if (plain || !c->warnings || s.n > UINT32_MAX)
        return;
    for (uint32_t i = 0; i < s.n && !bad;) {
        uint32_t u = cedar_utf8_get(s, &i);
        scripts &= script(u);
        if (turns(u) || (name && hidden(u)))
            bad = u ? u : UINT32_MAX;
    }
    if (bad && turns(bad))
        cedar_check_warn(c, at,
                         "a string with a character that turns the direction of text (U+%04X): write it as \\u{%x}",
                         bad, bad);
    else if (bad)
        cedar_check_warn(c, at, "a name with a character that is not seen (U+%04X): take it out",
                         bad == UINT32_MAX ? 0 : bad);
    else if (scripts == 0)
        cedar_check_warn(c, at, "a %s with letters of several scripts, which may look alike: write it in one",
                         name ? "name" : "string");
}
