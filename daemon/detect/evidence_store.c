// SPDX-License-Identifier: GPL-2.0-or-later
/* See evidence_store.h. */
#include "daemon/detect/evidence_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/detect/evidence.h"
#include "daemon/file.h"
#include "daemon/log.h"

#define FOLDER_MODE   0750
#define FILE_MODE     0640
#define BEING_WRITTEN ".new" /* a name that no reader looks for */
#define WAITING_MOST  256    /* files; a disk that takes none must not fill the memory */
#define RETRY_S	      5

struct job {
	struct job *next;
	char name[EVIDENCE_NAME_SIZE];
	char *bytes;
	size_t length;
	uint32_t most;
	int error;
};

struct evidence_store {
	char *state;
	gid_t group; /* -1: ours */
	struct job *waiting, *batch;
	unsigned int count;   /* waiting */
	unsigned int pause_s; /* before what could not be written is tried again */
	pthread_t thread;
	bool writing, threaded, done;
};

struct evidence_store *evidence_store_new(const char *state, const char *group)
{
	const struct group *entry = group && *group ? getgrnam(group) : NULL;
	struct evidence_store *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->group = entry ? entry->gr_gid : (gid_t)-1;
	s->state = strdup(state);
	if (s->state)
		return s;
	free(s);
	return NULL;
}

/* Of this folder; -1 with errno set. */
static int open_folder(const struct evidence_store *s)
{
	char path[4096];
	int fd;

	if ((size_t)snprintf(path, sizeof(path), "%s/" EVIDENCE_FOLDER, s->state) >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	mkdir(s->state, FOLDER_MODE); /* the lists may not have been written yet */
	if (mkdir(path, FOLDER_MODE) && errno != EEXIST)
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	/* one who may not give it away (as a unit of systemd) is of that group */
	if (s->group != (gid_t)-1 && fchown(fd, (uid_t)-1, s->group) && errno != EPERM)
		log_print(LOG_WARNING, "%s stays with its group: %s", path, strerror(errno));
	fchmod(fd, FOLDER_MODE); /* whatever the umask */
	return fd;
}

static int write_file(const struct evidence_store *s, int folder, const struct job *job)
{
	int fd, error;

	unlinkat(folder, BEING_WRITTEN, 0); /* of one that died */
	fd = openat(folder, BEING_WRITTEN, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
	if (fd < 0)
		return -errno;
	error = file_write_all(fd, job->bytes, job->length);
	if (s->group != (gid_t)-1 && fchown(fd, (uid_t)-1, s->group) && !error && errno != EPERM)
		error = -errno;
	if (!error && fchmod(fd, FILE_MODE))
		error = -errno;
	close(fd);
	if (!error && renameat(folder, BEING_WRITTEN, folder, job->name))
		error = -errno;
	if (error)
		unlinkat(folder, BEING_WRITTEN, 0);
	return error;
}

/* By the form that evidence_name() gives; others stay untouched. */
static int is_evidence(const struct dirent *entry)
{
	const char *name = entry->d_name;
	size_t length = strlen(name);

	return length > 22 && strspn(name, "0123456789") == 8 && name[8] == 'T' &&
	       strspn(name + 9, "0123456789") == 6 && name[15] == 'Z' && name[16] == '-' &&
	       !strcmp(name + length - 5, ".pcap");
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void remove_oldest(int folder, uint32_t most)
{
	struct dirent **entries;
	int count = scandirat(folder, ".", &entries, is_evidence, compare_names);

	if (count < 0)
		return;
	for (int i = 0; i < count; i++) {
		if (count - i > (int)most)
			unlinkat(folder, entries[i]->d_name, 0);
		free(entries[i]);
	}
	free(entries);
}

static void free_job(struct job *job)
{
	free(job->bytes);
	free(job);
}

/* --- what waits, the oldest first --- */

static struct job *take_first(struct job **list)
{
	struct job *job = *list;

	if (job)
		*list = job->next;
	return job;
}

/* In the place of one of that name; where there is no room, of the oldest. */
static void put(struct evidence_store *s, struct job *job)
{
	struct job **place = &s->waiting, *old = NULL;

	while (*place && strcmp((*place)->name, job->name))
		place = &(*place)->next;
	if (*place)
		old = take_first(place);
	else if (s->count == WAITING_MOST)
		old = take_first(&s->waiting);
	else
		s->count++;
	if (old)
		free_job(old);
	for (place = &s->waiting; *place;)
		place = &(*place)->next;
	job->next = NULL;
	*place = job;
}

/* --- the thread, which has the batch for itself while it runs --- */

static void *write_batch(void *arg)
{
	struct evidence_store *s = arg;
	int folder = open_folder(s), error = folder < 0 ? -errno : 0;

	for (struct job *job = s->batch; job; job = job->next) {
		job->error = error ? error : write_file(s, folder, job);
		if (!job->error)
			remove_oldest(folder, job->most);
	}
	if (folder >= 0)
		close(folder);
	__atomic_store_n(&s->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static void begin(struct evidence_store *s)
{
	if (s->writing || !s->waiting || s->pause_s)
		return;
	s->batch = s->waiting;
	s->waiting = NULL;
	s->count = 0;
	s->done = false;
	s->writing = true;
	s->threaded = !pthread_create(&s->thread, NULL, write_batch, s);
	if (!s->threaded)
		write_batch(s);
}

/* What could not be written waits again, before what has come since. 0, or the error of the last such. */
static int finish(struct evidence_store *s)
{
	struct job *batch = s->batch, *newer = s->waiting, *job;
	int error = 0;

	if (s->threaded)
		pthread_join(s->thread, NULL);
	s->writing = false;
	s->batch = s->waiting = NULL;
	s->count = 0;
	while ((job = take_first(&batch))) {
		if (job->error) {
			error = job->error;
			put(s, job);
		} else {
			free_job(job);
		}
	}
	while ((job = take_first(&newer)))
		put(s, job);
	s->pause_s = error ? RETRY_S : 0;
	return error;
}

void evidence_store_write(struct evidence_store *s, const char *name, char *bytes, size_t length,
			  uint32_t most)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job) {
		free(bytes);
		return;
	}
	*job = (struct job){ .bytes = bytes, .length = length, .most = most };
	snprintf(job->name, sizeof(job->name), "%s", name);
	put(s, job);
	begin(s);
}

bool evidence_store_tick(struct evidence_store *s, int *error)
{
	bool ended = s->writing && __atomic_load_n(&s->done, __ATOMIC_ACQUIRE);

	if (s->pause_s)
		s->pause_s--;
	if (ended)
		*error = finish(s);
	begin(s);
	return ended;
}

void evidence_store_free(struct evidence_store *s)
{
	struct job *job;

	if (!s)
		return;
	if (s->writing)
		finish(s);
	s->pause_s = 0;
	begin(s);
	if (s->writing)
		finish(s);
	while ((job = take_first(&s->waiting)))
		free_job(job);
	free(s->state);
	free(s);
}
