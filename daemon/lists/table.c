// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See table.h. A step covers 16 bits of the address: the trie's nodes within it become segments (from this
 * key on, this word), and these a B-tree of lines, or a table of all keys when they are many.
 */
#include "daemon/lists/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STEP_BITS 16U
#define KEYS	  65536U
#define DIRECT_ABOVE                                                                                         \
	8192U /* segments; below it, a B-tree takes less memory and at most four lines a look                \
	       */
#define FILTER_BELOW (LIST_FILTER_BITS / 2) /* bits that are set: from there on, too few end at it */
#define MAPPED_BITS  96U

static unsigned int step_begin(unsigned int family, unsigned int step)
{
	return (family ? 0 : MAPPED_BITS) + step * STEP_BITS;
}

static uint32_t bits16(uint64_t high, uint64_t low, unsigned int begin)
{
	return (uint32_t)(begin < 64 ? high >> (48 - begin) : low >> (112 - begin)) & 0xffff;
}

static void store_word(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

int table_builder_init(struct table_builder *b, const struct store *store, struct pool *pool,
		       enum store_view view)
{
	*b = (struct table_builder){ .store = store, .pool = pool, .view = view };
	b->segments = malloc((KEYS + 1) * sizeof(*b->segments));
	return b->segments ? 0 : -ENOMEM;
}

void table_builder_fini(struct table_builder *b)
{
	free(b->segments);
	free(b->tasks);
}

/* --- what the store says --- */

static uint32_t own_word(const struct table_builder *b, uint32_t node, uint32_t inherited)
{
	uint32_t winner = b->store->nodes[node].entry ? store_winner(b->store, node, b->view) : 0;

	if (!winner)
		return inherited;
	return pool_record_word(b->pool, winner) |
	       (b->store->entries[winner].kind == LIST_ALLOW ? LIST_ALLOWED : 0);
}

/* The topmost node of at least BITS bits in the block; *inherited is what covers the block from outside. */
static uint32_t descend(const struct table_builder *b, unsigned int family, uint64_t high, uint64_t low,
			unsigned int bits, uint32_t *inherited)
{
	uint32_t index = b->store->roots[family];

	*inherited = 0;
	while (index) {
		const struct store_node *n = &b->store->nodes[index];
		unsigned int least = n->bits < bits ? n->bits : bits;

		if (!store_same(n->high, n->low, high, low, least))
			return 0;
		if (n->bits >= bits)
			return index;
		*inherited = own_word(b, index, *inherited);
		index = n->child[store_bit(high, low, n->bits)];
	}
	return 0;
}

/* --- one step: segments --- */

static void emit(struct table_builder *b, uint32_t key, uint32_t word, uint32_t node, uint32_t inherited)
{
	struct table_segment *last = b->segment_count ? &b->segments[b->segment_count - 1] : NULL;

	if (key >= KEYS)
		return;
	if (last && last->key == key)
		b->segment_count--; /* nothing lies between: the later word holds */
	last = b->segment_count ? &b->segments[b->segment_count - 1] : NULL;
	if (last && !node && !last->node && last->word == word)
		return;
	b->segments[b->segment_count++] = (struct table_segment){
		.word = word, .node = node, .inherited = inherited, .key = (uint16_t)key
	};
}

static uint32_t step_word(const struct pool *pool, uint32_t word, uint32_t key);

/* What the step has below a single key; AFTER holds behind it. */
static void emit_below(struct table_builder *b, uint32_t node, uint32_t key, uint32_t inherited)
{
	uint32_t kept = 0;

	if (b->old && (key < b->keep_below || key > b->keep_above))
		kept = step_word(b->pool, b->old, key);
	if (kept & LIST_REF)
		emit(b, key, kept, 0, 0);
	else
		emit(b, key, 0, node, inherited);
	emit(b, key + 1, inherited, 0, 0);
}

static void collect(struct table_builder *b, uint32_t index, unsigned int begin, uint32_t inherited)
{
	const struct store_node *n = &b->store->nodes[index];
	uint32_t key = bits16(n->high, n->low, begin), own, span;

	if (n->bits > begin + STEP_BITS || (n->bits == begin + STEP_BITS && (n->child[0] || n->child[1]))) {
		emit_below(b, index, key, inherited);
		return;
	}
	own = own_word(b, index, inherited);
	span = 1U << (begin + STEP_BITS - n->bits);
	emit(b, key, own, 0, 0);
	for (int side = 0; side < 2; side++)
		if (n->child[side])
			collect(b, n->child[side], begin, own);
	emit(b, key + span, inherited, 0, 0);
}

/* --- one step: lines --- */

static int push_task(struct table_builder *b, const struct table_task *task)
{
	if (b->task_count == b->task_room) {
		uint32_t wanted = b->task_room ? b->task_room * 2 : 1024;
		struct table_task *grown = reallocarray(b->tasks, wanted, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		b->tasks = grown;
		b->task_room = wanted;
	}
	b->tasks[b->task_count++] = *task;
	return 0;
}

static void put_segment(struct table_builder *b, const struct table_task *of, const struct table_segment *s,
			uint32_t *word, uint32_t copies)
{
	const struct table_task task = { .word = word,
					 .node = s->node,
					 .inherited = s->inherited,
					 .step = of->step + 1,
					 .family = of->family,
					 .copies = (uint8_t)copies };

	for (uint32_t i = 0; i < copies; i++)
		word[i] = s->word;
	if (s->node && push_task(b, &task))
		b->error = -ENOMEM;
}

static uint32_t make_direct(struct table_builder *b, const struct table_task *task)
{
	uint32_t line = pool_direct(b->pool), next = 0, *words;

	if (!line)
		return 0;
	words = (uint32_t *)pool_at(b->pool, line);
	for (uint32_t key = 0; key < KEYS; key++) {
		const struct table_segment *s = &b->segments[next];

		if (next < b->segment_count && s->key == key) {
			put_segment(b, task, s, &words[key], 1);
			next++;
		} else {
			words[key] = words[key - 1]; /* the first segment begins at 0 */
		}
	}
	return LIST_REF | LIST_DIRECT | line;
}

/* Lines over COUNT segments; what is left in segments are the lines themselves. */
static int make_level(struct table_builder *b, const struct table_task *task, uint32_t to)
{
	uint32_t made = 0;

	for (uint32_t first = 0; first < b->segment_count; made++) {
		uint32_t count = b->segment_count - first, number = pool_line(b->pool, POOL_TREE);
		uint16_t key = b->segments[first].key;
		struct list_line *line;

		if (!number)
			return -ENOMEM;
		count = count < LIST_WORDS ? count : LIST_WORDS;
		line = pool_at(b->pool, number);
		memset(line->key, 0xff, sizeof(line->key));
		for (uint32_t i = 0; i < count; i++) {
			const struct table_segment *s = &b->segments[first + i];

			if (i)
				line->key[i - 1] = s->key;
			put_segment(b, task, s, &line->word[i], i + 1 == count ? LIST_WORDS - i : 1);
		}
		b->segments[made] = (struct table_segment){ .word = LIST_REF | to | number, .key = key };
		first += count;
	}
	b->segment_count = made;
	return 0;
}

/* Marks what differs from OTHER. Returns the number of bits. */
static uint32_t mark_segments(const struct table_builder *b, uint32_t other,
			      uint32_t bits[LIST_FILTER_BITS / 32])
{
	uint32_t count = 0;

	memset(bits, 0, LIST_FILTER_BITS / 8);
	for (uint32_t i = 0; i < b->segment_count; i++) {
		const struct table_segment *s = &b->segments[i];
		uint32_t end = i + 1 < b->segment_count ? s[1].key : KEYS;

		if (!s->node && s->word == other)
			continue;
		for (uint32_t bit = s->key >> 8; bit <= (end - 1) >> 8; bit++) {
			count += !(bits[bit / 32] >> bit % 32 & 1);
			bits[bit / 32] |= 1U << bit % 32;
		}
	}
	return count;
}

/* Over the lines that make_level has left in segments, LIST_FILTER_WORDS at most. */
static uint32_t make_filter(struct table_builder *b, uint32_t other, const uint32_t *bits)
{
	uint32_t number = pool_line(b->pool, POOL_FILTER), last = b->segment_count - 1;
	struct list_filter *f;

	if (!number)
		return 0;
	f = (struct list_filter *)pool_at(b->pool, number);
	f->other = other;
	memcpy(f->bits, bits, sizeof(f->bits));
	for (uint32_t i = 0; i < LIST_FILTER_WORDS; i++)
		f->word[i] = b->segments[i < last ? i : last].word;
	for (uint32_t i = 0; i < LIST_FILTER_KEYS; i++)
		f->key[i] = i < last ? b->segments[i + 1].key : 0xffff;
	return LIST_REF | LIST_FILTER | number;
}

/* OTHER is what covers the whole step from above. */
static uint32_t make_lines(struct table_builder *b, const struct table_task *task, uint32_t other)
{
	uint32_t bits[LIST_FILTER_BITS / 32], to = LIST_LEAF;
	bool filter = b->segment_count > LIST_WORDS && mark_segments(b, other, bits) < FILTER_BELOW;

	do {
		if (make_level(b, task, to))
			return 0;
		to = LIST_INNER;
	} while (b->segment_count > (filter ? LIST_FILTER_WORDS : 1));
	return filter ? make_filter(b, other, bits) : b->segments[0].word;
}

/* One step, but not those below it, for which there are tasks then. 0 may mean that there was no memory: see
 * b->error. */
static uint32_t make_step(struct table_builder *b, const struct table_task *task, bool direct)
{
	const struct store_node *n = task->node ? &b->store->nodes[task->node] : NULL;
	unsigned int begin = step_begin(task->family, task->step);
	uint32_t inherited = task->inherited, word;

	b->segment_count = 0;
	if (n && n->bits == begin) {
		inherited = own_word(b, task->node, inherited);
		emit(b, 0, inherited, 0, 0);
		for (int side = 0; side < 2; side++)
			if (n->child[side])
				collect(b, n->child[side], begin, inherited);
	} else {
		emit(b, 0, inherited, 0, 0);
		if (n)
			collect(b, task->node, begin, inherited);
	}
	if (!direct && b->segment_count == 1 && !b->segments[0].node)
		return b->segments[0].word;
	word = direct || b->segment_count > DIRECT_ABOVE ? make_direct(b, task)
							 : make_lines(b, task, inherited);
	if (!word)
		b->error = -ENOMEM;
	return word;
}

static void run_task(struct table_builder *b)
{
	struct table_task task = b->tasks[--b->task_count];
	uint32_t word = make_step(b, &task, false);

	for (uint32_t i = 0; i < task.copies; i++)
		task.word[i] = word;
}

int table_run(struct table_builder *b, uint32_t steps)
{
	while (b->task_count && !b->error && steps--)
		run_task(b);
	if (b->error)
		b->task_count = 0;
	return b->error ? b->error : b->task_count != 0;
}

int table_begin(struct table_builder *b, unsigned int family, uint32_t *root)
{
	const struct table_task task = { .node = b->store->roots[family], .family = (uint8_t)family };

	b->old = 0;
	*root = 0;
	if (!task.node)
		return 0;
	*root = make_step(b, &task, true);
	return b->error;
}

/* --- reading --- */

static uint32_t place_in(const struct list_line *line, uint32_t key)
{
	uint32_t place = 0;

	for (int i = 0; i < LIST_KEYS; i++)
		place += line->key[i] <= key;
	return place;
}

static uint32_t *filter_place(struct list_filter *f, uint32_t key)
{
	uint32_t place = 0;

	if (!(f->bits[key >> 13] >> (key >> 8 & 31) & 1))
		return &f->other;
	for (int i = 0; i < LIST_FILTER_KEYS; i++)
		place += f->key[i] <= key;
	return &f->word[place];
}

/* The word that decides about KEY, and the line if it is in one of LIST_LEAF. */
static uint32_t *step_place(const struct pool *pool, uint32_t word, uint32_t key, struct list_line **leaf)
{
	struct list_line *line;

	*leaf = NULL;
	for (;;) {
		line = pool_at(pool, word & LIST_LINE);
		if ((word & LIST_TO) == LIST_DIRECT)
			return (uint32_t *)line + key;
		if ((word & LIST_TO) == LIST_FILTER) {
			uint32_t *found = filter_place((struct list_filter *)line, key);

			if (!(*found & LIST_REF))
				return found;
			word = *found;
			continue;
		}
		if ((word & LIST_TO) == LIST_LEAF) {
			*leaf = line;
			return &line->word[place_in(line, key)];
		}
		word = line->word[place_in(line, key)];
	}
}

static uint32_t step_word(const struct pool *pool, uint32_t word, uint32_t key)
{
	struct list_line *leaf;

	return word & LIST_REF ? *step_place(pool, word, key, &leaf) : word;
}

uint32_t table_find(const struct pool *pool, uint32_t root, bool v6, const struct in6_addr *address)
{
	unsigned int at = v6 ? 0 : MAPPED_BITS / 8;
	uint32_t word = root;

	for (; word & LIST_REF && at < 16; at += 2)
		word = step_word(pool, word, (uint32_t)address->s6_addr[at] << 8 | address->s6_addr[at + 1]);
	return word;
}

/* --- taking away --- */

/* Retires a step; the references below it, too, unless their key is outside of the two. */
static void drop_step(struct pool *pool, uint32_t word, uint32_t key, uint32_t first, uint32_t last);

static void drop_below(struct pool *pool, uint32_t word, uint32_t key, uint32_t first, uint32_t last)
{
	if (word & LIST_REF && key >= first && key <= last)
		drop_step(pool, word, 0, 0, KEYS - 1);
}

static void drop_filtered(struct pool *pool, const struct list_filter *f, uint32_t first, uint32_t last)
{
	for (uint32_t i = 0; i < LIST_FILTER_WORDS; i++)
		if (!i || f->word[i] != f->word[i - 1])
			drop_step(pool, f->word[i], i ? f->key[i - 1] : 0, first, last);
}

static void drop_step(struct pool *pool, uint32_t word, uint32_t key, uint32_t first, uint32_t last)
{
	const struct list_line *line = pool_at(pool, word & LIST_LINE);

	if ((word & LIST_TO) == LIST_DIRECT) {
		for (uint32_t i = 0; i < KEYS; i++)
			drop_below(pool, ((const uint32_t *)line)[i], i, first, last);
	} else if ((word & LIST_TO) == LIST_FILTER) {
		drop_filtered(pool, (const struct list_filter *)line, first, last);
	} else {
		for (uint32_t i = 0; i < LIST_WORDS; i++) {
			if (i && line->word[i] == line->word[i - 1])
				continue;
			if (i)
				key = line->key[i - 1];
			if ((word & LIST_TO) == LIST_INNER)
				drop_step(pool, line->word[i], key, first, last);
			else
				drop_below(pool, line->word[i], key, first, last);
		}
	}
	pool_retire(pool, word);
}

void table_drop(struct pool *pool, uint32_t root)
{
	if (root & LIST_REF)
		drop_step(pool, root, 0, 0, KEYS - 1);
}

/* --- changing in place --- */

struct target {
	uint64_t high, low;
	unsigned int bits, family;
};

/* Makes a step and all below it before anything refers to it. */
static uint32_t make_whole(struct table_builder *b, const struct table_task *task)
{
	uint32_t word = make_step(b, task, false);

	b->old = 0;
	while (b->task_count && !b->error)
		run_task(b);
	return word;
}

/* The last word of a line may stand there several times. */
static void replace(uint32_t *word, struct list_line *leaf, uint32_t made)
{
	uint32_t old = *word;

	for (int i = 0; leaf && old & LIST_REF && i < LIST_WORDS; i++)
		if (leaf->word[i] == old)
			store_word(&leaf->word[i], made);
	store_word(word, made);
}

/* Below keys FIRST to LAST of a LIST_DIRECT, which stays. */
static int refresh_keys(struct table_builder *b, const struct target *t, uint32_t *words, unsigned int step,
			uint32_t first, uint32_t last)
{
	unsigned int begin = step_begin(t->family, step), end = begin + STEP_BITS;

	for (uint32_t key = first; key <= last; key++) {
		struct table_task task = { .family = (uint8_t)t->family, .step = (uint16_t)(step + 1) };
		uint64_t high = t->high, low = t->low;
		uint32_t old = words[key], made;

		if (begin < 64)
			high = (high & ~(0xffffULL << (48 - begin))) | (uint64_t)key << (48 - begin);
		else
			low = (low & ~(0xffffULL << (112 - begin))) | (uint64_t)key << (112 - begin);
		task.node = descend(b, t->family, high, low, end, &task.inherited);
		made = make_whole(b, &task);
		if (b->error)
			return b->error;
		store_word(&words[key], made);
		table_drop(b->pool, old);
	}
	return 0;
}

/* The step anew, with what lies below its other keys. */
static int refresh_step(struct table_builder *b, const struct target *t, uint32_t *word,
			struct list_line *leaf, unsigned int step, uint32_t first, uint32_t last)
{
	struct table_task task = { .family = (uint8_t)t->family, .step = (uint16_t)step };
	uint32_t old = *word, made;

	task.node = descend(b, t->family, t->high, t->low, step_begin(t->family, step), &task.inherited);
	b->old = old & LIST_REF ? old : 0;
	b->keep_below = first;
	b->keep_above = last;
	made = make_whole(b, &task);
	if (b->error)
		return b->error;
	replace(word, leaf, made);
	if (old & LIST_REF)
		drop_step(b->pool, old, 0, first, last);
	return 0;
}

static int refresh(struct table_builder *b, const struct target *t, uint32_t *word)
{
	struct list_line *leaf = NULL, *next_leaf;

	for (unsigned int step = 0; step_begin(t->family, step) < 128; step++) {
		unsigned int begin = step_begin(t->family, step), end = begin + STEP_BITS;
		uint32_t first = bits16(t->high, t->low, begin), last = first, *below;

		if (t->bits < end)
			last = first | ((1U << (end - t->bits)) - 1);
		if (!(*word & LIST_REF))
			return refresh_step(b, t, word, leaf, step, first, last);
		below = step_place(b->pool, *word, first, &next_leaf);
		if (t->bits > end && *below & LIST_REF) {
			word = below;
			leaf = next_leaf;
			continue;
		}
		if ((*word & LIST_TO) == LIST_DIRECT)
			return refresh_keys(b, t, (uint32_t *)pool_at(b->pool, *word & LIST_LINE), step,
					    first, last);
		return refresh_step(b, t, word, leaf, step, first, last);
	}
	return -EINVAL; /* a word of the last step refers to a further one */
}

int table_refresh(struct table_builder *b, uint32_t *root, const struct prefix *prefix)
{
	uint64_t words[2];
	struct target t = { .bits = prefix->length_bits, .family = !prefix_is_v4(prefix) };
	struct table_task task = { .family = (uint8_t)t.family };
	uint32_t made;

	memcpy(words, &prefix->address, sizeof(words));
	t.high = __builtin_bswap64(words[0]);
	t.low = __builtin_bswap64(words[1]);
	b->error = 0;
	b->old = 0;
	if (*root & LIST_REF)
		return refresh(b, &t, root);
	task.node = b->store->roots[t.family];
	if (!task.node)
		return 0;
	made = make_step(b, &task, true);
	while (b->task_count && !b->error)
		run_task(b);
	if (!b->error)
		*root = made;
	return b->error;
}
