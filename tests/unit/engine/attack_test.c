/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attacks that go on as the daemon is restarted: what the one before has left behind, by way of a store of
 * descriptors as systemd's is, and what of it is not believed.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/detect/evidence_store.h"
#include "daemon/engine/attack_memory.h"
#include "daemon/engine/memory.h"
#include "daemon/engine/state.h"
#include "daemon/fdstore.h"

#define FIRST_PASSED 3 /* SD_LISTEN_FDS_START */

struct world {
	struct engine engine;
	struct fdstore *store;
	int manager; /* its socket */
	int beyond;  /* the one of the test's that FIRST_PASSED was */
	char folder[32];
};

static struct world world;

static int start_manager(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int length =
		snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "synmoat-test-%d", getpid());
	char name[sizeof(address.sun_path) + 1];
	int fd;

	(void)state;
	memset(&world, 0, sizeof(world));
	strcpy(world.folder, "/tmp/synmoat-attack-XXXXXX");
	assert_non_null(mkdtemp(world.folder));
	world.beyond = fcntl(FIRST_PASSED, F_DUPFD_CLOEXEC, 100);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	world.manager = fcntl(fd, F_DUPFD_CLOEXEC, 100);
	close(fd);
	assert_int_equal(bind(world.manager, (struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length)),
			 0);
	snprintf(name, sizeof(name), "@%s", address.sun_path + 1);
	setenv("NOTIFY_SOCKET", name, 1);
	world.store = fdstore_new();
	assert_true(fdstore_keeps(world.store));
	return 0;
}

static int stop_manager(void **state)
{
	char path[64];

	(void)state;
	fdstore_free(world.store);
	close(world.manager);
	close(FIRST_PASSED);
	if (world.beyond >= 0) {
		dup2(world.beyond, FIRST_PASSED);
		close(world.beyond);
	}
	unsetenv("NOTIFY_SOCKET");
	snprintf(path, sizeof(path), "%s/" EVIDENCE_FOLDER, world.folder);
	rmdir(path);
	return rmdir(world.folder);
}

/* What the manager was given, and passes to the next daemon as FIRST_PASSED. */
static int stored(void)
{
	char text[320], control[CMSG_SPACE(sizeof(int))];
	struct iovec part = { text, sizeof(text) };
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
	};
	int fd = -1;

	if (recvmsg(world.manager, &message, MSG_DONTWAIT) > 0 && CMSG_FIRSTHDR(&message))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

/* Another daemon, to which FD is passed under NAME. */
static void restart(const char *name, int fd)
{
	char pid[16];

	fdstore_free(world.store);
	assert_true(fd >= 0);
	if (fd != FIRST_PASSED) {
		dup2(fd, FIRST_PASSED);
		close(fd);
	}
	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_FDNAMES", name, 1);
	world.store = fdstore_new();
	unsetenv("LISTEN_PID");
}

static void memory_is_kept_or_begins_anew(void **state)
{
	static const struct {
		const char *name;
		uint64_t magic;
		size_t bytes;
		bool kept;
	} rows[] = {
		{ "a", 7, 8192, true },
		{ "a", 8, 8192, false }, /* another layout */
		{ "a", 7, 4096, false },
		{ "b", 7, 8192, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *memory;

		assert_int_equal(memory_open(world.store, "a", 7, 8192, &memory), 0);
		assert_int_equal(((uint64_t *)memory)[0], 0);
		((uint64_t *)memory)[0] = 7;
		((uint64_t *)memory)[1] = 77;
		memory_close(memory, 8192);
		restart("a", stored());
		assert_int_equal(
			memory_open(world.store, rows[i].name, rows[i].magic, rows[i].bytes, &memory), 0);
		assert_int_equal(((uint64_t *)memory)[1], rows[i].kept ? 77 : 0);
		memory_close(memory, rows[i].bytes);
		stop_manager(state);
		start_manager(state);
	}
}

static void memory_that_cannot_be_opened_stays(void **state)
{
	void *memory;
	char path[32];
	int fd, readonly;

	(void)state;
	assert_int_equal(memory_open(world.store, "a", 7, 8192, &memory), 0);
	((uint64_t *)memory)[0] = 7;
	memory_close(memory, 8192);
	fd = stored();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	readonly = open(path, O_RDONLY | O_CLOEXEC); /* nobody can map it to write */
	close(fd);
	restart("a", readonly);
	assert_int_equal(memory_open(world.store, "a", 7, 8192, &memory), -EACCES);
	assert_true(fdstore_get(world.store, "a") >= 0);
}

/* As a daemon leaves it that dies in the middle of an attack on service "web", slot 5. */
static struct watch *leave(struct attack_memory *memory)
{
	struct watch *w = &memory->watches[5];

	w->detect = (struct detect){ .state = DETECT_ATTACK, .class = CLASS_FORGED, .peak_pps = 9000 };
	w->attack = (struct attack){ .service = "web", .going_on = true, .class = CLASS_FORGED };
	w->attack.begun_ms = 1234;
	w->attack.answered = 121000;
	w->base.syns = 100;
	w->all.kept = TALKERS_ROOM;
	w->evidence.count = EVIDENCE_PACKETS;
	snprintf(memory->past[0].service, sizeof(memory->past[0].service), "mail");
	memory->past_count = 1;
	return w;
}

/* The next daemon's engine, with a service of that NAME in slot 5 that has had so many SYNs. */
static void go_on(const char *name, uint64_t syns)
{
	struct engine *e = &world.engine;
	struct slot *slot = &e->slots[5];

	restart("attacks", stored());
	e->attacks = attack_new(world.store, world.folder, "root");
	assert_non_null(e->attacks);
	slot->used = true;
	snprintf(slot->name, sizeof(slot->name), "%s", name);
	slot->last.syns = syns;
	attack_restore(e);
}

static void attack_goes_on_over_a_restart(void **state)
{
	struct attack_memory *memory = attack_memory_open(world.store);
	const struct attack *attack;

	(void)state;
	leave(memory);
	attack_memory_close(memory);
	go_on("web", 100);
	attack = attack_of(&world.engine, 5);
	assert_non_null(attack);
	assert_true(attack->going_on);
	assert_true(attack_goes_on(&world.engine, 5));
	assert_int_equal(attack->begun_ms, 1234);
	assert_int_equal(attack->answered, 121000);
	assert_string_equal(engine_get_attack(&world.engine, 1)->service, "mail"); /* one that was over */
	assert_null(engine_get_attack(&world.engine, 2));
	attack_free(world.engine.attacks);
}

/* Another service has its place, or counters from which its sums are told have begun anew: it is over. */
static void attack_ends_with_its_service(void **state)
{
	static const struct {
		const char *name;
		uint64_t syns;
	} rows[] = { { "other", 100 }, { "web", 99 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct attack_memory *memory = attack_memory_open(world.store);
		const struct attack *attack;

		leave(memory);
		attack_memory_close(memory);
		go_on(rows[i].name, rows[i].syns);
		attack = engine_get_attack(&world.engine, 0);
		assert_string_equal(attack->service, "web");
		assert_false(attack->going_on);
		assert_false(attack_goes_on(&world.engine, 5));
		attack_free(world.engine.attacks);
		stop_manager(state);
		start_manager(state);
	}
}

static void set_state(struct watch *w)
{
	w->detect.state = DETECT_ATTACK + 1;
}

static void set_class(struct watch *w)
{
	w->attack.class = CLASS_COUNT;
}

static void set_before(struct watch *w)
{
	w->attack.before_count = 1;
	w->attack.before[0] = CLASS_COUNT;
}

static void set_name(struct watch *w)
{
	memset(w->attack.service, 'a', sizeof(w->attack.service));
}

static void set_no_name(struct watch *w)
{
	*w->attack.service = '\0';
}

static void set_talkers(struct watch *w)
{
	w->recent.kept = TALKERS_ROOM + 1;
}

static void set_packet(struct watch *w)
{
	w->evidence.kept[EVIDENCE_PACKETS - 1].captured = SAMPLE_BYTES + 1;
}

static void what_cannot_be_is_forgotten(void **state)
{
	static void (*const spoil[])(struct watch * w) = {
		set_state, set_class, set_before, set_name, set_no_name, set_talkers, set_packet,
	};
	static const struct watch none;

	for (size_t i = 0; i < sizeof(spoil) / sizeof(spoil[0]); i++) {
		struct attack_memory *memory = attack_memory_open(world.store);

		spoil[i](leave(memory));
		attack_memory_close(memory);
		restart("attacks", stored());
		memory = attack_memory_open(world.store);
		if (memcmp(&memory->watches[5], &none, sizeof(none)) != 0)
			fail_msg("spoilt in way %zu, and believed", i);
		assert_int_equal(memory->past_count, 1); /* which was sound */
		attack_memory_close(memory);
		stop_manager(state);
		start_manager(state);
	}
}

#define UNDER_MANAGER(test) cmocka_unit_test_setup_teardown(test, start_manager, stop_manager)

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNDER_MANAGER(memory_is_kept_or_begins_anew),
		UNDER_MANAGER(memory_that_cannot_be_opened_stays),
		UNDER_MANAGER(attack_goes_on_over_a_restart),
		UNDER_MANAGER(attack_ends_with_its_service),
		UNDER_MANAGER(what_cannot_be_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
