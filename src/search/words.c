#include "search/words.h"

#include <locale.h>
#include <pthread.h>
#include <wctype.h>

static pthread_once_t words_once = PTHREAD_ONCE_INIT;
static locale_t words_locale; /* what Unicode says of characters, whatever the process's own locale is */

static void words_start(void)
{
    words_locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

void words_of(struct words *w, struct str text, bool json)
{
    pthread_once(&words_once, words_start);
    w->p = text.p;
    w->end = text.n ? text.p + text.n : text.p;
    w->json = json;
    w->first = true;
    w->fresh = w->cut = false;
}

enum word_kind { WORD_NONE, WORD_PART, WORD_WHOLE, WORD_ACCENT };

/* Scripts without spaces between words: Thai to Khmer, kana, Han. */
static bool word_stands_alone(uint32_t c)
{
    return (c >= 0x0e01 && c <= 0x0eff) || (c >= 0x1000 && c <= 0x109f) || (c >= 0x1780 && c <= 0x17ff) ||
           (c >= 0x3041 && c <= 0x30ff && c != 0x30fb) || (c >= 0x3400 && c <= 0x9fff) ||
           (c >= 0xf900 && c <= 0xfaff) || (c >= 0x20000 && c <= 0x3ffff);
}

static enum word_kind word_kind_of(uint32_t c)
{
    if (c >= 0x300 && c <= 0x36f)
        return WORD_ACCENT;
    if (word_stands_alone(c))
        return WORD_WHOLE;
    if (!words_locale)
        return WORD_PART;
    return iswalnum_l((wint_t)c, words_locale) ? WORD_PART : WORD_NONE;
}

/* The character at p, whose first byte is beyond ASCII. Broken bytes part words. */
static uint32_t word_decode(const char *p, const char *end, size_t *ret_n)
{
    const unsigned char *u = (const unsigned char *)p;
    size_t left = (size_t)(end - p), n = u[0] >= 0xf0 ? 4 : u[0] >= 0xe0 ? 3 : u[0] >= 0xc2 ? 2 : 1;
    uint32_t c = n == 4 ? u[0] & 7u : n == 3 ? u[0] & 15u : u[0] & 31u;
    *ret_n = 1;
    if (n == 1 || n > left)
        return 0x20;
    for (size_t i = 1; i < n; i++) {
        if ((u[i] & 0xc0) != 0x80)
            return 0x20;
        c = c << 6 | (u[i] & 63u);
    }
    *ret_n = n;
    return c;
}

static size_t word_encode(uint32_t c, char *to)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        to[i] = (char)(0x80 | (c & 63));
    to[0] = (char)((n == 2 ? 0xc0 : n == 3 ? 0xe0 : 0xf0) | c);
    return n;
}

/* Of each ASCII character what it becomes in a word; 0: it is in none. */
#define LETTERS(c) [c] = (c) | 0x20, [(c) | 0x20] = (c) | 0x20
static const char word_ascii[128] = {LETTERS('A'), LETTERS('B'), LETTERS('C'), LETTERS('D'), LETTERS('E'), LETTERS('F'),
                                     LETTERS('G'), LETTERS('H'), LETTERS('I'), LETTERS('J'), LETTERS('K'), LETTERS('L'),
                                     LETTERS('M'), LETTERS('N'), LETTERS('O'), LETTERS('P'), LETTERS('Q'), LETTERS('R'),
                                     LETTERS('S'), LETTERS('T'), LETTERS('U'), LETTERS('V'), LETTERS('W'), LETTERS('X'),
                                     LETTERS('Y'), LETTERS('Z'), ['0'] = '0',  ['1'] = '1',  ['2'] = '2',  ['3'] = '3',
                                     ['4'] = '4',  ['5'] = '5',  ['6'] = '6',  ['7'] = '7',  ['8'] = '8',  ['9'] = '9'};
#undef LETTERS

/* Passes over what is in no word. */
static void words_skip(struct words *w)
{
    while (w->p < w->end) {
        unsigned char c = (unsigned char)*w->p;
        size_t n = 1;
        if (c < 0x80) {
            if (word_ascii[c])
                return;
            if (w->json && c == '"')
                w->fresh = true;
            if (w->json && c == '\\' && w->p + 1 < w->end)
                n = w->p[1] == 'u' ? 6 : 2;
        } else {
            enum word_kind kind = word_kind_of(word_decode(w->p, w->end, &n));
            if (kind == WORD_PART || kind == WORD_WHOLE)
                return;
        }
        w->p += n < (size_t)(w->end - w->p) ? n : (size_t)(w->end - w->p);
    }
}

bool words_next(struct words *w, struct str *ret)
{
    size_t n = 0, bytes;
    w->fresh = w->first;
    w->first = w->cut = false;
    words_skip(w);
    while (w->p < w->end) {
        unsigned char c = (unsigned char)*w->p;
        char folded = c < 0x80 ? word_ascii[c] : 0;
        if (folded) {
            if (n < WORD_BYTES)
                w->word[n++] = folded;
            else
                w->cut = true;
            w->p++;
            continue;
        }
        uint32_t wide = c < 0x80 ? 0x20 : word_decode(w->p, w->end, &bytes);
        enum word_kind kind = c < 0x80 ? WORD_NONE : word_kind_of(wide);
        if (kind == WORD_NONE || (kind == WORD_WHOLE && n))
            break;
        w->p += bytes;
        if (kind != WORD_ACCENT && n < WORD_BYTES)
            n += word_encode(words_locale ? (uint32_t)towlower_l((wint_t)wide, words_locale) : wide, w->word + n);
        else if (kind != WORD_ACCENT)
            w->cut = true;
        if (kind == WORD_WHOLE)
            break;
    }
    *ret = (struct str){w->word, n};
    return n > 0;
}

/* ---- what a question wants ---- */

/* The words of one piece of the text: a group. */
static bool wanted_group(struct wanted *ret, size_t *used, struct str piece, bool prefix)
{
    struct words w;
    struct str word;
    unsigned before = ret->n;
    words_of(&w, piece, false);
    while (words_next(&w, &word)) {
        if (ret->n == WANTED_WORDS || *used + word.n > sizeof(ret->bytes))
            return false;
        memcpy(ret->bytes + *used, word.p, word.n);
        ret->v[ret->n++] = (struct wanted_word){.word = {ret->bytes + *used, word.n}};
        *used += word.n;
    }
    if (ret->n == before)
        return true;
    ret->v[ret->n - 1].last = true;
    ret->v[ret->n - 1].prefix = prefix && !w.cut;
    ret->groups |= 1u << (ret->n - 1);
    return true;
}

bool wanted_read(struct str text, struct wanted *ret)
{
    const char *p = text.p, *end = text.n ? text.p + text.n : text.p;
    size_t used = 0;
    ret->n = ret->groups = 0;
    if (text.n > WANTED_BYTES)
        return false;
    while (p < end) {
        if ((unsigned char)*p <= ' ') {
            p++;
            continue;
        }
        bool quoted = *p == '"';
        const char *from = p + quoted;
        for (p = from; p < end && (quoted ? *p != '"' : (unsigned char)*p > ' ' && *p != '"'); p++)
            ;
        struct str piece = {from, (size_t)(p - from)};
        p += quoted && p < end;
        bool prefix = quoted ? p < end && *p == '*' : piece.n && piece.p[piece.n - 1] == '*';
        if (!wanted_group(ret, &used, piece, prefix))
            return false;
    }
    return ret->n > 0;
}

void wanted_look(struct wanted_seen *s, struct str text, bool json)
{
    struct words w;
    struct str word;
    words_of(&w, text, json);
    s->open = 0;
    while (s->found != s->w->groups && words_next(&w, &word)) {
        uint32_t open = 0, before = w.fresh ? 0 : s->open;
        for (unsigned i = 0; i < s->w->n; i++) {
            const struct wanted_word *v = &s->w->v[i];
            bool begins = i == 0 || s->w->v[i - 1].last;
            if ((begins || (before >> (i - 1) & 1)) && (v->prefix ? str_starts(word, v->word) : str_eq(word, v->word)))
                open |= 1u << i;
        }
        s->open = open;
        s->found |= open & s->w->groups;
    }
}

bool wanted_found(const struct wanted_seen *s)
{
    return s->found == s->w->groups;
}
