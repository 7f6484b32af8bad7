# SPDX-License-Identifier: GPL-2.0-or-later
# Turns what --help prints into mdoc(7): a line that begins with a word and a colon is a heading, one that is indented by
# two to six blanks an item, what stands far to the right (after it, or in the next line) its text.
function close_list() {
	if (listed)
		print ".El"
	listed = 0
}
/^[Uu]sage:/ { usage = 1 }
usage { if (/^$/) usage = 0; next }
/^$/ { next }
/^[a-z ]+:$/ && !/^ / {
	close_list()
	sub(/:$/, "")
	print ".Ss " toupper(substr($0, 1, 1)) substr($0, 2)
	next
}
/^ / && match($0, /[^ ]/) <= 7 {
	line = $0
	sub(/^ +/, "", line)
	at = match(line, /   *[^ ]/)
	text = ""
	if (at) {
		text = substr(line, at)
		line = substr(line, 1, at - 1)
		sub(/^ +/, "", text)
	}
	if (plain && !at) {
		print escape(line)
		next
	}
	if (!listed)
		print ".Bl -tag -width Ds"
	listed = 1
	print ".It " escape(line)
	if (text != "")
		print escape(text)
	next
}
/^ / { # the text of the item above
	sub(/^ +/, "")
	print escape($0)
	next
}
{
	close_list()
	plain = 1
	print ".Pp"
	print escape($0)
}
END { close_list() }
