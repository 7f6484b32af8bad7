#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Whose CPU time it is that a packet takes: interfaces of the lab that receive in kernel threads of their own (threaded NAPI),
# where otherwise the softirq of whoever sent the packet does it. After what attaches programs to them.
#
#   receive_by_thread ROLE INTERFACE        from now on; the thread's id is then in RECEIVER[INTERFACE]
#   receive_by_softirq ROLE INTERFACE       as before
#   receiver_ns INTERFACE...                ns of CPU that their threads have taken
#   received ROLE INTERFACE                 packets that it has received

declare -A RECEIVER=()

receive_threaded() {
	ip netns exec "$(lab_ns "$1")" sh -c "echo $3 >/sys/class/net/$2/threaded"
}

# Another lab may have a thread of the same name.
receive_by_thread() {
	local before
	before=$(pgrep "^napi/$2")
	receive_threaded "$1" "$2" 1 || return
	RECEIVER[$2]=$(pgrep "^napi/$2" | grep -vxF "${before:-none}")
	[[ ${RECEIVER[$2]} =~ ^[0-9]+$ ]]
}

receive_by_softirq() {
	unset "RECEIVER[$2]"
	receive_threaded "$1" "$2" 0
}

receiver_ns() {
	local interface sum=0 ns
	for interface; do
		read -r ns _ <"/proc/${RECEIVER[$interface]}/schedstat" || return
		((sum += ns))
	done
	echo $sum
}

received() {
	lab_in "$1" ethtool -S "$2" | awk '$1 ~ /^rx_queue_[0-9]+_xdp_packets:$/ { sum += $2 } END { print sum + 0 }'
}
