#include "notify/notify.h"

const struct notifier *const notifiers[] = {[CONF_CHANNEL_SLACK] = &notify_slack,
                                            [CONF_CHANNEL_TEAMS] = &notify_teams,
                                            [CONF_CHANNEL_PAGERDUTY] = &notify_pagerduty,
                                            [CONF_CHANNEL_WEBHOOK] = &notify_webhook,
                                            [CONF_CHANNEL_EMAIL] = &notify_email};
