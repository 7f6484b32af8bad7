#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# For tests of endpoint tracking: what ss(8) and the tracker say of both ends. $COUNT connections a wander.

# "CLIENT SERVER STATE" of every socket of a role, the server's half-opens too.
sockets() {
	lab_in "$1" ss -Htan | grep -v ^LISTEN | sed 's/\[::ffff:\([0-9.]*\)\]/\1/g' |
		if [[ $1 == client ]]; then awk '{ print $4, $5, $1 }'; else awk '{ print $5, $4, $1 }'; fi | sort -u
}

# The same as the tracker has it; an end that is CLOSED, or only listens, has no socket.
tracked() {
	lab_synmoat flows -j limit all |
		jq -r ".flows[] | [.client, .server, .$1_state] | @tsv" | tr '\t' ' ' |
		awk '$3 != "CLOSED" && $3 != "LISTEN"' | sort -u
}

# Whether both views are the same; what differs goes to $LAB_DIR/differs.
agree() {
	diff <(sockets "$1") <(tracked "$1") >"$LAB_DIR/differs.$1"
}

# As agree, without sockets that only wait for the end of their time: inline nobody knows who of both ends does.
live() {
	diff <(sockets "$1" | grep -v 'TIME-WAIT$') <(tracked "$1" | grep -v 'TIME-WAIT$') >"$LAB_DIR/differs.$1"
}

states() {
	sockets "$1" | awk '{ n[$3]++ } END { for (s in n) printf " %d %s", n[s], s }'
}

# agrees TEXT ROLE...: at a quiet moment, which may take its time on a busy machine.
agrees() {
	local text=$1 role
	shift
	for role in "${@}"; do
		if lab_wait 5 agree "$role"; then
			ok "$text: states of the $role's sockets:$(states "$role")"
		else
			not_ok "$text: the $role's sockets differ in $(grep -c '^[<>]' "$LAB_DIR/differs.$role") lines:"
			head -n 12 "$LAB_DIR/differs.$role"
			lab_synmoat status -j | jq -c '[.verdicts | to_entries[] | select(.value.packets > 0) | {(.key): .value.packets}] | add'
			lab_switch_stats | jq -c '[.redirect_failed, (.pairs | .. | .dropped? // empty)]'
		fi
	done
}

settled() {
	grep -qs '^settled' "$LAB_DIR/$1.log"
}

# wander MODE ADDRESS SEED
wander() {
	lab_synmoat service mode web "$1" >/dev/null
	lab_bg "client.$3" client "$LAB_BUILD/lab/ends" --connect "$2:80" --count "$COUNT" --seed "$3"
	lab_wait 30 settled "client.$3" || not_ok "$1, $2: $COUNT connections: $(cat "$LAB_DIR/client.$3.log")"
}

# Orphans end silently only after the test, however slow the machine.
lasting_orphans() {
	lab_sysctls client net.ipv4.tcp_fin_timeout=600
	lab_sysctls server net.ipv4.tcp_fin_timeout=600
}

# gone CLIENT SERVER: neither end has a socket, and the tracker has no flow
gone() {
	[[ -z $(lab_in client ss -Htan "src $1") && -z $(lab_in server ss -Htan "dst $1") ]] &&
		! lab_synmoat flows show "$1" "$2" >/dev/null 2>&1
}

half_opens() {
	(($(lab_in server ss -Htan state syn-recv | wc -l) $1))
}

# A connection over which the client has sent 5000 bytes, and got them back; stays open: talks MODE; then its ends in
# $client and $server.
talks() {
	lab_synmoat service mode web "$1" >/dev/null
	lab_bg "talk.$1" client bash -c "exec 3<>/dev/tcp/$LAB_SERVER_V4/80; head -c 4999 /dev/zero | tr '\\0' x >&3; echo >&3
		read -r <&3; echo \${#REPLY}; sleep 60"
	check "mode $1: the echo of 5000 bytes" lab_wait 5 grep -q '^4999$' "$LAB_DIR/talk.$1.log"
	read -r client server < <(lab_synmoat flows -j order newest limit 1 server ESTAB |
		jq -r '.flows[0] | [.client, .server] | @tsv')
}
