#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The defences and paths that the benchmark compares, each in a lab of its own (tests/lab/lab.sh, sourced here): a client
# and an attacker, and what they reach. To the ports $CONTENDER_PORTS of $LAB_SERVER_V4 and $LAB_SERVER_V6.
#
#   contender_up NAME           build the lab of one of these, with an undefended server (tcp_syncookies=0) where it says nothing:
#
#     undefended                a host; also what "no appliance" costs
#     drop                      a host whose XDP program drops the flood's forged sources and does nothing else: the ceiling
#     cookies-1, cookies-2      a host with net.ipv4.tcp_syncookies=1 (once a backlog is full) or 2 (always)
#     synproxy-host             a host with nftables' SYNPROXY
#     synmoat-host              a host with synmoat, its services in mode $CONTENDER_MODE
#     kernel-route, kernel-bridge        the kernel forwards
#     conntrack-route           the kernel forwards and tracks connections, as behind any stateful firewall
#     synproxy-route            nftables' SYNPROXY on a router
#     synmoat-route, synmoat-bridge      synmoat inline
#
#   contender_defend NAME       the same in namespaces that are there: server and, unless it is a host, appliance
#   contender_kind NAME         host, route or inline: the lab's kind
#   contender_title NAME        what the tables call it
#   contender_device NAME       ROLE INTERFACE that the flood meets
#   contender_is_synmoat NAME
#   contender_cookies NAME      how many SYNs it has answered with a cookie, by its own books (0: it has none)

. "$(dirname "${BASH_SOURCE[0]}")/../lab/lab.sh"

CONTENDER_PORTS=${CONTENDER_PORTS:-80, 81, 2222, 5201}
CONTENDER_MODE=${CONTENDER_MODE:-always}

contender_kind() {
	case $1 in
	*-route) echo route ;;
	*-bridge) echo inline ;;
	*) echo host ;;
	esac
}

contender_title() {
	case $1 in
	undefended) echo "no defence" ;;
	drop) echo "bare XDP_DROP of the flood" ;;
	cookies-1) echo "kernel tcp_syncookies=1" ;;
	cookies-2) echo "kernel tcp_syncookies=2" ;;
	synproxy-host) echo "nft SYNPROXY, host" ;;
	synproxy-route) echo "nft SYNPROXY, route" ;;
	conntrack-route) echo "kernel route, conntrack" ;;
	*) echo "${1/-/ }" ;;
	esac
}

contender_device() {
	if [[ $(contender_kind "$1") == host ]]; then echo server s0; else echo appliance outside; fi
}

contender_is_synmoat() {
	[[ $1 == synmoat-* ]]
}

contender_synmoat_config() {
	local interfaces='outside = "outside"; inside = "inside";'
	case $1 in
	synmoat-host) echo 'deployment = "host";' && interfaces='outside = "s0";' ;;
	*) echo 'deployment = "inline"; forward = "'"${1#synmoat-}"'";' ;;
	esac
	echo "interfaces = { $interfaces };
$CONTENDER_CONFIG
services = ( { name = \"all\"; prefixes = [ \"$LAB_SERVER_V4/32\", \"$LAB_SERVER_V6/128\" ]; ports = [ $CONTENDER_PORTS ]; mode = \"$CONTENDER_MODE\"; } );"
}
CONTENDER_CONFIG=${CONTENDER_CONFIG:-} # more of it

# The window scale that the server's kernel announces (tcp_select_initial_window).
contender_window_scale() {
	local space scale=0
	space=$(lab_in server sysctl -n net.ipv4.tcp_rmem | awk '{ print $3 }')
	while ((space >> (scale + 16) && scale < 14)); do ((++scale)); done
	echo $scale
}

# contender_synproxy ROLE INTERFACE HOOK: as nft(8) has it
contender_synproxy() {
	local scale
	scale=$(contender_window_scale)
	lab_in "$1" nft -f - <<-END || return
		table inet guard {
			chain early {
				type filter hook prerouting priority raw;
				iifname "$2" tcp dport { $CONTENDER_PORTS } tcp flags & (fin | syn | rst | ack) == syn notrack
			}
			chain late {
				type filter hook $3 priority filter;
				iifname "$2" tcp dport { $CONTENDER_PORTS } ct state invalid,untracked synproxy mss 1460 wscale $scale timestamp sack-perm
				ct state invalid drop
			}
		}
	END
	lab_sysctls "$1" net.netfilter.nf_conntrack_tcp_loose=0 net.ipv4.tcp_syncookies=1
}

contender_conntrack() {
	lab_in appliance nft -f - <<-END
		table inet guard {
			chain forward {
				type filter hook forward priority filter; policy drop;
				ct state established,related,new accept
			}
		}
	END
}

contender_up() {
	lab_up "$(contender_kind "$1")" && contender_defend "$1"
}

contender_defend() {
	case $1 in
	undefended | kernel-*) ;;
	drop)
		lab_bg drop server "$LAB_BUILD/lab/pass" s0 drop_forged
		lab_wait 5 grep -qs ready "$LAB_DIR/drop.log"
		;;
	cookies-*) lab_sysctls server net.ipv4.tcp_syncookies="${1#cookies-}" ;;
	synproxy-host) contender_synproxy server s0 input ;;
	synproxy-route) contender_synproxy appliance outside forward ;;
	conntrack-route) contender_conntrack ;;
	synmoat-*) lab_start_synmoat "$(contender_synmoat_config "$1")" ;;
	*) lab_die "$1: no such contender" ;;
	esac
}

contender_cookies() {
	local role
	read -r role _ < <(contender_device "$1")
	case $1 in
	cookies-*) lab_in server nstat -asz TcpExtSyncookiesSent | awk '/Sent/ { print $2 }' ;;
	# the sum of all CPUs, in hexadecimal, below a line of titles
	synproxy-*) lab_in "$role" cat /proc/net/stat/synproxy | (
		sum=0
		read -r _
		while read -r _ syns _; do ((sum += 16#$syns)); done
		echo $sum
	) ;;
	synmoat-*) lab_synmoat status -j | jq .verdicts.tx_synack.packets ;;
	*) echo 0 ;;
	esac
}
