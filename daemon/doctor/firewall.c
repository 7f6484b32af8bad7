// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A firewall beside us on a host. Conntrack never sees our SYN-ACK and picks a connection up at its third
 * ACK: a rule that takes what is new and not a SYN for an attack drops it.
 */
#include "daemon/doctor/firewall.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/config/config.h"
#include "daemon/doctor/doctor.h"
#include "daemon/netlink/ask.h"

#define TCP_FLAGS_OFFSET 13
#define NEARLY_FULL	 90 /* percent of conntrack's table */
#define CONNTRACK	 "/proc/sys/net/netfilter/nf_conntrack_"

void firewall_judge(const struct firewall_rule *rule, struct findings *f)
{
	if (rule->synproxy) {
		findings_add(f, SEVERITY_WARNING, "firewall",
			     "nftables' synproxy answers SYNs, too (table %s, chain %s)", rule->table,
			     rule->chain);
		findings_advise(f,
				"take it out for the services' ports: nft delete rule %s %s handle %" PRIu64
				" (with its family after \"rule\")",
				rule->table, rule->chain, rule->handle);
	}
	if (rule->state && rule->flags && rule->drops) {
		findings_add(
			f, SEVERITY_CRITICAL, "firewall",
			"a rule drops by conntrack's state and TCP flags (table %s, chain %s, handle %" PRIu64
			"): \"new but not SYN\" drops every connection that had a cookie",
			rule->table, rule->chain, rule->handle);
		findings_advise(f,
				"take it out, or accept the services' ports before it: nft -a list ruleset");
	}
}

/* --- rules, through netlink --- */

struct walk {
	struct findings *findings;
	struct firewall_rule rule;
	size_t rules, stateful, told;
};

static int on_verdict(const struct nlattr *attribute, void *arg)
{
	struct firewall_rule *rule = arg;

	if (mnl_attr_get_type(attribute) == NFTA_VERDICT_CODE)
		rule->drops |= ntohl(mnl_attr_get_u32(attribute)) == NF_DROP;
	return MNL_CB_OK;
}

static int on_immediate_data(const struct nlattr *attribute, void *arg)
{
	if (mnl_attr_get_type(attribute) == NFTA_DATA_VERDICT)
		mnl_attr_parse_nested(attribute, on_verdict, arg);
	return MNL_CB_OK;
}

static int on_immediate(const struct nlattr *attribute, void *arg)
{
	if (mnl_attr_get_type(attribute) == NFTA_IMMEDIATE_DATA)
		mnl_attr_parse_nested(attribute, on_immediate_data, arg);
	return MNL_CB_OK;
}

static int on_ct(const struct nlattr *attribute, void *arg)
{
	struct firewall_rule *rule = arg;

	if (mnl_attr_get_type(attribute) == NFTA_CT_KEY)
		rule->state |= ntohl(mnl_attr_get_u32(attribute)) == NFT_CT_STATE;
	return MNL_CB_OK;
}

struct payload {
	uint32_t base, offset;
};

static int on_payload(const struct nlattr *attribute, void *arg)
{
	struct payload *payload = arg;

	if (mnl_attr_get_type(attribute) == NFTA_PAYLOAD_BASE)
		payload->base = ntohl(mnl_attr_get_u32(attribute));
	if (mnl_attr_get_type(attribute) == NFTA_PAYLOAD_OFFSET)
		payload->offset = ntohl(mnl_attr_get_u32(attribute));
	return MNL_CB_OK;
}

/* iptables-nft's own matches, whose contents are xtables' business. */
static int on_match(const struct nlattr *attribute, void *arg)
{
	struct firewall_rule *rule = arg;
	const char *name;

	if (mnl_attr_get_type(attribute) != NFTA_MATCH_NAME)
		return MNL_CB_OK;
	name = mnl_attr_get_str(attribute);
	rule->state |= !strcmp(name, "conntrack") || !strcmp(name, "state");
	rule->flags |= !strcmp(name, "tcp");
	return MNL_CB_OK;
}

static void note_expression(struct firewall_rule *rule, const char *name, const struct nlattr *data)
{
	struct payload payload = { UINT32_MAX, 0 };

	rule->synproxy |= !strcmp(name, "synproxy");
	rule->drops |= !strcmp(name, "reject");
	if (!data)
		return;
	if (!strcmp(name, "immediate"))
		mnl_attr_parse_nested(data, on_immediate, rule);
	else if (!strcmp(name, "ct"))
		mnl_attr_parse_nested(data, on_ct, rule);
	else if (!strcmp(name, "match"))
		mnl_attr_parse_nested(data, on_match, rule);
	else if (!strcmp(name, "payload"))
		mnl_attr_parse_nested(data, on_payload, &payload);
	rule->flags |= payload.base == NFT_PAYLOAD_TRANSPORT_HEADER && payload.offset == TCP_FLAGS_OFFSET;
}

struct expression {
	const char *name;
	const struct nlattr *data;
};

static int on_expression(const struct nlattr *attribute, void *arg)
{
	struct expression *expression = arg;

	if (mnl_attr_get_type(attribute) == NFTA_EXPR_NAME)
		expression->name = mnl_attr_get_str(attribute);
	if (mnl_attr_get_type(attribute) == NFTA_EXPR_DATA)
		expression->data = attribute;
	return MNL_CB_OK;
}

static int on_element(const struct nlattr *attribute, void *arg)
{
	struct expression expression = { 0 };

	mnl_attr_parse_nested(attribute, on_expression, &expression);
	if (expression.name)
		note_expression(arg, expression.name, expression.data);
	return MNL_CB_OK;
}

static int on_rule_attribute(const struct nlattr *attribute, void *arg)
{
	struct firewall_rule *rule = arg;

	switch (mnl_attr_get_type(attribute)) {
	case NFTA_RULE_TABLE:
		snprintf(rule->table, sizeof(rule->table), "%s", mnl_attr_get_str(attribute));
		break;
	case NFTA_RULE_CHAIN:
		snprintf(rule->chain, sizeof(rule->chain), "%s", mnl_attr_get_str(attribute));
		break;
	case NFTA_RULE_HANDLE:
		rule->handle = be64toh(mnl_attr_get_u64(attribute));
		break;
	case NFTA_RULE_EXPRESSIONS:
		mnl_attr_parse_nested(attribute, on_element, rule);
		break;
	}
	return MNL_CB_OK;
}

static int on_rule(const struct nlmsghdr *header, void *arg)
{
	struct walk *walk = arg;
	size_t before = walk->findings->count;

	memset(&walk->rule, 0, sizeof(walk->rule));
	mnl_attr_parse(header, sizeof(struct nfgenmsg), on_rule_attribute, &walk->rule);
	walk->rules++;
	walk->stateful += walk->rule.state;
	firewall_judge(&walk->rule, walk->findings);
	walk->told += walk->findings->count - before;
	return MNL_CB_OK;
}

static int walk_rules(struct walk *walk)
{
	char buffer[256];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *family;

	header->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETRULE;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	family = mnl_nlmsg_put_extra_header(header, sizeof(*family));
	family->nfgen_family = AF_UNSPEC;
	family->version = NFNETLINK_V0;
	return netlink_ask(NETLINK_NETFILTER, header, on_rule, walk);
}

/* --- conntrack --- */

static void check_conntrack(const struct doctor *doctor, struct findings *f)
{
	long long count, most;

	if (doctor_read_number(doctor, CONNTRACK "count", &count) ||
	    doctor_read_number(doctor, CONNTRACK "max", &most)) {
		findings_add(f, SEVERITY_OK, "conntrack", "not at work");
		return;
	}
	if (most && count * 100 >= most * NEARLY_FULL) {
		findings_add(f, SEVERITY_WARNING, "conntrack",
			     "%lld of %lld entries: when it is full it drops", count, most);
		findings_advise(f, "sysctl -w net.netfilter.nf_conntrack_max=%lld", most * 4);
		return;
	}
	findings_add(f, SEVERITY_OK, "conntrack", "%lld of %lld entries", count, most);
}

void firewall_check(const struct doctor *doctor, struct findings *f)
{
	struct walk walk = { .findings = f };

	check_conntrack(doctor, f);
	if (doctor->config->deployment != DEPLOYMENT_HOST) /* inline nothing of it sees what crosses */
		return;
	if (walk_rules(&walk))
		findings_add(f, SEVERITY_NOTE, "firewall",
			     "the rules of nftables cannot be read: no such thing in this kernel, or no "
			     "CAP_NET_ADMIN");
	else if (!walk.told)
		findings_add(f, SEVERITY_OK, "firewall",
			     "%zu rules of nftables, %zu by conntrack's state: none in "
			     "the way",
			     walk.rules, walk.stateful);
	if (doctor_exists(doctor, "/proc/net/ip_tables_names")) {
		char line[64];

		if (!doctor_read_line(doctor, "/proc/net/ip_tables_names", line, sizeof(line))) {
			findings_add(
				f, SEVERITY_NOTE, "firewall",
				"rules of iptables-legacy are there, which cannot be looked at from here");
			findings_advise(
				f, "iptables-legacy-save: a rule that drops \"NEW\" and not --syn must go");
		}
	}
}
