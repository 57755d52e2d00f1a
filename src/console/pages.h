/*
 * The console's pages, as bytes of the program: made by console/build.mjs when Doorward is built, served by
 * console_page() (console.h). With -Dconsole=disabled the table has none, and the page routes say how to build them.
 *
 * What is in the table:
 *   "/index.html"          the one page; served for /, /sign-in, /approvals/{id}, /reviews, /activity and /account
 *   "/assets/NAME-HASH.js"  and .css, .svg: the hash is of their bytes, so that a name never means something else
 *
 * Headers are of the server, for all of them; a page that needs another one says so to console_page(), not here.
 *
 * Who generates this:
 *   - `path` is the whole path, with its first slash; no two are the same.
 *   - `type` is the whole Content-Type: "text/html; charset=utf-8", "text/javascript; charset=utf-8", "text/css;
 * charset=utf-8", "image/svg+xml".
 *   - `plain` and `plain_n` are always there. `gzip` is NULL, and `gzip_n` 0, where it would save nothing; its bytes
 * must be the same in each build of the same sources (no time, no name in its header).
 *   - `etag` is quoted and strong, of the plain bytes: "\"9f86d081884c7d65\"". The server sets another for gzip itself.
 *   - `immutable`: kept for a year by a browser, since its path has a hash of it. Never of index.html.
 *   - In meson: console/meson.build is read before src/, and sets console_pages_c to its custom_target;
 * src/console/meson.build takes that, or pages_none.c when it is not set.
 *   - A table with none is one row of zeroes (ISO C has no empty array) and a count of 0.
 */
#ifndef CONSOLE_PAGES_H
#define CONSOLE_PAGES_H

#include <stdbool.h>
#include <stddef.h>

struct console_page {
    const char *path, *type;
    const unsigned char *plain, *gzip;
    unsigned plain_n, gzip_n;
    const char *etag;
    bool immutable;
};

extern const struct console_page console_pages[];
extern const size_t console_page_count;

#endif
