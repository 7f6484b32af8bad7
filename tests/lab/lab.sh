#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The lab: a client, an attacker and a server in network namespaces of their own, joined by an XDP switch that counts.
# Source this file; `lab_up` builds it all and `lab_down` (or the end of the script) takes everything away again.
# It touches nothing but its own namespaces, its own processes and its own folder $LAB_DIR (kept when LAB_KEEP is set).
# LAB_SYNCOOKIES is the server's net.ipv4.tcp_syncookies, 0 by default: undefended. The kernel takes connections that stand
# for a cookie, synmoat's too, only with 1 or 2: later by `lab_sysctls server net.ipv4.tcp_syncookies=1`.
#
# LAB_SERVER_FREE leaves the server's interface to a synmoat of its own behind an appliance, too.
#
#   lab_up [KIND] [MTU]         build the lab; host and 1500 by default. inline: an appliance between switch and server, with
#                               the interfaces outside and inside, ports of a kernel bridge; synmoat runs there. route: the
#                               same, but a router, which bears the MAC that the others know as the server's
#   lab_in ROLE CMD...          run in a namespace: client, attacker, switch, server or appliance
#   lab_bg NAME ROLE CMD...     the same in the background; log in $LAB_DIR/NAME.log, pid by `lab_pid NAME`
#   lab_stop NAME               end one of those (SIGTERM, then SIGKILL after 10 s); returns its exit status
#   lab_wait_port ROLE ADDR PORT [SECONDS]     until something listens there
#   lab_wait SECONDS CMD...     until the command succeeds
#   lab_probe ARGS...           build/lab/probe from the client
#   lab_flood ARGS...           build/lab/flood from the attacker, its interface and the server's MAC filled in
#   lab_flood_bg NAME ARGS...   the same in the background
#   LAB_STATE                   the daemon's folder for what outlives it; $LAB_DIR/state by default
#   lab_start_synmoat CONF      write the configuration and start the daemon in the server's or appliance's namespace
#   lab_stop_synmoat            stop it; returns its exit status
#   lab_synmoat ARGS...         the CLI, on this daemon's socket
#   lab_switch_stats            JSON: .ports.NAME.{rx,tx}_{packets,bytes}, .redirect_failed;
#                               .pairs.FROM.TO.{packets,bytes,dropped}, .pairs.FROM.TO.tcp.{syn,synack,ack,rst,fin,other}
#   lab_sink_stats              JSON: replies to forged sources by class, .packets.synack and so on, .bytes.…
#   lab_loss FROM TO PPM        let the switch lose packets; lab_lose_third_acks FROM TO PPM: only third ACKs
#   lab_duplicate FROM TO PPM   let them come twice
#   lab_reorder FROM TO PPM US  let them come up to US later, behind others
#   lab_delay FROM TO US        all of them later; these three by user space, for some 100,000 packets a second; untagged only
#   lab_tag FROM TO 0|1|2       put a VLAN tag (802.1Q) or two (QinQ) on all frames; lab_untag: take just these off, drop others
#   lab_groups 0|1              let the switch pass what is addressed to a group: ARP, neighbour discovery, … (0 at first)
#
# With LAB_LINK=1 there is a second switch in the cable between appliance and server: FROM and TO may then also be
# `appliance server` and `server appliance`; its counters: lab_link_stats.

LAB_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
LAB_BUILD=${LAB_BUILD:-$LAB_ROOT/build}
LAB_ROLES=(client attacker switch server)

LAB_SERVER_V4=10.99.0.1
LAB_SERVER_V6=fd99::1
LAB_ATTACKER_V4=10.99.0.200
LAB_ATTACKER_V6=fd99::200
LAB_CLIENTS=16 # addresses of the client
LAB_FORGED_V4=11.0.0.0/8
LAB_FORGED_V6=fd11::/16
LAB_GATEWAY_V4=10.99.0.254 # leads from the server to the forged sources; its MAC is the attacker's
LAB_GATEWAY_V6=fd99::fe

# So many times as long may everything take, on a machine that is emulated.
LAB_PATIENCE=${LAB_PATIENCE:-1}

LAB_DIR=
LAB_CGROUP= # see lab_favour
LAB_KIND=host
declare -A LAB_PIDS=()

# As $BASHPID differs between a script and its subshells, the prefix is fixed once.
LAB_PREFIX=sm$$

lab_die() {
	echo "lab: $*" >&2
	exit 1
}

lab_ns() {
	echo "$LAB_PREFIX-$1"
}

lab_mac() {
	case $1 in
	client) echo 02:00:00:99:00:02 ;;
	attacker) echo 02:00:00:99:00:aa ;;
	server) echo 02:00:00:99:00:01 ;;
	inside) echo 02:00:00:99:00:12 ;;
	routed) echo 02:00:00:99:00:11 ;; # the server's own, behind a router
	esac
}

lab_interface() {
	case $1 in
	client) echo c0 ;;
	attacker) echo a0 ;;
	server) echo s0 ;;
	esac
}

# The client's addresses of a family (4 or 6), separated by commas: what probe --source wants.
lab_client_addresses() {
	local i list=
	for ((i = 2; i < LAB_CLIENTS + 2; i++)); do
		if [[ $1 == 6 ]]; then
			list+=,$(printf 'fd99::%x' "$i")
		else
			list+=,10.99.0.$i
		fi
	done
	echo "${list:1}"
}

# Not `ip netns exec`: that mounts a new /sys, which hides /sys/fs/bpf.
lab_in() {
	local role=$1
	shift
	nsenter --net="/run/netns/$(lab_ns "$role")" -- "$@"
}

lab_wait() {
	local deadline=$((${EPOCHREALTIME/./} + $1 * LAB_PATIENCE * 1000000))
	shift
	until "$@"; do
		((${EPOCHREALTIME/./} < deadline)) || return 1
		sleep 0.05
	done
}

# --- processes: only by pid, only our own ---

lab_bg() {
	local name=$1 role=$2
	shift 2
	nsenter --net="/run/netns/$(lab_ns "$role")" -- "$@" >"$LAB_DIR/$name.log" 2>&1 </dev/null &
	LAB_PIDS[$name]=$!
}

lab_pid() {
	echo "${LAB_PIDS[$1]:?no process named $1}"
}

lab_running() {
	[[ -n ${LAB_PIDS[$1]:-} ]] && kill -0 "${LAB_PIDS[$1]}" 2>/dev/null
}

lab_stopped() {
	! lab_running "$1"
}

lab_stop() {
	local name=$1 pid=${LAB_PIDS[$1]:-} status=0
	[[ -n $pid ]] || return 0
	kill -TERM "$pid" 2>/dev/null || :
	lab_wait 10 lab_stopped "$name" || kill -KILL "$pid" 2>/dev/null || :
	wait "$pid" 2>/dev/null || status=$?
	unset "LAB_PIDS[$name]"
	return "$status"
}

# --- network ---

lab_port_open() {
	[[ -n $(lab_in "$1" ss -Hltn "src $2 and sport = :$3") ]] ||
		[[ -n $(lab_in "$1" ss -Hltn "( src 0.0.0.0 or src [::] ) and sport = :$3") ]]
}

lab_wait_port() {
	lab_wait "${4:-5}" lab_port_open "$1" "$2" "$3" || lab_die "nothing listens on $2 port $3 in $1"
}

lab_cable() {
	local role=$1 mtu=$2 interface ns
	interface=$(lab_interface "$role") ns=$(lab_ns "$role")
	ip link add "$interface" netns "$ns" mtu "$mtu" address "$(lab_mac "$role")" type veth \
		peer name "to-$role" mtu "$mtu" netns "$(lab_ns switch)" || return
	# XDP wants whole checksums and frames no longer than the MTU.
	lab_in "$role" ethtool -K "$interface" tx off tso off gso off gro on >/dev/null || return
	lab_in switch ethtool -K "to-$role" tx off tso off gso off gro off >/dev/null || return
	ip -n "$(lab_ns switch)" link set "to-$role" up
	ip -n "$ns" link set "$interface" up
}

# The appliance's to the switch
lab_cable_outside() {
	local mtu=$1 switch appliance
	switch=$(lab_ns switch) appliance=$(lab_ns appliance)
	ip link add outside netns "$appliance" mtu "$mtu" type veth peer name to-server mtu "$mtu" netns "$switch" || return
	lab_in appliance ethtool -K outside tx off tso off gso off gro on >/dev/null || return
	lab_in switch ethtool -K to-server tx off tso off gso off gro off >/dev/null || return
	ip -n "$appliance" link set outside up
	ip -n "$switch" link set to-server up
}

# In the place of the server's cable: switch - outside|appliance|inside - server.
lab_cables_inline() {
	local mtu=$1 server switch appliance interface
	server=$(lab_ns server) switch=$(lab_ns switch) appliance=$(lab_ns appliance)
	lab_cable_outside "$mtu" || return
	if [[ -n ${LAB_LINK:-} ]]; then
		ip link add s0 netns "$server" mtu "$mtu" address "$(lab_mac server)" type veth \
			peer name link-server mtu "$mtu" netns "$switch" || return
		ip link add inside netns "$appliance" mtu "$mtu" address "$(lab_mac inside)" type veth \
			peer name link-appliance mtu "$mtu" netns "$switch" || return
		for interface in link-server link-appliance; do
			lab_in switch ethtool -K $interface tx off tso off gso off gro off >/dev/null || return
			ip -n "$switch" link set $interface up
		done
	else
		ip link add s0 netns "$server" mtu "$mtu" address "$(lab_mac server)" type veth \
			peer name inside mtu "$mtu" address "$(lab_mac inside)" netns "$appliance" || return
	fi
	lab_in appliance ethtool -K inside tx off tso off gso off gro on >/dev/null || return
	ip -n "$appliance" link set inside up
	if [[ $LAB_KIND == inline ]]; then
		ip -n "$appliance" link add br0 mtu "$mtu" up type bridge mcast_snooping 0 || return
		ip -n "$appliance" link set outside master br0
		ip -n "$appliance" link set inside master br0
	fi
	# Up first: GRO that is switched on while s0 is down does not make inside a target of redirection.
	ip -n "$server" link set s0 up
	lab_in server ethtool -K s0 tx off tso off gso off gro on >/dev/null || return
}

# The appliance knows everyone, and everyone of the other side is the appliance to the server.
lab_routes() {
	local i address appliance server
	appliance=$(lab_ns appliance) server=$(lab_ns server)
	lab_host_sysctls appliance
	lab_sysctls appliance net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	ip -n "$server" link set s0 address "$(lab_mac routed)"
	ip -n "$appliance" link set outside address "$(lab_mac server)"
	{
		for ((i = 2; i < LAB_CLIENTS + 2; i++)); do
			echo "neigh replace 10.99.0.$i lladdr $(lab_mac client) dev outside nud permanent"
			printf 'neigh replace fd99::%x lladdr %s dev outside nud permanent\n' "$i" "$(lab_mac client)"
		done
		for address in $LAB_ATTACKER_V4 $LAB_ATTACKER_V6 $LAB_GATEWAY_V4 $LAB_GATEWAY_V6; do
			echo "neigh replace $address lladdr $(lab_mac attacker) dev outside nud permanent"
		done
		echo "neigh replace $LAB_SERVER_V4 lladdr $(lab_mac routed) dev inside nud permanent"
		echo "neigh replace $LAB_SERVER_V6 lladdr $(lab_mac routed) dev inside nud permanent"
		echo "addr add 10.99.0.253/32 dev outside"
		echo "route add 10.99.0.0/24 dev outside"
		echo "route add fd99::/64 dev outside"
		echo "route add $LAB_SERVER_V4/32 dev inside"
		echo "route add $LAB_SERVER_V6/128 dev inside"
		echo "route add $LAB_FORGED_V4 via $LAB_GATEWAY_V4 dev outside onlink"
		echo "route add $LAB_FORGED_V6 via $LAB_GATEWAY_V6 dev outside onlink"
	} | ip -n "$appliance" -batch - || return
	{
		for ((i = 2; i < LAB_CLIENTS + 2; i++)); do
			echo "neigh replace 10.99.0.$i lladdr $(lab_mac inside) dev s0 nud permanent"
			printf 'neigh replace fd99::%x lladdr %s dev s0 nud permanent\n' "$i" "$(lab_mac inside)"
		done
		for address in $LAB_ATTACKER_V4 $LAB_ATTACKER_V6 $LAB_GATEWAY_V4 $LAB_GATEWAY_V6; do
			echo "neigh replace $address lladdr $(lab_mac inside) dev s0 nud permanent"
		done
	} | ip -n "$server" -batch -
}

lab_sysctls() {
	lab_in "$1" sysctl -qw "${@:2}"
}

lab_host_sysctls() {
	lab_sysctls "$1" net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
		net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
		net.ipv6.conf.all.accept_ra=0 net.ipv6.conf.default.accept_ra=0 \
		net.ipv4.tcp_no_metrics_save=1 net.ipv4.ip_local_port_range='1024 65000' \
		net.core.somaxconn=4096 net.ipv4.tcp_max_syn_backlog=4096
}

lab_neighbour() {
	local role=$1 address=$2 mac=$3
	ip -n "$(lab_ns "$role")" neigh replace "$address" lladdr "$mac" dev "$(lab_interface "$role")" nud permanent
}

lab_addresses() {
	local i server client attacker
	server=$(lab_ns server) client=$(lab_ns client) attacker=$(lab_ns attacker)
	ip -n "$server" addr add $LAB_SERVER_V4/24 dev s0
	ip -n "$server" addr add $LAB_SERVER_V6/64 dev s0 nodad
	ip -n "$attacker" addr add $LAB_ATTACKER_V4/24 dev a0
	ip -n "$attacker" addr add $LAB_ATTACKER_V6/64 dev a0 nodad
	for ((i = 2; i < LAB_CLIENTS + 2; i++)); do
		echo "addr add 10.99.0.$i/24 dev c0"
		printf 'addr add fd99::%x/64 dev c0 nodad\n' "$i"
	done | ip -n "$client" -batch -
	for ((i = 2; i < LAB_CLIENTS + 2; i++)); do
		echo "neigh replace 10.99.0.$i lladdr $(lab_mac client) dev s0 nud permanent"
		printf 'neigh replace fd99::%x lladdr %s dev s0 nud permanent\n' "$i" "$(lab_mac client)"
	done | ip -n "$server" -batch -
}

# Everyone knows everyone: the switch passes neither ARP nor neighbour discovery.
lab_neighbours() {
	local role
	for role in client attacker; do
		lab_neighbour "$role" $LAB_SERVER_V4 "$(lab_mac server)"
		lab_neighbour "$role" $LAB_SERVER_V6 "$(lab_mac server)"
	done
	for role in client server; do
		lab_neighbour "$role" $LAB_ATTACKER_V4 "$(lab_mac attacker)"
		lab_neighbour "$role" $LAB_ATTACKER_V6 "$(lab_mac attacker)"
	done
	lab_neighbour attacker 10.99.0.2 "$(lab_mac client)"
	lab_neighbour attacker fd99::2 "$(lab_mac client)"
	# A gateway, since a connected route would make one neighbour entry for each forged source.
	lab_neighbour server $LAB_GATEWAY_V4 "$(lab_mac attacker)"
	lab_neighbour server $LAB_GATEWAY_V6 "$(lab_mac attacker)"
	ip -n "$(lab_ns server)" route add $LAB_FORGED_V4 via $LAB_GATEWAY_V4
	ip -n "$(lab_ns server)" route add $LAB_FORGED_V6 via $LAB_GATEWAY_V6
}

lab_switch() {
	"$LAB_BUILD/lab/switch" --socket "$LAB_DIR/switch.sock" "$@"
}

lab_switch_ready() {
	grep -qs '^ready' "$LAB_DIR/$1.log" || lab_stopped "$1"
}

lab_link() {
	"$LAB_BUILD/lab/switch" --socket "$LAB_DIR/link.sock" "$@"
}

lab_await_switch() {
	if ! lab_wait 60 lab_switch_ready "$1" || ! lab_running "$1"; then
		cat "$LAB_DIR/$1.log" >&2
		lab_die "the $1 did not start"
	fi
}

lab_start_link() {
	lab_bg link switch "$LAB_BUILD/lab/switch" --socket "$LAB_DIR/link.sock" --cable \
		--port "appliance,link-appliance,$(lab_mac inside)" --port "server,link-server,$(lab_mac server)"
	lab_await_switch link
}

# The server's s0 stays free for synmoat: with GRO on, it receives redirected frames without a program of its own.
lab_start_switch() {
	local role ports=()
	for role in client attacker server; do
		ports+=(--port "$role,to-$role,$(lab_mac "$role")")
	done
	# what the appliance sends back by XDP_TX arrives only where a program is
	[[ $LAB_KIND == host || -n ${LAB_SERVER_FREE:-} ]] || ports+=(--pass "$(lab_ns server),s0")
	lab_bg switch switch "$LAB_BUILD/lab/switch" --socket "$LAB_DIR/switch.sock" "${ports[@]}" \
		--pass "$(lab_ns client),c0" --sink "$(lab_ns attacker),a0"
	lab_await_switch switch
}

# lab_favour NAME WEIGHT: what was started as NAME, and what that starts, gets WEIGHT of the CPUs, as systemd's CPUWeight= has it:
# everybody else's is 100. Fails where there is no such controller.
lab_favour() {
	local base=/sys/fs/cgroup
	[[ ! -d $base/cpu ]] || base+=/cpu
	LAB_CGROUP=$base/synmoat-lab.$$
	if mkdir "$LAB_CGROUP" 2>/dev/null; then
		if [[ -e $LAB_CGROUP/cpu.shares ]]; then
			echo $(($2 * 1024 / 100)) >"$LAB_CGROUP/cpu.shares"
		else
			echo "$2" >"$LAB_CGROUP/cpu.weight"
		fi && lab_pid "$1" >"$LAB_CGROUP/cgroup.procs" && return
		rmdir "$LAB_CGROUP"
	fi 2>/dev/null
	LAB_CGROUP=
	return 1
}

# Namespaces for these roles, nothing in them yet; lab_down takes them away.
lab_begin() {
	local role
	LAB_ROLES=("$@")
	[[ $EUID == 0 ]] || lab_die "must be root"
	[[ -x $LAB_BUILD/lab/switch ]] || lab_die "$LAB_BUILD/lab/switch is missing: make lab"
	LAB_DIR=$(mktemp -d "${TMPDIR:-/tmp}/synmoat-lab.XXXXXX")
	trap lab_down EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	for role in "${LAB_ROLES[@]}"; do
		ip netns add "$(lab_ns "$role")" || lab_die "cannot make namespaces"
		ip -n "$(lab_ns "$role")" link set lo up
	done
}

lab_up() {
	local kind=${1:-host} mtu=${2:-1500} role
	[[ $kind == host || $kind == inline || $kind == route ]] || lab_die "unknown kind of lab: $kind"
	LAB_KIND=$kind
	[[ $kind == host ]] || LAB_ROLES+=(appliance)
	lab_begin "${LAB_ROLES[@]}"
	lab_sysctls switch net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
	for role in client attacker server; do
		lab_host_sysctls "$role" || lab_die "sysctl failed in $role"
		[[ $kind != host && $role == server ]] || lab_cable "$role" "$mtu" || lab_die "cannot lay the cable of $role"
	done
	if [[ $kind == inline ]]; then
		lab_sysctls appliance net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
	fi
	if [[ $kind != host ]]; then
		lab_cables_inline "$mtu" || lab_die "cannot lay the cables of the appliance"
	fi
	lab_sysctls server net.ipv4.tcp_syncookies="${LAB_SYNCOOKIES:-0}"
	lab_addresses
	lab_neighbours
	[[ $kind != route ]] || lab_routes || lab_die "cannot set up the router"
	lab_start_switch
	[[ $kind == host || -z ${LAB_LINK:-} ]] || lab_start_link
}

lab_down() {
	local name role
	trap '' INT TERM
	trap - EXIT
	for name in "${!LAB_PIDS[@]}"; do
		[[ $name == switch || $name == link ]] || lab_stop "$name" || :
	done
	lab_stop link || :
	lab_stop switch || :
	[[ -z $LAB_CGROUP ]] || lab_wait 5 rmdir "$LAB_CGROUP" 2>/dev/null || :
	LAB_CGROUP=
	for role in "${LAB_ROLES[@]}"; do
		ip netns del "$(lab_ns "$role")" 2>/dev/null || :
	done
	[[ -z $LAB_DIR || -n ${LAB_KEEP:-} ]] || rm -rf -- "$LAB_DIR"
	LAB_DIR=
	trap - INT TERM
}

# --- counters and faults ---

lab_switch_stats() {
	lab_switch stats
}

lab_sink_stats() {
	lab_switch sink
}

lab_link_stats() {
	lab_link stats
}

# lab_rule WHAT FROM TO NUMBER...: of the one switch that has both ports
lab_rule() {
	if [[ $2 == appliance || $3 == appliance ]]; then lab_link "$@"; else lab_switch "$@"; fi
}

lab_loss() {
	lab_rule drop "$@"
}

lab_lose_third_acks() {
	lab_rule drop-third-ack "$@"
}

lab_duplicate() {
	lab_rule duplicate "$@"
}

lab_reorder() {
	lab_rule reorder "$@"
}

lab_delay() {
	lab_rule delay "$@"
}

lab_tag() {
	lab_rule tag "$@"
}

lab_untag() {
	lab_rule untag "$@"
}

lab_groups() {
	lab_switch groups "$1"
}

lab_flood() {
	lab_in attacker "$LAB_BUILD/lab/flood" --interface a0 --dst-mac "$(lab_mac server)" "$@"
}

lab_flood_bg() {
	local name=$1
	shift
	lab_bg "$name" attacker "$LAB_BUILD/lab/flood" --interface a0 --dst-mac "$(lab_mac server)" "$@"
}

lab_probe() {
	lab_in client "$LAB_BUILD/lab/probe" "$@"
}

# --- the daemon ---

lab_home() {
	if [[ $LAB_KIND == host ]]; then echo server; else echo appliance; fi
}

lab_synmoat() {
	lab_in "$(lab_home)" "$LAB_BUILD/synmoat" --socket "$LAB_DIR/control.sock" "$@"
}

lab_synmoat_answers() {
	lab_stopped synmoatd || lab_synmoat status >/dev/null 2>&1
}

lab_start_synmoat() {
	printf '%s\n' "$1" >"$LAB_DIR/synmoat.conf"
	# With 0 the kernel takes over no handshake that it did not begin, and synmoatd refuses to attach.
	lab_in server sysctl -qw net.ipv4.tcp_syncookies=1
	lab_bg synmoatd "$(lab_home)" "$LAB_BUILD/synmoatd" --foreground --config "$LAB_DIR/synmoat.conf" \
		--socket "$LAB_DIR/control.sock" --state "${LAB_STATE:-$LAB_DIR/state}"
	if lab_wait 60 lab_synmoat_answers && lab_running synmoatd; then
		return 0
	fi
	echo "lab: synmoatd did not come up; its log:" >&2
	cat "$LAB_DIR/synmoatd.log" >&2
	lab_stop synmoatd || :
	return 1
}

lab_stop_synmoat() {
	lab_stop synmoatd
}
