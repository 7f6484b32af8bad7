/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The wire format: what is a message, what is a call and what is said of what is none, what replies look
 * like.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "daemon/control/buffer.h"
#include "daemon/control/protocol.h"
#include "daemon/control/varlink.h"

static const struct {
	const char *message, *method;
	bool parameters, more, oneway;
} calls[] = {
	{ "{\"method\":\"a.B\"}", "a.B", false, false, false },
	{ " {\"method\" : \"a.B\"}\n", "a.B", false, false, false },
	{ "{\"method\":\"a.B\",\"parameters\":{}}", "a.B", true, false, false },
	{ "{\"method\":\"a.B\",\"parameters\":null}", "a.B", false, false, false },
	{ "{\"method\":\"a.B\",\"more\":true}", "a.B", false, true, false },
	{ "{\"method\":\"a.B\",\"more\":false,\"oneway\":true}", "a.B", false, false, true },
	{ "{\"method\":\"a.B\",\"upgrade\":false}", "a.B", false, false, false },
};

static const struct {
	const char *message, *said;
} refused[] = {
	{ "", "not JSON" },
	{ "hello", "not JSON" },
	{ "{\"method\":\"a.B\"", "not JSON" },
	{ "{\"method\":\"a.B\"} junk", "not JSON" },
	{ "{\"method\":\"a.B\",\"method\":\"a.C\"}", "duplicate" },
	{ "{\"method\":\"a\\u0000B\"}", "not JSON" },
	{ "{\"method\":\"\xff\"}", "not JSON" },
	{ "[]", "must be a JSON object" },
	{ "42", "must be a JSON object" },
	{ "null", "must be a JSON object" },
	{ "{}", "must have a \"method\"" },
	{ "{\"method\":null}", "must have a \"method\"" },
	{ "{\"method\":1}", "\"method\" must be a string" },
	{ "{\"method\":\"a.B\",\"parameters\":[]}", "\"parameters\" must be an object" },
	{ "{\"method\":\"a.B\",\"more\":1}", "\"more\" must be true or false" },
	{ "{\"method\":\"a.B\",\"oneway\":\"x\"}", "\"oneway\" must be true or false" },
	{ "{\"method\":\"a.B\",\"upgrade\":true}", "not supported" },
	{ "{\"method\":\"a.B\",\"more\":true,\"oneway\":true}", "exclude each other" },
	{ "{\"method\":\"a.B\",\"colour\":1}", "no member \"colour\"" },
};

static void test_calls(void **state)
{
	struct varlink_call call;
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		assert_int_equal(varlink_call_parse(&call, calls[i].message, strlen(calls[i].message), text,
						    sizeof(text)),
				 0);
		assert_string_equal(call.method, calls[i].method);
		assert_int_equal(call.parameters != NULL, calls[i].parameters);
		assert_int_equal(call.more, calls[i].more);
		assert_int_equal(call.oneway, calls[i].oneway);
		varlink_call_fini(&call);
	}
}

static void test_refused(void **state)
{
	struct varlink_call call;
	char text[256];

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		assert_int_equal(varlink_call_parse(&call, refused[i].message, strlen(refused[i].message),
						    text, sizeof(text)),
				 -EINVAL);
		if (!strstr(text, refused[i].said))
			fail_msg("%s: said '%s', not '%s'", refused[i].message, text, refused[i].said);
	}
}

static void test_nesting(void **state)
{
	static char deep[MESSAGE_MAX];
	struct varlink_call call;
	char text[256];

	(void)state;
	memset(deep, '[', sizeof(deep));
	assert_int_equal(varlink_call_parse(&call, deep, sizeof(deep), text, sizeof(text)), -EINVAL);
	assert_non_null(strstr(text, "depth"));
}

static void test_framing(void **state)
{
	struct buffer input = { 0 };
	size_t length = 99;

	(void)state;
	assert_int_equal(varlink_next(&input, &length), 0);
	buffer_append(&input, "ab", 2);
	assert_int_equal(varlink_next(&input, &length), 0);
	buffer_append(&input, "c\0\0d", 4);
	assert_int_equal(varlink_next(&input, &length), 1);
	assert_int_equal(length, 3);
	assert_memory_equal(buffer_front(&input), "abc", 4);
	buffer_consume(&input, length + 1);
	assert_int_equal(varlink_next(&input, &length), 1);
	assert_int_equal(length, 0);
	buffer_consume(&input, length + 1);
	assert_int_equal(varlink_next(&input, &length), 0);
	assert_int_equal(buffer_pending(&input), 1);
	buffer_fini(&input);
}

/* MESSAGE_MAX bytes and a NUL are a message; one byte more is too large, even before its NUL has come. */
static void test_largest(void **state)
{
	static char text[MESSAGE_MAX + 2];
	struct buffer input = { 0 };
	size_t length;

	(void)state;
	memset(text, 'x', sizeof(text));
	buffer_append(&input, text, MESSAGE_MAX);
	assert_int_equal(varlink_next(&input, &length), 0);
	buffer_append(&input, "", 1);
	assert_int_equal(varlink_next(&input, &length), 1);
	assert_int_equal(length, MESSAGE_MAX);
	buffer_consume(&input, length + 1);
	buffer_append(&input, text, MESSAGE_MAX + 1);
	assert_int_equal(varlink_next(&input, &length), -EMSGSIZE);
	buffer_append(&input, "", 1);
	assert_int_equal(varlink_next(&input, &length), -EMSGSIZE);
	buffer_fini(&input);
}

static void test_replies(void **state)
{
	size_t length = 0;
	char *text;

	(void)state;
	text = varlink_reply_encode(json_pack("{s:i}", "a", 1), false, &length);
	assert_string_equal(text, "{\"parameters\":{\"a\":1}}");
	assert_int_equal(length, strlen(text));
	free(text);
	text = varlink_reply_encode(json_object(), true, &length);
	assert_string_equal(text, "{\"parameters\":{},\"continues\":true}");
	free(text);
	text = varlink_error_encode("a.E", json_object(), &length);
	assert_string_equal(text, "{\"error\":\"a.E\",\"parameters\":{}}");
	free(text);
	assert_null(varlink_reply_encode(NULL, false, &length));
	assert_null(varlink_error_encode("a.E", NULL, &length));
}

static void test_text(void **state)
{
	json_t *good = varlink_text("n\303\244me", 5), *bad = varlink_text("n\344me", 4);

	(void)state;
	assert_string_equal(json_string_value(good), "n\303\244me");
	assert_string_equal(json_string_value(bad), "n?me");
	json_decref(good);
	json_decref(bad);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calls),	cmocka_unit_test(test_refused),
		cmocka_unit_test(test_nesting), cmocka_unit_test(test_framing),
		cmocka_unit_test(test_largest), cmocka_unit_test(test_replies),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
