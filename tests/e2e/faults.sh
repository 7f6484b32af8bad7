#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# For tests that hurt the daemon: what it holds, before and after, and whether the fast path cared.
#
#   fds | memory                 of synmoatd: open descriptors (BPF's among them); resident KiB
#   remember                     both, now
#   holds_as_before TEXT KIB     soon no more descriptors than then; memory grew by so much at most
#   clients_bg NAME COUNT        real clients of port 8080, 100 a second, each of which makes a connection and gets an answer
#   clients_good NAME TEXT       waits for them: all must have got it

fds() {
	find "/proc/$(lab_pid synmoatd)/fd" -mindepth 1 | wc -l
}

memory() {
	awk '$1 == "VmRSS:" { print $2 }' "/proc/$(lab_pid synmoatd)/status"
}

remember() {
	FDS=$(fds) MEMORY=$(memory)
}

# The daemon opens some files for a moment only.
fds_at_most() {
	(($(fds) <= $1))
}

holds_as_before() {
	check "$1: file descriptors: no more than $FDS" lab_wait 10 fds_at_most "$FDS"
	at_most "$1: KiB that the daemon's memory grew by" $(($(memory) - MEMORY)) "$2"
}

clients_bg() {
	lab_bg "$1" client "$LAB_BUILD/lab/probe" --connect "$LAB_SERVER_V4:8080" --count "$2" --interval-us 10000 \
		--concurrency 64 --protocol client --timeout-ms 8000
}

clients_good() {
	wait "$(lab_pid "$1")"
	unset "LAB_PIDS[$1]"
	is "$2: real clients that were served" "$(jq -r '"\(.successes) of \(.attempts)"' "$LAB_DIR/$1.log")" \
		"$(jq -r '"\(.attempts) of \(.attempts)"' "$LAB_DIR/$1.log")"
}
