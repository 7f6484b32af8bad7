// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The oracle first: siphash_reference() against the authors' table of SipHash-2-4 (key 00..0f), and against
 * CPython's bytes hash, which is SipHash-1-3 under a key that PYTHONHASHSEED makes (0: zero; else the bytes
 * of its linear congruential generator). The message of N bytes is 00, 01, ... N-1.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/bpf/siphash_reference.h"

static const uint64_t sip24_key_00_to_0f[64] = {
	0x726fdb47dd0e0e31ULL, 0x74f839c593dc67fdULL, 0x0d6c8009d9a94f5aULL, 0x85676696d7fb7e2dULL,
	0xcf2794e0277187b7ULL, 0x18765564cd99a68dULL, 0xcbc9466e58fee3ceULL, 0xab0200f58b01d137ULL,
	0x93f5f5799a932462ULL, 0x9e0082df0ba9e4b0ULL, 0x7a5dbbc594ddb9f3ULL, 0xf4b32f46226bada7ULL,
	0x751e8fbc860ee5fbULL, 0x14ea5627c0843d90ULL, 0xf723ca908e7af2eeULL, 0xa129ca6149be45e5ULL,
	0x3f2acc7f57c29bdbULL, 0x699ae9f52cbe4794ULL, 0x4bc1b3f0968dd39cULL, 0xbb6dc91da77961bdULL,
	0xbed65cf21aa2ee98ULL, 0xd0f2cbb02e3b67c7ULL, 0x93536795e3a33e88ULL, 0xa80c038ccd5ccec8ULL,
	0xb8ad50c6f649af94ULL, 0xbce192de8a85b8eaULL, 0x17d835b85bbb15f3ULL, 0x2f2e6163076bcfadULL,
	0xde4daaaca71dc9a5ULL, 0xa6a2506687956571ULL, 0xad87a3535c49ef28ULL, 0x32d892fad841c342ULL,
	0x7127512f72f27cceULL, 0xa7f32346f95978e3ULL, 0x12e0b01abb051238ULL, 0x15e034d40fa197aeULL,
	0x314dffbe0815a3b4ULL, 0x027990f029623981ULL, 0xcadcd4e59ef40c4dULL, 0x9abfd8766a33735cULL,
	0x0e3ea96b5304a7d0ULL, 0xad0c42d6fc585992ULL, 0x187306c89bc215a9ULL, 0xd4a60abcf3792b95ULL,
	0xf935451de4f21df2ULL, 0xa9538f0419755787ULL, 0xdb9acddff56ca510ULL, 0xd06c98cd5c0975ebULL,
	0xe612a3cb9ecba951ULL, 0xc766e62cfcadaf96ULL, 0xee64435a9752fe72ULL, 0xa192d576b245165aULL,
	0x0a8787bf8ecb74b2ULL, 0x81b3e73d20b49b6fULL, 0x7fa8220ba3b2eceaULL, 0x245731c13ca42499ULL,
	0xb78dbfaf3a8d83bdULL, 0xea1ad565322a1a0bULL, 0x60e61c23a3795013ULL, 0x6606d7e446282b93ULL,
	0x6ca4ecb15c5f91e1ULL, 0x9f626da15c9625f3ULL, 0xe51b38608ef25f57ULL, 0x958a324ceb064572ULL,
};

/* hash(bytes(range(n))) for n = 1 to 63: CPython 3.11 hashes no empty string */
static const uint64_t cpython_seed_0[63] = {
	0x68a914128e01e473ULL, 0x010bac45c41e3669ULL, 0x4d4c9a4a8ef6e0adULL, 0x7cc43f98813e4dbdULL,
	0x5abe2169dff36275ULL, 0xe3c25f87624f1cdbULL, 0x2f098ab0c751325aULL, 0xead411e67ebe2eeaULL,
	0x75927f9d95124362ULL, 0xaf9f77a65ab51a1dULL, 0xfe64ce8b6617fcffULL, 0xa6baf4fb0f9fe1c2ULL,
	0xa0cf3211850f8e0dULL, 0x7f86049379fbfe67ULL, 0xf30eb725bb91c9eaULL, 0x8972188433a5c5b7ULL,
	0x4883c49a2c009c1dULL, 0xadc2c0b63044067dULL, 0x091f4a3329f87d19ULL, 0x639e355ae68c0100ULL,
	0xb17bef2cb5213239ULL, 0xf8aeb1066236ccfeULL, 0x37332b1389daa4ffULL, 0x31185a47af932f3aULL,
	0xebf352e82ae23e2fULL, 0xed36ff242fe478b2ULL, 0x2454d97d299299dfULL, 0x8cd57fe8130d0ac7ULL,
	0xbe98eb2faf0a0e85ULL, 0xd427c34ee09470c6ULL, 0x169739443111d49bULL, 0x31ef8061c910629bULL,
	0x7fb71d24dfa4c9f6ULL, 0x92771f49e836d389ULL, 0x3c393cf6f0853bc3ULL, 0xac77921fcc642bd3ULL,
	0x422a9751192ff266ULL, 0xc680ae8a8c584ddfULL, 0x6c76b6d34bb6d26bULL, 0x95bc321ab41d8206ULL,
	0x908a3a97a6d37669ULL, 0xfcaf3c64874dd0b4ULL, 0xf689479b32b84a44ULL, 0xd857641079efd1fdULL,
	0x8b581578722633f7ULL, 0x83cb09d35ea7bcd4ULL, 0x8485f7f5ae725a0dULL, 0xfe1f2445ba50237fULL,
	0x23cece041d7866b0ULL, 0x416687480b336c09ULL, 0xf15960da7e7f3892ULL, 0xded6177b9826835aULL,
	0xf80dae51668be6beULL, 0x17ecc6ee6647df18ULL, 0x5220d642b4a52110ULL, 0xa4f0cf4ba4adc016ULL,
	0xe5125bb26d1f2976ULL, 0x851b0e75f580d256ULL, 0x12605250a37e39acULL, 0xd95a713568daebf1ULL,
	0xcdcf4a42ec0dd605ULL, 0xa5c708712b617164ULL, 0x385d3e39e5f37359ULL,
};

static const uint64_t cpython_seed_42[63] = {
	0xce880c366bcf3489ULL, 0xef32fbc0469f0756ULL, 0xef4b9dcae9b04417ULL, 0x79793200f3b3b3dbULL,
	0xbe8653fc64f95fbdULL, 0xb32b5a11619800ddULL, 0xce280fabc397fbdaULL, 0x60866c3c108c6afbULL,
	0x68814005f7469e03ULL, 0x060a514cd0a2e301ULL, 0x72f315ef14fb4b09ULL, 0x550fe6ca26ef7fddULL,
	0x19c8185b4c3e2799ULL, 0xfaa1fc2224a07929ULL, 0x94ace24d68c18cf8ULL, 0x339176f3ac59ce05ULL,
	0xed2706b414c296f1ULL, 0xcdd77102531929e2ULL, 0x33a51c4b838d8070ULL, 0xa7dbb0b1fa0842a3ULL,
	0x20dfd910e0134ee5ULL, 0xcd0fe2c8291e801eULL, 0xad71bad831e3a42dULL, 0xae431c6fb201ce8bULL,
	0x0979abaf2e4d385eULL, 0x7a6386516c9db280ULL, 0xb0c2acd9e8f32b9cULL, 0x539526f9be7bc8e8ULL,
	0x80aca43c39d622a3ULL, 0x02bdd64163fc53a4ULL, 0x06f3af51bda71c61ULL, 0x26f2ecd47de50371ULL,
	0x0c2f62fe705a39bcULL, 0xf36e3b1fa0873bc4ULL, 0x5f01e52e566b6883ULL, 0x325168a6b0dc469fULL,
	0x2be7232ee94b7e5fULL, 0xc475b8968275842dULL, 0xc6e27a94ae5452f3ULL, 0xde03d697bf20e38aULL,
	0x738c6863d812c266ULL, 0xde0a234ddc2bb678ULL, 0xb67b95b357062551ULL, 0x29911eff4d51e13dULL,
	0x53f6e668e7fb95e2ULL, 0xed79c3358e44c539ULL, 0x275680412b4519a3ULL, 0x567c448c8884a52bULL,
	0x8be2a3cb52704009ULL, 0x164feac24917ec19ULL, 0x39b726f73ef545d1ULL, 0x7ec4a07d0082066bULL,
	0x23ab9cd189b60fb0ULL, 0x7a5be6d78842117cULL, 0x1aa5ebf1421bacc3ULL, 0x6d85aecde75643f1ULL,
	0x553957a2ca3d0178ULL, 0x958f5b7f5f952508ULL, 0xa23119bd8d7ba75cULL, 0xc2f6babeec826e14ULL,
	0xa0d5052b62d88a85ULL, 0x4ff1b6793caa7e77ULL, 0x06e24d6f0d014c37ULL,
};

static void check_table(unsigned int c, unsigned int d, const uint8_t key[16], const uint64_t *table,
			size_t first, size_t count)
{
	uint8_t message[64];

	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = (uint8_t)i;
	for (size_t i = 0; i < count; i++)
		if (siphash_reference(c, d, key, message, first + i) != table[i])
			fail_msg("SipHash-%u-%u of %zu bytes", c, d, first + i);
}

static void sip24_is_that_of_its_authors(void **state)
{
	static const uint8_t key[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

	(void)state;
	check_table(2, 4, key, sip24_key_00_to_0f, 0, 64);
}

static void sip13_is_that_of_cpython_with_key_zero(void **state)
{
	static const uint8_t key[16];

	(void)state;
	check_table(1, 3, key, cpython_seed_0, 1, 63);
}

static void sip13_is_that_of_cpython_with_a_key(void **state)
{
	uint32_t x = 42;
	uint8_t key[16];

	(void)state;
	for (size_t i = 0; i < sizeof(key); i++) {
		x = x * 214013 + 2531011;
		key[i] = (uint8_t)(x >> 16);
	}
	check_table(1, 3, key, cpython_seed_42, 1, 63);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sip24_is_that_of_its_authors),
		cmocka_unit_test(sip13_is_that_of_cpython_with_key_zero),
		cmocka_unit_test(sip13_is_that_of_cpython_with_a_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
