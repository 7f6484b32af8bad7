#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What every end-to-end test stands on: the lab, and three words to report with. A test is a script that sources this
# file, builds its lab, and reports each thing that it showed; tests/e2e/run adds the reports up.
#
#   ok TEXT | not_ok TEXT | skip TEXT        one report a line
#   check TEXT CMD...                        ok if the command succeeds, else not_ok
#   is TEXT ACTUAL EXPECTED                  ok if both are the same words
#   at_least TEXT ACTUAL LEAST | at_most TEXT ACTUAL MOST      whole or decimal numbers
#   field JSON PATH                          one value of a JSON text, by jq
#   status PATH                              one value of `synmoat status -j`
#   told KIND...                             ok for each kind of event that the daemon has told (it is waited for)
#   quick N LONG                             N, or LONG under `tests/run --long`
#   side_by_side CMD ARGS...                 CMD with each of ARGS (words of one are several), at once, each in a lab of its own:
#                                            for tests that mostly wait; reports come one after the other

set -u
. "$(dirname "${BASH_SOURCE[0]}")/../lab/lab.sh"

ok() {
	echo "ok $*"
}

not_ok() {
	echo "not ok $*"
}

skip() {
	echo "skip $*"
}

check() {
	local text=$1
	shift
	if "$@" >/dev/null; then ok "$text"; else not_ok "$text"; fi
}

is() {
	if [[ $2 == "$3" ]]; then ok "$1: $2"; else not_ok "$1: $2, expected $3"; fi
}

compare() {
	awk -v a="$1" -v b="$3" "BEGIN { exit !(a $2 b) }"
}

at_least() {
	if compare "$2" '>=' "$3"; then ok "$1: $2 (at least $3)"; else not_ok "$1: $2, expected at least $3"; fi
}

at_most() {
	if compare "$2" '<=' "$3"; then ok "$1: $2 (at most $3)"; else not_ok "$1: $2, expected at most $3"; fi
}

field() {
	jq -r "$2" <<<"$1"
}

status() {
	lab_synmoat status -j | jq -r "$1"
}

has_told() {
	[[ -n $(lab_synmoat events -j -n 1 "$1") ]]
}

told() {
	local kind
	for kind; do
		check "told: $kind" lab_wait 5 has_told "$kind"
	done
}

quick() {
	if [[ -n ${TESTS_LONG:-} ]]; then echo "$2"; else echo "$1"; fi
}

side_by_side() {
	local command=$1 arguments i pids=() status=0 log
	shift
	log=$(mktemp -d)
	for arguments; do
		# shellcheck disable=SC2086 # its words
		(LAB_PREFIX=sm$BASHPID && $command $arguments) >"$log/${#pids[@]}" 2>&1 &
		pids+=($!)
	done
	trap 'kill "${pids[@]}" 2>/dev/null; exit 130' INT TERM
	for i in "${!pids[@]}"; do
		wait "${pids[i]}" || status=1
		cat "$log/$i"
	done
	trap - INT TERM
	rm -r "$log"
	return $status
}
