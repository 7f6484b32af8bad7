/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The handlers of ListEvents, which may go on as events happen, and ListEventKinds. */
#ifndef SYNMOAT_CONTROL_EVENT_METHODS_H
#define SYNMOAT_CONTROL_EVENT_METHODS_H

struct request;

void event_methods_list(struct request *request);
void event_methods_kinds(struct request *request);

#endif
