/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads and prints lists of prefixes, of ports, and of kinds of events, as arrays or lists. Repetition and
 * overlap are judged in check.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/error.h"
#include "daemon/config/source.h"
#include "daemon/config/value.h"

static const char *example_of(const struct key *key)
{
	return key->example ? key->example : "[ ... ]";
}

/* The length of an array or list, or 0 with *error filled if it is none or empty. */
static size_t list_length(const struct key *key, const config_setting_t *setting, struct config_error *error)
{
	char wanted[96];
	int length;

	if (!config_setting_is_array(setting) && !config_setting_is_list(setting)) {
		snprintf(wanted, sizeof(wanted), "an array such as %s", example_of(key));
		error_type(error, setting, wanted);
		return 0;
	}
	length = config_setting_length(setting);
	if (!length)
		error_at(error, setting, "empty: write at least one, such as %s", example_of(key));
	return (size_t)length;
}

/* A pointer to the items and behind it their number, as the field's object has them. */
struct item_list {
	void *items;
	size_t count;
};

static struct item_list get_items(const struct key *key, const void *object)
{
	struct item_list list;

	memcpy(&list, (const char *)object + key->offset, sizeof(list));
	return list;
}

static void set_items(const struct key *key, void *object, const struct item_list *list)
{
	memcpy((char *)object + key->offset, list, sizeof(*list));
}

#define ITEMS_FIT(type, field, number)                                                                       \
	_Static_assert(offsetof(type, number) == offsetof(type, field) + offsetof(struct item_list, count),  \
		       "struct item_list")
ITEMS_FIT(struct config_service, prefixes, prefix_count);
ITEMS_FIT(struct config_service, ports, port_count);
ITEMS_FIT(struct config_protected, prefixes, prefix_count);
ITEMS_FIT(struct config_protected, outward_to, outward_to_count);
ITEMS_FIT(struct config_protected, outward_ports, outward_port_count);

/* --- prefixes --- */

static int read_prefix(const config_setting_t *setting, struct prefix *prefix, struct config_error *error)
{
	const char *text;
	char fault[200];

	if (config_setting_type(setting) != CONFIG_TYPE_STRING)
		return error_type(error, setting, "a string such as \"192.0.2.0/24\"");
	text = config_setting_get_string(setting);
	if (prefix_parse(text, prefix))
		return error_at(error, setting, "%s", prefix_explain(text, fault, sizeof(fault)));
	return 0;
}

static int read_prefixes(const struct key *key, const config_setting_t *setting, void *object,
			 struct config_error *error)
{
	size_t count = list_length(key, setting, error);
	struct prefix *prefixes;
	int err = 0;

	if (!count)
		return -EINVAL;
	prefixes = calloc(count, sizeof(*prefixes));
	if (!prefixes)
		return error_memory(error);
	set_items(key, object, &(struct item_list){ prefixes, count });
	for (size_t i = 0; i < count && !err; i++)
		err = read_prefix(config_setting_get_elem(setting, (unsigned int)i), &prefixes[i], error);
	return err;
}

static void print_prefixes(const struct key *key, const void *object, int depth, FILE *out)
{
	struct item_list list = get_items(key, object);
	const struct prefix *prefixes = list.items;
	char text[INET6_ADDRSTRLEN + 4];

	if (!list.count)
		return;
	value_print_indent(depth, out);
	fprintf(out, "%s = [ ", key->name);
	for (size_t i = 0; i < list.count; i++)
		fprintf(out, "%s\"%s\"", i ? ", " : "", prefix_format(&prefixes[i], text, sizeof(text)));
	fputs(" ];\n", out);
}

const struct value_type value_prefixes = { read_prefixes, print_prefixes };

/* --- prefixes anywhere: none, too --- */

static int read_prefix_list(const struct key *key, const config_setting_t *setting, void *object,
			    struct config_error *error)
{
	struct prefix_list *list = (struct prefix_list *)((char *)object + key->offset);
	size_t count;
	int err = 0;

	if (!config_setting_is_array(setting) && !config_setting_is_list(setting))
		return error_type(error, setting, "an array such as [ \"192.0.2.0/24\" ]");
	free(list->items);
	*list = (struct prefix_list){ 0 };
	count = (size_t)config_setting_length(setting);
	if (!count)
		return 0;
	list->items = calloc(count, sizeof(*list->items));
	if (!list->items)
		return error_memory(error);
	list->count = count;
	for (size_t i = 0; i < count && !err; i++)
		err = read_prefix(config_setting_get_elem(setting, (unsigned int)i), &list->items[i], error);
	return err;
}

static void print_prefix_list(const struct key *key, const void *object, int depth, FILE *out)
{
	const struct prefix_list *list = (const struct prefix_list *)((const char *)object + key->offset);
	char text[INET6_ADDRSTRLEN + 4];

	value_print_indent(depth, out);
	fprintf(out, "%s = [ ", key->name);
	for (size_t i = 0; i < list->count; i++)
		fprintf(out, "%s\"%s\"", i ? ", " : "", prefix_format(&list->items[i], text, sizeof(text)));
	fputs(list->count ? " ];\n" : "];\n", out);
}

const struct value_type value_prefix_list = { read_prefix_list, print_prefix_list };

/* --- ports --- */

/* A decimal number at *text, which moves behind it; 0 if there is none from 1 to 65535. */
static uint16_t parse_port(const char **text)
{
	size_t digits = strspn(*text, "0123456789");
	unsigned long value;

	if (!digits || digits > 5)
		return 0;
	value = strtoul(*text, NULL, 10);
	*text += digits;
	return value > UINT16_MAX ? 0 : (uint16_t)value;
}

/* "8000-8080", or "80" */
static bool parse_span(const char *text, struct port_span *span)
{
	span->first = parse_port(&text);
	span->last = span->first;
	if (*text == '-') {
		text++;
		span->last = parse_port(&text);
	}
	return span->first && span->first <= span->last && !*text;
}

static int read_port_string(const config_setting_t *setting, struct port_span *span,
			    struct config_error *error)
{
	const char *text = config_setting_get_string(setting);

	if (parse_span(text, span))
		return 0;
	return error_at(
		error, setting,
		"\"%.60s\" is not a range of ports: write one such as \"8000-8080\", within 1 to 65535",
		text);
}

static int read_port_number(const config_setting_t *setting, struct port_span *span,
			    struct config_error *error)
{
	long long port = source_integer(setting);

	if (port < 1 || port > UINT16_MAX)
		return error_at(error, setting, "%lld is not a port: write 1 to 65535", port);
	span->first = (uint16_t)port;
	span->last = (uint16_t)port;
	return 0;
}

static int read_port(const config_setting_t *setting, struct port_span *span, struct config_error *error)
{
	switch (config_setting_type(setting)) {
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return read_port_number(setting, span, error);
	case CONFIG_TYPE_STRING:
		return read_port_string(setting, span, error);
	default:
		return error_type(error, setting, "a port such as 443, or a range such as \"8000-8080\",");
	}
}

static int read_ports(const struct key *key, const config_setting_t *setting, void *object,
		      struct config_error *error)
{
	size_t count = list_length(key, setting, error);
	struct port_span *ports;
	int err = 0;

	if (!count)
		return -EINVAL;
	if (key->max && count > key->max)
		return error_at(error, setting, "more than %u: join some to ranges", key->max);
	ports = calloc(count, sizeof(*ports));
	if (!ports)
		return error_memory(error);
	set_items(key, object, &(struct item_list){ ports, count });
	for (size_t i = 0; i < count && !err; i++)
		err = read_port(config_setting_get_elem(setting, (unsigned int)i), &ports[i], error);
	return err;
}

/* In a list, which may mix numbers and strings as an array may not. */
static void print_ports(const struct key *key, const void *object, int depth, FILE *out)
{
	struct item_list list = get_items(key, object);
	const struct port_span *ports = list.items;

	if (!list.count)
		return;
	value_print_indent(depth, out);
	fprintf(out, "%s = ( ", key->name);
	for (size_t i = 0; i < list.count; i++) {
		const struct port_span *span = &ports[i];

		fputs(i ? ", " : "", out);
		if (span->first == span->last)
			fprintf(out, "%u", span->first);
		else
			fprintf(out, "\"%u-%u\"", span->first, span->last);
	}
	fputs(" );\n", out);
}

const struct value_type value_ports = { read_ports, print_ports };

/* --- kinds of events: none, too --- */

static int read_event_kind(const config_setting_t *setting, bool kinds[EVENT_KINDS],
			   struct config_error *error)
{
	int kind;

	if (config_setting_type(setting) != CONFIG_TYPE_STRING)
		return error_type(error, setting, "the name of an event, such as \"attack-begun\",");
	kind = catalogue_find(config_setting_get_string(setting));
	if (kind < 0)
		return error_at(error, setting,
				"there is no event \"%.60s\": `synmoat events --kinds` names them",
				config_setting_get_string(setting));
	if (kind == EVENT_HOOK_FAILED || kind == EVENT_HOOK_LEFT_OUT)
		return error_at(error, setting, "the hook itself makes these: it cannot be called for them");
	kinds[kind] = true;
	return 0;
}

static int read_event_kinds(const struct key *key, const config_setting_t *setting, void *object,
			    struct config_error *error)
{
	bool kinds[EVENT_KINDS] = { false };
	int err = 0;

	if (!config_setting_is_array(setting) && !config_setting_is_list(setting))
		return error_type(error, setting, "an array such as [ \"attack-begun\" ]");
	for (unsigned int i = 0; !err && i < (unsigned int)config_setting_length(setting); i++)
		err = read_event_kind(config_setting_get_elem(setting, i), kinds, error);
	if (!err)
		memcpy((char *)object + key->offset, kinds, sizeof(kinds));
	return err;
}

static void print_event_kinds(const struct key *key, const void *object, int depth, FILE *out)
{
	const bool *kinds = (const bool *)((const char *)object + key->offset);
	bool any = false;

	value_print_indent(depth, out);
	fprintf(out, "%s = [ ", key->name);
	for (int kind = 0; kind < EVENT_KINDS; kind++) {
		if (!kinds[kind])
			continue;
		fprintf(out, "%s\"%s\"", any ? ", " : "", catalogue_row((enum event_kind)kind)->name);
		any = true;
	}
	fputs(any ? " ];\n" : "];\n", out);
}

const struct value_type value_event_kinds = { read_event_kinds, print_event_kinds };
