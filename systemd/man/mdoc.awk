# SPDX-License-Identifier: GPL-2.0-or-later
# Text as mdoc(7) wants it.
function escape(s) {
	gsub(/\\/, "\\e", s)
	gsub(/-/, "\\-", s)
	gsub(/"/, "\\(dq", s) # of macros' arguments, too
	sub(/^[.']/, "\\\\\\&&", s)
	return s
}
