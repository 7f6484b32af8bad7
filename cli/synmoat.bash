# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for synmoat: its words and options are those that `synmoat --help` tells, names those that the daemon
# of the socket on the line knows.

# Without blanks within: the words of the line up to the cursor in $words, put together again where readline split them at
# a colon or an equals sign; what is being typed last.
_synmoat_read_line() {
	local rest=$COMP_LINE before i

	words=()
	for ((i = 0; i <= COMP_CWORD; i++)); do
		before=$rest
		rest=${rest#"${rest%%[![:space:]]*}"}
		if ((i && ${#before} == ${#rest})); then
			words[-1]+=${COMP_WORDS[i]}
		else
			words+=("${COMP_WORDS[i]}")
		fi
		rest=${rest#"${COMP_WORDS[i]}"}
	done
}

# The command's words in $given, without options and their values; the daemon's socket in $socket; in $option the option
# whose value is being typed.
_synmoat_sort_words() {
	local word before=

	given=() socket=() option=
	for word in "${words[@]:1:${#words[@]}-2}"; do
		if [[ -n $option ]]; then
			[[ $option == --socket ]] && socket=(--socket "$word")
			option=
			continue
		fi
		case $word in
		--socket | --color | --for | --reason | --origin | --since | --port | --service | --attack | --count | -n | \
			--interval | -i | --timeout) option=$word ;;
		-w | -c) [[ ${given[0]:-} == check ]] && option=$word ;;
		-*) ;;
		*) [[ $before == @(-w|--watch) && $word == [0-9]* ]] || given+=("$word") ;;
		esac
		before=$word
	done
}

_synmoat_help() {
	"${words[0]}" --help 2>/dev/null
}

_synmoat_ask() {
	"${words[0]}" "${socket[@]}" "$@" -j 2>/dev/null
}

# The texts of KEY, of the objects of the one list in a reply.
_synmoat_texts() {
	sed -nE 's/^ {4,6}\{?"'"$1"'": ?"([^"]+)".*/\1/p' | sort -u
}

# The usage lines of the commands that begin with the words given, as far as these go.
_synmoat_usage() {
	_synmoat_help | awk -v given="${given[*]}" '
		/^[a-z]+:$/ || /^$/ { commands = $1 == "commands:" }
		commands && /^  [a-z]/ {
			sub(/^  /, "")
			sub(/  .*/, "")
			count = split(given, words, " ")
			fields = split($0, usage, " ")
			for (i = 1; i <= count && i <= fields && usage[i] !~ /^[^a-z]/; i++)
				if (usage[i] != words[i])
					next
			print
		}'
}

# What may stand in the next place, by its usage: words, or what they are called (NAME, FILE ...).
_synmoat_words() {
	_synmoat_usage | sed -E 's/ ?\[-[^]]*\](\.\.\.)?//g' |
		awk -v place=$((${#given[@]} + 1)) '{ gsub(/[][.]/, ""); gsub(/\|/, "\n", $place); print $place }' | sort -u
}

# The long options of the command, and those of all commands. Of short ones in the usage, the long form.
_synmoat_options() {
	local usage short long

	usage=$(_synmoat_usage)
	printf '%s\n' --socket --color --help
	[[ ${given[0]:-} == check || ${given[0]:-} == top ]] || echo --json
	grep -oE -- '--[a-z]+' <<<"$usage"
	_synmoat_help | sed -nE 's/^  (-[a-z]), (--[a-z]+).*/\1 \2/p' | while read -r short long; do
		[[ $usage == *"[$short"[]\ ]* && ${given[0]:-} != check ]] && echo "$long"
	done
	_synmoat_help | awk -v given="${given[*]:0:2}" '
		/--watch/ { on = 1 }
		on { text = text " " $0 }
		on && /\)/ { exit }
		END {
			sub(/.*\(/, "", text)
			sub(/\).*/, "", text)
			split(given, words, " ")
			count = split(text, watched, / *, */)
			for (i = 1; i <= count; i++) {
				fields = split(watched[i], one, " ")
				if (one[1] == words[1] && (fields < 2 || words[2] == "" || "|" one[2] "|" ~ "[|]" words[2] "[|]"))
					print "--watch"
			}
		}'
}

# Lines of --help that follow on TEXT, as one, up to the next that is empty.
_synmoat_paragraph() {
	_synmoat_help | awk -v text="$1" 'index($0, text) { on = 1 } on && /^$/ { exit } on { printf "%s ", $0 }'
}

# "service NAME", "order age|newest|client|state" ...: a line of each word of `flows`.
_synmoat_flow_words() {
	_synmoat_paragraph "flows takes" | sed -E 's/.*any of: //; s/\..*//; s/, */\n/g'
}

_synmoat_flows() {
	local last=${given[-1]}

	case ${given[1]:-} in
	show | kill) return ;;
	esac
	if ((${#given[@]} % 2)); then
		((${#given[@]} > 1)) || echo show kill
		_synmoat_flow_words | awk '{ print $1 }'
	elif [[ $last == service ]]; then
		_synmoat_ask service list | _synmoat_texts name
	elif [[ $last == client || $last == server ]]; then
		_synmoat_paragraph "flows takes" | sed -E 's/.*STATE: //; s/ or .*//; s/,//g'
	else
		_synmoat_flow_words | awk -v word="$last" '$1 == word { gsub(/\|/, "\n", $2); print $2 }' |
			grep -v '^[A-Z]'
	fi
}

_synmoat_limits() {
	local keys

	case ${given[2]:-} in
	'') _synmoat_ask limit show | _synmoat_texts name && echo mode ;;
	mode) ((${#given[@]} == 3)) && echo off monitor enforce ;;
	*)
		keys=$(_synmoat_paragraph "limits are" | sed -E 's/.*keys: //; s/\..*//')
		[[ ${given[2]} == half_open* ]] && keys=${keys#*half_open: } || keys=${keys%%;*}
		[[ $current == *=* ]] || sed -E 's/ *, */=\n/g; s/ *$/=/' <<<"$keys"
		((${#given[@]} == 3)) && echo configured
		;;
	esac
}

# What the option in $option takes.
_synmoat_values() {
	case $option in
	--color) echo auto always never ;;
	--service) _synmoat_ask service list | _synmoat_texts name ;;
	--origin | --attack) _synmoat_usage | sed -nE 's/.*\['"$option"' ([^]]*)\].*/\1/; T; s/\|/\n/g; p' ;;
	esac
}

# What may be typed next; a line or several, with blanks between.
_synmoat_choices() {
	case "${given[*]}" in
	help) given=() && _synmoat_words ;;
	help\ *) ;;
	flows*) _synmoat_flows ;;
	'limit set'*) _synmoat_limits ;;
	events*) _synmoat_ask events --kinds | _synmoat_texts name ;;
	'block del' | 'allow del') _synmoat_ask "${given[0]}" list --origin manual | head -n 1000 | _synmoat_texts prefix ;;
	*)
		[[ -n ${given[0]:-} ]] || echo help
		_synmoat_words | while read -r word; do
			case $word in
			NAME) _synmoat_ask "${given[0]}" list | _synmoat_texts name ;;
			[A-Z]*) ;;
			*) echo "$word" ;;
			esac
		done
		;;
	esac
}

_synmoat() {
	local words given socket option current choices

	_synmoat_read_line
	current=${words[-1]}
	_synmoat_sort_words
	if [[ $option == --socket || (-z $option && $current != -* && $(_synmoat_words) == *FILE*) ]]; then
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		return
	fi
	if [[ -n $option ]]; then
		choices=$(_synmoat_values)
	elif [[ $current == -* ]]; then
		choices=$(_synmoat_options | sort -u)
	else
		choices=$(_synmoat_choices)
	fi
	mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$current")
	[[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
	# readline puts the choice in the place of what stands behind the last such sign
	[[ $current == *[:=]* ]] && COMPREPLY=("${COMPREPLY[@]#"${current%"${current##*[:=]}"}"}")
	return 0
}

complete -F _synmoat synmoat
