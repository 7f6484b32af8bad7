#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Words for the parts of the benchmark that are written in bash (tests/bench/run says what a part is).
#
#   sample TABLE ROW CONTENDER UNIT VALUE [BUDGET]     one measured value
#   remark TEXT                                        a line below the tables
#   progress TEXT                                      what is going on, to stderr
#   rounds DEFAULT                                     how many: $ROUNDS, or 1 with $QUICK, or DEFAULT
#   contenders NAME...                                 those of them that are in $CONTENDERS, if that is given
#   quick SHORT FULL                                   SHORT with $QUICK
#   in_turn ROUND NAME...                              the names, beginning with another one in each round
#   before_others                                      what the part runs from now on comes before all else on this machine

# Linux shares a CPU between sessions first (autogroup), then between the processes of each.
before_others() {
	renice -n -15 $$ >/dev/null
	echo -15 2>/dev/null >/proc/self/autogroup || :
}

sample() {
	local IFS=$'\t'
	echo "$*"
}

remark() {
	echo "# $*"
}

progress() {
	echo "bench: $*" >&2
}

quick() {
	if [[ -n ${QUICK:-} ]]; then echo "$1"; else echo "$2"; fi
}

rounds() {
	echo "${ROUNDS:-$(quick 1 "$1")}"
}

contenders() {
	local name
	for name; do
		[[ -n ${CONTENDERS:-} && " $CONTENDERS " != *" $name "* ]] || echo "$name"
	done
}

in_turn() {
	(($# > 1)) || return 0
	local first=$(($1 % ($# - 1)))
	shift
	echo "${@:first+1}" "${@:1:first}"
}
