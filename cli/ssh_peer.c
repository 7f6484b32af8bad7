// SPDX-License-Identifier: GPL-2.0-or-later
/* See ssh_peer.h. */
#include "cli/ssh_peer.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANCESTORS_MAX	64
#define ENVIRONMENT_MAX 65536

struct peers {
	struct in6_addr *list;
	size_t count, size;
};

static bool parse_address(const char *text, size_t length, struct in6_addr *address, bool *v4)
{
	char copy[INET6_ADDRSTRLEN];

	if (length >= sizeof(copy))
		return false;
	memcpy(copy, text, length);
	copy[length] = '\0';
	*v4 = !strchr(copy, ':');
	if (!*v4)
		return inet_pton(AF_INET6, copy, address) == 1;
	*address = (struct in6_addr){ .s6_addr = { [10] = 0xff, [11] = 0xff } };
	return inet_pton(AF_INET, copy, &address->s6_addr[12]) == 1;
}

bool ssh_prefix_covers(const char *prefix, const struct in6_addr *address)
{
	size_t length = strcspn(prefix, "/");
	struct in6_addr first;
	long bits = 128;
	bool v4;

	if (!parse_address(prefix, length, &first, &v4))
		return false;
	if (prefix[length])
		bits = strtol(prefix + length + 1, NULL, 10) + (v4 ? 96 : 0);
	if (bits < 0 || bits > 128 || (!v4 && IN6_IS_ADDR_V4MAPPED(address) && bits < 96))
		return false;
	for (long bit = 0; bit < bits; bit++)
		if ((first.s6_addr[bit / 8] ^ address->s6_addr[bit / 8]) & 0x80 >> bit % 8)
			return false;
	return true;
}

static void add(struct peers *peers, const struct in6_addr *address)
{
	for (size_t i = 0; i < peers->count; i++)
		if (!memcmp(&peers->list[i], address, sizeof(*address)))
			return;
	if (peers->count < peers->size)
		peers->list[peers->count++] = *address;
}

/* "CLIENT PORT ..." of SSH_CONNECTION and SSH_CLIENT */
static void add_variable(struct peers *peers, const char *value)
{
	struct in6_addr address;
	bool v4;

	if (value && parse_address(value, strcspn(value, " %"), &address, &v4))
		add(peers, &address);
}

static size_t read_file(const char *path, char *buffer, size_t size)
{
	FILE *file = fopen(path, "re");
	size_t length = file ? fread(buffer, 1, size - 1, file) : 0;

	buffer[length] = '\0';
	if (file)
		fclose(file);
	return length;
}

static void add_environment(struct peers *peers, pid_t pid)
{
	static char buffer[ENVIRONMENT_MAX];
	char path[64];
	size_t length;

	snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	length = read_file(path, buffer, sizeof(buffer));
	for (char *at = buffer; at < buffer + length; at += strlen(at) + 1) {
		if (!strncmp(at, "SSH_CONNECTION=", 15))
			add_variable(peers, at + 15);
		else if (!strncmp(at, "SSH_CLIENT=", 11))
			add_variable(peers, at + 11);
	}
}

/* The remote address of the TCP socket with this inode, from a file in the format of /proc/net/tcp. */
static void add_socket(struct peers *peers, pid_t pid, const char *table, unsigned long inode)
{
	char path[64], line[512], remote[33];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/net/%s", pid, table);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		struct in6_addr address = { .s6_addr = { [10] = 0xff, [11] = 0xff } };
		unsigned long found;
		unsigned int words[4];
		size_t length;

		if (sscanf(line, "%*d: %*[0-9A-F]:%*x %32[0-9A-F]:%*x %*x %*x:%*x %*x:%*x %*x %*u %*u %lu",
			   remote, &found) != 2 ||
		    found != inode)
			continue;
		length = strlen(remote) / 8;
		for (size_t i = 0; i < length && i < 4; i++)
			sscanf(remote + i * 8, "%8x", &words[i]);
		memcpy(length == 1 ? &address.s6_addr[12] : address.s6_addr, words, length * sizeof(*words));
		if (length == 1 || length == 4)
			add(peers, &address);
	}
	if (file)
		fclose(file);
}

static void add_sockets(struct peers *peers, pid_t pid)
{
	char path[320], target[64];
	struct dirent *entry;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	folder = opendir(path);
	while (folder && (entry = readdir(folder))) {
		unsigned long inode;
		ssize_t length;

		snprintf(path, sizeof(path), "/proc/%d/fd/%s", pid, entry->d_name);
		length = readlink(path, target, sizeof(target) - 1);
		if (length <= 0)
			continue;
		target[length] = '\0';
		if (sscanf(target, "socket:[%lu]", &inode) != 1)
			continue;
		add_socket(peers, pid, "tcp", inode);
		add_socket(peers, pid, "tcp6", inode);
	}
	if (folder)
		closedir(folder);
}

/* Its name goes to name; 0: no such process. */
static pid_t parent_of(pid_t pid, char name[16])
{
	char path[64], line[512];
	const char *open, *close;
	int parent;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	read_file(path, line, sizeof(line));
	open = strchr(line, '(');
	close = strrchr(line, ')'); /* the name may hold anything */
	if (!open || !close || close < open || sscanf(close + 1, " %*c %d", &parent) != 1)
		return 0;
	snprintf(name, 16, "%.*s", (int)(close - open - 1), open + 1);
	return parent;
}

size_t ssh_peers(struct in6_addr *list, size_t size)
{
	struct peers peers = { .list = list, .size = size };
	pid_t pid = getpid();
	char name[16];

	add_variable(&peers, getenv("SSH_CONNECTION"));
	add_variable(&peers, getenv("SSH_CLIENT"));
	for (int i = 0; pid > 1 && i < ANCESTORS_MAX; i++) {
		pid_t parent = parent_of(pid, name);

		add_environment(&peers, pid);
		if (!strncmp(name, "sshd", 4))
			add_sockets(&peers, pid);
		pid = parent;
	}
	return peers.count;
}
