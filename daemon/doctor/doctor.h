/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What on this machine keeps synmoat from defending, or leaves open what it cannot close: each check looks at
 * one thing and says what it saw and what to do. Changes nothing. Works in the daemon, and without one.
 */
#ifndef SYNMOAT_DOCTOR_H
#define SYNMOAT_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/doctor/findings.h"

struct config;
struct engine;

struct doctor {
	const char *root;  /* before every path that is read; "" but in tests */
	const char *state; /* the folder for what outlives the daemon */
	const struct config *config;
	struct engine *engine; /* NULL: we are not in the daemon */
	bool running;	       /* without engine: a daemon runs, with a configuration of its own */
};

/* Makes the check at INDEX and adds what it found; false: there is none. Each takes some milliseconds. */
bool doctor_check(const struct doctor *doctor, size_t index, struct findings *findings);

/* Reads a file's first line without its end, or its number; 0 or a negative errno. */
int doctor_read_line(const struct doctor *doctor, const char *path, char *line, size_t size);
int doctor_read_number(const struct doctor *doctor, const char *path, long long *number);
bool doctor_exists(const struct doctor *doctor, const char *path);
/* root and path, in buffer, which is returned. */
const char *doctor_path(const struct doctor *doctor, const char *path, char *buffer, size_t size);

/* --- the checks, each in the file that bears its name --- */
void system_check_kernel(const struct doctor *doctor, struct findings *findings);
void system_check_handover(const struct doctor *doctor, struct findings *findings);
void system_check_memory(const struct doctor *doctor, struct findings *findings);
void system_check_capabilities(const struct doctor *doctor, struct findings *findings);
void system_check_clock(const struct doctor *doctor, struct findings *findings);
void sysctls_check(const struct doctor *doctor, struct findings *findings);
void interface_check_outside(const struct doctor *doctor, struct findings *findings);
void interface_check_inside(const struct doctor *doctor, struct findings *findings);
void exposure_check(const struct doctor *doctor, struct findings *findings);
void firewall_check(const struct doctor *doctor, struct findings *findings);
void install_check_files(const struct doctor *doctor, struct findings *findings);
void install_check_state(const struct doctor *doctor, struct findings *findings);
void install_check_group(const struct doctor *doctor, struct findings *findings);
void install_check_unit(const struct doctor *doctor, struct findings *findings);
void running_check(const struct doctor *doctor, struct findings *findings);

#endif
