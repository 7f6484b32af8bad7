/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The handlers of allow and block lists.
 */
#ifndef SYNMOAT_CONTROL_LIST_METHODS_H
#define SYNMOAT_CONTROL_LIST_METHODS_H

struct request;

void handle_add_entry(struct request *request);
void handle_remove_entry(struct request *request);
void handle_list_entries(struct request *request);
void handle_flush_entries(struct request *request);
void handle_import_entries(struct request *request);
void handle_list_status(struct request *request);
void handle_test_address(struct request *request);

#endif
