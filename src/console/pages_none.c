/* The table of a program that was built without the console's pages. */
#include "console/pages.h"

const struct console_page console_pages[] = {{0}};
const size_t console_page_count = 0;
