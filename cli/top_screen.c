// SPDX-License-Identifier: GPL-2.0-or-later
/* See top_screen.h. */
#define NCURSES_WIDECHAR 1

#include "cli/top_screen.h"

#include <curses.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#undef columns /* a macro of <term.h> */

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define ESCAPE_SIZE	  64

static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
static const int fatal[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };

static volatile sig_atomic_t signalled;
static struct termios before; /* of the terminal */
static char restore[3 * ESCAPE_SIZE];
static SCREEN *screen;
static bool colored;

static void on_ending(int number)
{
	signalled = number;
}

/* Only calls that are safe in a handler of signals; then the signal does what it does. */
static void on_fatal(int number)
{
	ssize_t written = write(STDOUT_FILENO, restore, strlen(restore));

	(void)written;
	tcsetattr(STDIN_FILENO, TCSANOW, &before);
	signal(number, SIG_DFL);
	raise(number);
}

static bool has_capability(const char *capability)
{
	const char *escape = tigetstr(capability);

	return escape && escape != (char *)-1;
}

static void append_escape(const char *capability)
{
	size_t length = strlen(restore);

	if (has_capability(capability) && strlen(tigetstr(capability)) < ESCAPE_SIZE)
		snprintf(restore + length, sizeof(restore) - length, "%s", tigetstr(capability));
}

static void handle_signals(void)
{
	struct sigaction action = { .sa_handler = on_ending };

	append_escape("sgr0");
	append_escape("cnorm");
	append_escape("rmcup");
	for (size_t i = 0; i < ARRAY_SIZE(ending); i++)
		sigaction(ending[i], &action, NULL);
	action.sa_handler = on_fatal;
	for (size_t i = 0; i < ARRAY_SIZE(fatal); i++)
		sigaction(fatal[i], &action, NULL);
}

static bool wants_color(enum color_choice choice)
{
	const char *no_color = getenv("NO_COLOR");

	if (choice == COLOR_NEVER || !has_colors())
		return false;
	return choice == COLOR_ALWAYS || !no_color || !*no_color;
}

static void begin_colors(void)
{
	if (start_color() == ERR || use_default_colors() == ERR)
		return;
	init_pair(TINT_GOOD, COLOR_GREEN, -1);
	init_pair(TINT_WARN, COLOR_YELLOW, -1);
	init_pair(TINT_BAD, COLOR_RED, -1);
	colored = true;
}

/* NULL: none, or one on which the cursor cannot be moved (TERM=dumb). */
static SCREEN *open_terminal(void)
{
	SCREEN *opened = newterm(NULL, stdout, stdin);

	if (!opened)
		return NULL;
	set_term(opened);
	if (has_capability("cup"))
		return opened;
	endwin();
	delscreen(opened);
	return NULL;
}

bool screen_begin(enum color_choice color)
{
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &before)) {
		fprintf(stderr, "synmoat: top needs a terminal; elsewhere: synmoat status -w, or -j\n");
		return false;
	}
	screen = open_terminal();
	if (!screen) {
		fprintf(stderr,
			"synmoat: top cannot draw on TERM=%s: set TERM (vt100 nearly always works), or use "
			"synmoat status -w\n",
			getenv("TERM") ? getenv("TERM") : "");
		return false;
	}
	handle_signals();
	cbreak();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	curs_set(0);
	if (wants_color(color))
		begin_colors();
	return true;
}

void screen_end(void)
{
	endwin();
	delscreen(screen);
	screen = NULL;
}

void screen_size(int *rows, int *columns)
{
	getmaxyx(stdscr, *rows, *columns);
}

static attr_t attributes_of(enum tint tint)
{
	switch (tint) {
	case TINT_NONE:
		return A_NORMAL;
	case TINT_HEAD:
		return A_BOLD;
	case TINT_BAD:
		return A_BOLD | (colored ? 0 : A_REVERSE);
	case TINT_GOOD:
	case TINT_WARN:
		return A_NORMAL;
	}
	return A_NORMAL;
}

static short pair_of(enum tint tint)
{
	return (short)(colored && tint != TINT_HEAD ? tint : TINT_NONE);
}

void screen_draw(const struct cells *cells)
{
	erase();
	for (int row = 0; row < cells->rows; row++)
		for (int column = 0; column < cells->columns; column++) {
			const struct cell *cell = &cells->items[row * cells->columns + column];
			wchar_t text[2] = { cell->character, L'\0' };
			cchar_t character;

			if (cell->character == L' ')
				continue;
			setcchar(&character, text, attributes_of(cell->tint), pair_of(cell->tint), NULL);
			mvadd_wch(row, column, &character);
		}
	refresh();
}

int screen_read_key(int wait_ms)
{
	static const struct {
		int curses, ours;
	} keys[] = {
		{ KEY_UP, SCREEN_UP },
		{ KEY_DOWN, SCREEN_DOWN },
		{ KEY_PPAGE, SCREEN_PAGE_UP },
		{ KEY_NPAGE, SCREEN_PAGE_DOWN },
	};
	struct termios now;
	int key;

	timeout(wait_ms);
	key = getch();
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (keys[i].curses == key)
			return keys[i].ours;
	if (key == ERR && tcgetattr(STDIN_FILENO, &now)) /* the terminal has gone */
		signalled = SIGHUP;
	return key > 0 && key < 256 ? key : SCREEN_NOTHING;
}

int screen_signal(void)
{
	return signalled;
}
