# SPDX-License-Identifier: GPL-2.0-or-later
# Turns the sample configuration into mdoc(7): a list of its keys, each with its default and the comment above it.
function path(name,    i, p) {
	p = ""
	for (i = 1; i <= depth; i++)
		if (names[i] != "")
			p = p names[i] "."
	return p name
}
function say(    i) {
	for (i = 1; i <= comments; i++)
		print comment[i] == "" ? ".Pp" : escape(comment[i])
	comments = 0
}
function item(name, value) {
	print ".It Ic " escape(path(name) (value == "" ? "" : " = " value))
	say()
}
function statement(line,    name, value) {
	name = line
	sub(/ *=.*/, "", name)
	value = line
	sub(/^[a-z0-9_]+ *= */, "", value)
	if (value ~ /^[{(]$/) {
		if (comments)
			item(name, "")
		names[++depth] = name
		return
	}
	sub(/;$/, "", value)
	item(name, value)
}
{ sub(/^[ \t]+/, "") }
/^# --- / { # the rest is commented out as a whole
	inner = 1
	comments = 0
	next
}
inner { if (!sub(/^#[ \t]?/, "")) next; sub(/^[ \t]+/, "") }
NR == 1, /^$/ { next } # the head, which the page says itself
/^$/ { if (!inner) comments = 0; next }
/^[a-z0-9_]+ *= *[^ ]/ && (!inner || /[;{(]$/) { statement($0); next }
/^[})]+;?$/ { if (depth) depth--; next }
/^{$/ { names[++depth] = ""; next }
/^#? *[a-z0-9_]+ = .*;$/ { sub(/^# */, ""); statement($0); next }
{ sub(/^#[ \t]?/, ""); comment[++comments] = $0 }
