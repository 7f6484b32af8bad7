# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for synmoat: its words are those that `synmoat --help` tells, names those that the daemon knows.

# The words that may follow those given, of the usage lines that begin with them.
_synmoat_words() {
	"${COMP_WORDS[0]}" --help 2>/dev/null | awk -v given="$*" '
		/^[a-z]+:$/ || /^$/ { commands = $1 == "commands:" }
		commands && /^  [a-z]/ {
			sub(/^  /, "")
			sub(/  .*/, "")
			count = split(given, words, " ")
			split($0, usage, " ")
			for (i = 1; i <= count; i++)
				if (usage[i] != words[i] && usage[i] !~ /^[A-Z]/)
					next
			word = usage[count + 1]
			gsub(/[][.]/, "", word)
			count = split(word, choices, "|")
			for (i = 1; i <= count; i++)
				print choices[i]
		}' | sort -u
}

# The first column of a table that the daemon gives.
_synmoat_names() {
	"${COMP_WORDS[0]}" "$@" --color never 2>/dev/null | awk 'NR > 1 { print $1 }'
}

_synmoat_options() {
	"${COMP_WORDS[0]}" --help 2>/dev/null | grep -oE -- '(^| )--?[a-z]+' | tr -d ' ' | sort -u
}

_synmoat() {
	local current=${COMP_WORDS[COMP_CWORD]} word given=() choices

	if [[ $current == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(_synmoat_options)" -- "$current")
		return
	fi
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		[[ $word == -* ]] || given+=("$word")
	done
	choices=$(_synmoat_words "${given[@]}")
	case $choices in
	NAME | NAME$'\n'*) choices=$(_synmoat_names "${given[0]}" "$([[ ${given[0]} == limit ]] && echo show || echo list)") ;;
	FILE | FILE$'\n'* | PREFIX*) choices=$(compgen -f -- "$current") ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$current")
}

complete -o default -F _synmoat synmoat
