// SPDX-License-Identifier: GPL-2.0-or-later
/* See doctor_method.h. */
#include "daemon/control/doctor_method.h"

#include <string.h>

#include "daemon/control/dispatch.h"
#include "daemon/control/methods.h"
#include "daemon/control/protocol.h"
#include "daemon/control/varlink.h"
#include "daemon/doctor/doctor.h"
#include "daemon/engine/engine.h"

json_t *doctor_method_encode(const struct findings *findings)
{
	json_t *array = json_array();

	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->items[i];

		json_array_append_new(array,
				      json_pack("{s:s,s:s*,s:s,s:o,s:o}", "check", finding->check,
						"interface", *finding->interface ? finding->interface : NULL,
						"severity", findings_severity_word(finding->severity), "seen",
						varlink_text(finding->seen, strlen(finding->seen)), "advice",
						varlink_text(finding->advice, strlen(finding->advice))));
	}
	return findings->failed ? (json_decref(array), NULL) : json_pack("{s:o}", "findings", array);
}

json_t *doctor_method_run(const struct doctor *doctor)
{
	struct findings findings = { 0 };
	json_t *reply;

	for (size_t i = 0; doctor_check(doctor, i, &findings); i++)
		;
	reply = doctor_method_encode(&findings);
	findings_fini(&findings);
	return reply;
}

void doctor_method_handle(struct request *request)
{
	const struct method_context *context = request->context;
	struct doctor doctor = { .root = "",
				 .state = engine_state_dir(context->engine),
				 .config = engine_get_config(context->engine),
				 .engine = context->engine };
	size_t at = request->progress->at;
	struct findings findings = { 0 };

	if (!request->more)
		request_fail(request, ERROR_EXPECTED_MORE, json_object());
	else if (doctor_check(&doctor, at, &findings))
		request_part(request, doctor_method_encode(&findings), at + 1);
	else
		request_reply(request, doctor_method_encode(&findings));
	findings_fini(&findings);
}
