/* The clean end: no new calls, those in flight finish or are cancelled and recorded, then everything else. Worker 0. */
#ifndef DAEMON_STOP_H
#define DAEMON_STOP_H

#include "daemon/house.h"

void house_stop(struct house *h);

#endif
