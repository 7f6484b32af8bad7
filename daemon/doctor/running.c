// SPDX-License-Identifier: GPL-2.0-or-later
/* Whether a daemon runs, and what it knows: what somebody has switched off, and what it could not do. */
#include "daemon/doctor/doctor.h"

#include "daemon/engine/engine.h"

static void check_switches(const struct engine_status *status, struct findings *f)
{
	if (status->bypass && !status->draining) {
		findings_add(f, SEVERITY_CRITICAL, "bypass", "bypass is on: no new cookies, no drops");
		findings_advise(f, "synmoat bypass off");
	} else if (status->draining) {
		findings_add(f, SEVERITY_WARNING, "bypass", "draining: no new cookies, no drops");
		findings_advise(f, "synmoat drain --cancel");
	} else {
		findings_add(f, SEVERITY_OK, "bypass", "off");
	}
}

static void check_interfaces(const struct doctor *doctor, struct findings *f)
{
	struct interface_status status;

	for (size_t i = 0; engine_get_interface(doctor->engine, i, &status) == 0; i++) {
		if (status.attached)
			continue;
		findings_add(f, SEVERITY_CRITICAL, "attached", "%s is not attached: %s", status.name,
			     *status.reason ? status.reason : "it was detached by hand");
		findings_advise(f, "synmoat interface attach %s", status.name);
	}
}

static void check_services(const struct doctor *doctor, struct findings *f)
{
	struct service_status status;
	size_t off = 0, count = 0;

	for (; engine_get_service(doctor->engine, count, &status) == 0; count++) {
		const char *name = status.config->name;

		off += status.mode == MODE_OFF || status.mode == MODE_MONITOR;
		if (status.mptcp_listener) {
			findings_add(
				f, SEVERITY_WARNING, "mptcp",
				"%s: its listener does MPTCP, for which the kernel takes no cookie of ours",
				name);
			findings_advise(f, "listen with plain TCP (Go: GODEBUG=multipathtcp=0)");
		}
		if (status.asymmetric) {
			findings_add(f, SEVERITY_CRITICAL, "asymmetric",
				     "%s: its servers' answers do not come back through this machine", name);
			findings_advise(
				f,
				"route them through it, or run synmoat in host mode on the servers; until "
				"then: synmoat service mode %s off",
				name);
		}
	}
	if (count && off == count) {
		findings_add(f, SEVERITY_WARNING, "modes",
			     "every service is in mode off or monitor: none is defended");
		findings_advise(f, "synmoat service mode NAME auto");
	} else if (!count) {
		findings_add(f, SEVERITY_WARNING, "modes", "no service is configured: nothing is defended");
		findings_advise(f, "name addresses and ports under services in the configuration");
	}
}

void running_check(const struct doctor *doctor, struct findings *f)
{
	struct engine_status status;

	if (doctor->running) {
		findings_add(f, SEVERITY_NOTE, "daemon", "synmoatd runs with another configuration");
		findings_advise(
			f, "to take this one: restart synmoatd (under systemd: systemctl restart synmoatd); "
			   "how that one does: synmoat doctor, without a file");
	}
	if (!doctor->engine)
		return;
	engine_get_status(doctor->engine, &status);
	check_switches(&status, f);
	check_interfaces(doctor, f);
	check_services(doctor, f);
	if (engine_limits_mode(doctor->engine) != POLICY_ENFORCE) {
		findings_add(f, SEVERITY_NOTE, "limits", "limits only count, or are off");
		findings_advise(f, "after a look at synmoat limit show: synmoat limit set mode enforce");
	}
}
