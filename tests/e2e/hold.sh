#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Connections of the client that stand idle until they are asked, to an echo server at $LAB_SERVER_V4 port 8080.
#
#   hold NAME COUNT      opens them, waits for $LAB_DIR/NAME.go, demands a line back on each
#   said NAME WORD       what it has said of "opened", and then of "good"
#   has_said NAME WORD   whether it has

# Opens connections, waits for the file, demands a line back on each; "opened N", then "good N".
read -r -d '' HOLD <<'END'
count=$1 file=$2 fds=() good=0
for ((i = 0; i < count; i++)); do
	exec {fd}<>/dev/tcp/10.99.0.1/8080 && fds+=($fd)
done 2>/dev/null
echo "opened ${#fds[@]}"
until [[ -e $file ]]; do sleep 0.1; done
for fd in "${fds[@]}"; do
	echo "line $fd" >&$fd
	read -rt 5 line <&$fd && [[ $line == "line $fd" ]] && ((good++))
done 2>/dev/null
echo "good $good"
END

# hold NAME COUNT
hold() {
	lab_bg "$1" client bash -c "ulimit -n 4096; $HOLD" hold "$2" "$LAB_DIR/$1.go"
}

said() {
	awk -v word="$2" '$1 == word { print $2 }' "$LAB_DIR/$1.log" 2>/dev/null
}

has_said() {
	[[ -n $(said "$@") ]]
}
