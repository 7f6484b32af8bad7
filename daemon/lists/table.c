// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See table.h. The addresses below a word of the root are cut into ranges by their first bits, until the keys
 * of each fit into one line; lines of one cut lie in a row and are chosen by an index.
 */
#include "daemon/lists/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROOT_BITS	16U
#define MAPPED_BITS	96U
#define HALF_BITS	64U
#define TABLE_NOT_ALONE 0xff
#define INDEX_BITS_MAX	LIST_CHUNK_SHIFT
#define WEIGHED_MAX	65536U /* nodes: for more, an index has as many lines as it can */

/* Bits of the address that the keys of a line hold. */
struct field {
	unsigned int begin, end;
	bool wide;
};

struct range {
	uint64_t high, low;
	unsigned int bits;
};

static struct field field_of(unsigned int family, unsigned int bits)
{
	if (!family)
		return (struct field){ 128 - ROOT_BITS, 128, false };
	if (bits < HALF_BITS)
		return (struct field){ 0, HALF_BITS, true };
	return (struct field){ HALF_BITS, 128, true };
}

static uint64_t field_value(struct field f, uint64_t high, uint64_t low)
{
	return !f.wide ? low & 0xffff : f.begin ? low : high;
}

/* The range of BITS bits that has VALUE in its field, and otherwise what HIGH and LOW have. */
static struct range range_of(struct field f, uint64_t high, uint64_t low, uint64_t value, unsigned int bits)
{
	if (!f.wide)
		return (struct range){ high, (low & ~0xffffULL) | value, bits };
	return f.begin ? (struct range){ high, value, bits } : (struct range){ value, 0, bits };
}

static uint64_t ones(unsigned int bits)
{
	return bits < 64 ? (1ULL << bits) - 1 : UINT64_MAX;
}

static unsigned int root_begin(unsigned int family)
{
	return family ? 0 : MAPPED_BITS;
}

static uint32_t root_key(unsigned int family, uint64_t high, uint64_t low)
{
	return (uint32_t)(family ? high >> 48 : low >> 16) & 0xffff;
}

static void store_word(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

int table_builder_init(struct table_builder *b, const struct store *store, struct pool *pool,
		       enum store_view view)
{
	*b = (struct table_builder){ .store = store, .pool = pool, .view = view };
	b->weights = malloc(sizeof(*b->weights) << INDEX_BITS_MAX);
	return b->weights ? 0 : -ENOMEM;
}

void table_builder_fini(struct table_builder *b)
{
	free(b->weights);
	free(b->tasks);
	free(b->plan.items);
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

/* From a node down to the topmost one in the range; *inherited becomes what covers the range from outside. */
static uint32_t descend(const struct table_builder *b, uint32_t index, const struct range *r,
			uint32_t *inherited)
{
	while (index) {
		const struct store_node *n = &b->store->nodes[index];
		unsigned int least = n->bits < r->bits ? n->bits : r->bits;

		if (!store_same(n->high, n->low, r->high, r->low, least))
			return 0;
		if (n->bits >= r->bits)
			return index;
		*inherited = own_word(b, index, *inherited);
		index = n->child[store_bit(r->high, r->low, n->bits)];
	}
	return 0;
}

/* Has it more than one of the field's values can tell? */
static bool is_below(const struct store_node *n, unsigned int end)
{
	return n->bits > end || (n->bits == end && (n->child[0] || n->child[1]));
}

/* --- memory --- */

/* Zeroed, so that what is given up while half made can be taken apart. */
static uint32_t lines_new(struct table_builder *b, unsigned int bits)
{
	uint32_t line = pool_lines(b->pool, bits);

	if (line)
		memset(pool_line_at(b->pool, line), 0, sizeof(struct list_line) << bits);
	else
		b->error = -ENOMEM;
	return line;
}

static uint32_t words_new(struct table_builder *b, unsigned int count)
{
	uint32_t unit = pool_words(b->pool, count);

	if (!unit)
		b->error = -ENOMEM;
	return unit;
}

static void push_task(struct table_builder *b, const struct table_task *task)
{
	if (b->task_count == b->task_room) {
		uint32_t wanted = b->task_room ? b->task_room * 2 : 1024;
		struct table_task *grown = reallocarray(b->tasks, wanted, sizeof(*grown));

		if (!grown) {
			b->error = -ENOMEM;
			return;
		}
		b->tasks = grown;
		b->task_room = wanted;
	}
	b->tasks[b->task_count++] = *task;
}

/* --- what a line has to tell --- */

static void emit(struct table_builder *b, uint64_t key, uint32_t word, uint32_t node, uint32_t inherited)
{
	struct table_segment *last;

	if (b->segment_count > TABLE_SEGMENTS)
		return;
	if (b->segment_count > 1 && b->segments[b->segment_count - 1].key == key)
		b->segment_count--; /* nothing lies between: the later word holds */
	last = &b->segments[b->segment_count - 1];
	if (!node && !last->node && last->word == word)
		return;
	if (b->segment_count == TABLE_SEGMENTS) {
		b->segment_count++;
		return;
	}
	b->segments[b->segment_count++] = (struct table_segment){
		.key = key, .word = word, .node = node, .inherited = inherited, .shift = TABLE_NOT_ALONE
	};
}

static void emit_behind(struct table_builder *b, uint64_t end, uint32_t word)
{
	if (end < b->last)
		emit(b, end + 1, word, 0, 0);
}

static void collect(struct table_builder *b, uint32_t index, struct field f, uint32_t inherited)
{
	const struct store_node *n = &b->store->nodes[index];
	uint64_t key = field_value(f, n->high, n->low);
	uint32_t own;

	if (b->segment_count > TABLE_SEGMENTS)
		return;
	if (is_below(n, f.end)) {
		emit(b, key, 0, index, inherited);
		emit_behind(b, key, inherited);
		return;
	}
	own = own_word(b, index, inherited);
	emit(b, key, own, 0, 0);
	for (int side = 0; side < 2; side++)
		if (n->child[side])
			collect(b, n->child[side], f, own);
	emit_behind(b, key | ones(f.end - n->bits), inherited);
}

/* So large an aligned block from the key on, or TABLE_NOT_ALONE. */
static uint8_t block_shift(struct field f, uint64_t key, uint64_t behind)
{
	uint64_t size = behind - key;

	if (size & (size - 1) || key & (size - 1) || (!f.wide && size > 1))
		return TABLE_NOT_ALONE;
	return (uint8_t)__builtin_ctzll(size);
}

/* A block within what holds from the line's beginning takes one key instead of two. */
static void set_apart(struct table_builder *b, struct field f)
{
	struct table_segment *s = b->segments;
	uint32_t kept = 1;

	for (uint32_t i = 1; i < b->segment_count; i++) {
		bool back = i + 1 < b->segment_count && !s[i + 1].node && s[i + 1].word == s[0].word;

		s[kept] = s[i];
		if (back && (s[i].node || s[i].word != s[0].word))
			s[kept].shift = block_shift(f, s[i].key, s[i + 1].key);
		if (s[kept++].shift != TABLE_NOT_ALONE)
			i++;
	}
	b->segment_count = kept;
}

/* Fills segments; false: they are too many for a line. The first has no key. */
static bool gather(struct table_builder *b, const struct table_task *task)
{
	const struct store_node *n = &b->store->nodes[task->node];
	struct field f = field_of(b->family, task->bits);
	bool whole = task->node && n->bits == task->bits;
	uint32_t own = whole ? own_word(b, task->node, task->inherited) : task->inherited;

	b->last = field_value(f, task->high, task->low) | ones(f.end - task->bits);
	b->segments[0] = (struct table_segment){ .word = own, .shift = TABLE_NOT_ALONE };
	b->segment_count = 1;
	for (int side = 0; side < 2 && whole; side++)
		if (n->child[side])
			collect(b, n->child[side], f, own);
	if (task->node && !whole)
		collect(b, task->node, f, own);
	if (b->segment_count > TABLE_SEGMENTS)
		return false;
	set_apart(b, f);
	return b->segment_count - 1 <= (f.wide ? LIST_WIDE_KEYS : LIST_NARROW_KEYS);
}

/* --- a line --- */

static uint32_t verdict_bits(uint32_t word)
{
	return word & LIST_REF ? 3 : !word ? 0 : word & LIST_ALLOWED ? 2 : 1;
}

static uint32_t lower_line(struct table_builder *b, const struct table_segment *s)
{
	struct table_task task = {
		.high = s->key, .node = s->node, .inherited = s->inherited, .bits = HALF_BITS
	};

	task.line = lines_new(b, 0);
	if (!task.line)
		return 0;
	push_task(b, &task);
	return LIST_REF | task.line;
}

/* The words of the segments; *blocked and *allowed get a bit for each. Unit, or 0: there is nothing. */
static uint32_t make_words(struct table_builder *b, uint32_t *blocked, uint32_t *allowed)
{
	uint32_t unit, *words;

	*blocked = *allowed = 0;
	if (b->segment_count == 1 && !b->segments[0].word)
		return 0;
	unit = words_new(b, b->segment_count);
	if (!unit)
		return 0;
	words = pool_words_at(b->pool, unit);
	for (uint32_t i = 0; i < b->segment_count; i++) {
		const struct table_segment *s = &b->segments[i];
		uint32_t bits;

		words[i] = s->node ? lower_line(b, s) : s->word;
		bits = verdict_bits(words[i]);
		*blocked |= (bits & 1) << i;
		*allowed |= bits >> 1 << i;
	}
	return unit;
}

static void make_narrow(struct table_builder *b, struct list_narrow *line)
{
	uint32_t keys = b->segment_count - 1;

	memset(line->key, 0xff, sizeof(line->key));
	line->alone = keys << LIST_NARROW_KEYS;
	for (uint32_t i = 0; i < keys; i++) {
		line->key[i] = (uint16_t)b->segments[i + 1].key;
		line->alone |= (uint32_t)(b->segments[i + 1].shift != TABLE_NOT_ALONE) << i;
	}
	line->next = make_words(b, &line->blocked, &line->allowed);
}

static void make_wide(struct table_builder *b, struct list_wide *line)
{
	uint32_t keys = b->segment_count - 1, blocked, allowed;

	memset(line->key, 0xff, sizeof(line->key));
	line->count = (uint8_t)keys;
	line->alone = 0;
	for (uint32_t i = 0; i < keys; i++) {
		const struct table_segment *s = &b->segments[i + 1];

		line->key[i] = s->key;
		if (s->shift == TABLE_NOT_ALONE)
			continue;
		line->shift[i] = s->shift;
		line->alone |= (uint8_t)(1U << i);
	}
	line->next = make_words(b, &blocked, &allowed);
	line->blocked = (uint8_t)blocked;
	line->allowed = (uint8_t)allowed;
}

/* The segments that were gathered. */
static void make_keys(struct table_builder *b, bool wide, uint32_t number)
{
	struct list_line *line = pool_line_at(b->pool, number);

	if (wide)
		make_wide(b, &line->wide);
	else
		make_narrow(b, &line->narrow);
}

/* A line that says the same of all addresses. */
static void make_plain(struct table_builder *b, uint32_t number, uint32_t word)
{
	b->segments[0] = (struct table_segment){ .word = word };
	b->segment_count = 1;
	if (word)
		make_keys(b, b->family, number);
}

/* --- an index --- */

struct cut {
	struct field field;
	unsigned int begin, bits; /* lines are chosen by so many bits from this one on */
};

static unsigned int cut_shift(const struct cut *c)
{
	return c->field.end - c->begin - c->bits;
}

/* About how many keys the nodes have, no further than LEFT; those of each line in weights, unless bits is 0.
 */
static uint32_t weigh(struct table_builder *b, uint32_t index, const struct cut *c, uint32_t left)
{
	const struct store_node *n = &b->store->nodes[index];
	bool below = is_below(n, c->field.end);
	uint32_t sum = below || n->entry;

	if (!c->field.wide && n->entry && n->bits < c->field.end)
		sum++; /* its end, too */
	if (sum && c->bits)
		b->weights[field_value(c->field, n->high, n->low) >> cut_shift(c) & ones(c->bits)] += sum;
	for (int side = 0; side < 2 && !below; side++)
		if (n->child[side] && sum < left)
			sum += weigh(b, n->child[side], c, left - sum);
	return sum;
}

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* So few lines that most are not too crowded, but no more if most would then be empty. */
static unsigned int choose_bits(struct table_builder *b, uint32_t node, struct cut c, unsigned int fewest)
{
	unsigned int most = least(INDEX_BITS_MAX, c.field.end - c.begin), bits;
	uint32_t keys = c.field.wide ? LIST_WIDE_KEYS : LIST_NARROW_KEYS, weight, crowded[INDEX_BITS_MAX + 1];
	uint32_t taken[INDEX_BITS_MAX + 1];

	weight = weigh(b, node, &c, WEIGHED_MAX);
	if (weight >= WEIGHED_MAX)
		return most;
	for (c.bits = fewest = least(fewest, most); c.bits < most && 1U << c.bits < weight;)
		c.bits++;
	memset(b->weights, 0, sizeof(*b->weights) << c.bits);
	weigh(b, node, &c, WEIGHED_MAX);
	for (bits = c.bits;; bits--) {
		crowded[bits] = taken[bits] = 0;
		for (uint32_t i = 0; i < 1U << bits; i++) {
			if (bits < c.bits)
				b->weights[i] = b->weights[2 * i] + b->weights[2 * i + 1];
			crowded[bits] += b->weights[i] > keys;
			taken[bits] += b->weights[i] > 0;
		}
		if (bits == fewest)
			break;
	}
	while (bits < c.bits && crowded[bits] * 8 > 1U << bits && taken[bits + 1] * 4 >= 2U << bits)
		bits++;
	return bits;
}

/* What the lines of a cut are to tell, which begin at BASE. */
static void make_cut(struct table_builder *b, const struct table_task *task, const struct cut *c,
		     uint32_t base)
{
	uint64_t first = field_value(c->field, task->high, task->low) & ~ones(c->field.end - c->begin);

	for (uint32_t i = 0; i < 1U << c->bits; i++) {
		struct table_task of = { .inherited = task->inherited, .line = base + i };
		struct range r = range_of(c->field, task->high, task->low,
					  first | (uint64_t)i << cut_shift(c), c->begin + c->bits);

		of.node = descend(b, task->node, &r, &of.inherited);
		of.high = r.high;
		of.low = r.low;
		of.bits = (uint8_t)r.bits;
		if (of.node)
			push_task(b, &of);
		else
			make_plain(b, of.line, of.inherited);
	}
}

/* Over the bits that follow on those that all nodes of the task share. */
static void make_index(struct table_builder *b, const struct table_task *task)
{
	const struct store_node *n = &b->store->nodes[task->node];
	struct list_index *index = &pool_line_at(b->pool, task->line)->index;
	struct cut c = { field_of(b->family, task->bits), n->bits, 0 };
	struct table_task inner = *task;
	uint32_t base, outside = 0;

	c.bits = choose_bits(b, task->node, c, 2);
	base = lines_new(b, c.bits);
	if (n->bits > task->bits && task->inherited)
		outside = lines_new(b, 0);
	if (b->error)
		return;
	if (outside)
		make_plain(b, outside, task->inherited);
	index->key = field_value(c.field, n->high, n->low);
	index->above = ~ones(c.field.end - c.begin);
	index->shift = cut_shift(&c);
	index->mask = (uint32_t)ones(c.bits);
	index->outside = outside;
	index->next = LIST_INDEX | base;
	inner.high = n->high;
	inner.low = n->low;
	make_cut(b, &inner, &c, base);
}

static void make_line(struct table_builder *b, const struct table_task *task)
{
	if (gather(b, task))
		make_keys(b, field_of(b->family, task->bits).wide, task->line);
	else
		make_index(b, task);
}

/* --- the root --- */

static struct range root_range(unsigned int family, uint32_t key)
{
	if (family)
		return (struct range){ (uint64_t)key << 48, 0, ROOT_BITS };
	return (struct range){ 0, 0xffff00000000ULL | (uint64_t)key << 16, MAPPED_BITS + ROOT_BITS };
}

/* IPv4: no index stands between the root and most lines. */
static uint32_t make_narrow_root(struct table_builder *b, struct table_task *task)
{
	struct cut c = { field_of(0, task->bits), task->bits, 0 };
	bool fits = gather(b, task);

	if (!fits && b->store->nodes[task->node].bits <= task->bits + 2)
		c.bits = choose_bits(b, task->node, c, 1);
	task->line = lines_new(b, c.bits);
	if (!task->line)
		return 0;
	if (fits)
		make_keys(b, false, task->line);
	else if (c.bits)
		make_cut(b, task, &c, task->line);
	else
		make_index(b, task);
	return LIST_REF | c.bits << LIST_BITS_SHIFT | task->line;
}

/* The word of one key; there are tasks then for what it refers to. */
static uint32_t make_root_word(struct table_builder *b, uint32_t key)
{
	struct range r = root_range(b->family, key);
	struct table_task task = { .high = r.high, .low = r.low, .bits = (uint8_t)r.bits };

	task.node = descend(b, b->store->roots[b->family], &r, &task.inherited);
	if (!task.node)
		return task.inherited;
	if (!is_below(&b->store->nodes[task.node], r.bits))
		return own_word(b, task.node, task.inherited);
	if (!b->family)
		return make_narrow_root(b, &task);
	task.line = lines_new(b, 0);
	if (!task.line)
		return 0;
	push_task(b, &task);
	return LIST_REF | task.line;
}

int table_begin(struct table_builder *b, unsigned int family, uint32_t *root)
{
	b->family = family;
	b->error = 0;
	b->task_count = 0;
	b->root = 0;
	b->key = 0;
	if (b->store->roots[family])
		b->root = lines_new(b, LIST_CHUNK_SHIFT);
	if (!b->root)
		b->key = TABLE_KEYS;
	*root = b->root ? LIST_REF | b->root : 0;
	return b->error;
}

static void run_task(struct table_builder *b)
{
	struct table_task task = b->tasks[--b->task_count];

	make_line(b, &task);
}

int table_run(struct table_builder *b, uint32_t steps)
{
	for (; !b->error && steps--;) {
		if (b->task_count) {
			run_task(b);
		} else if (b->key < TABLE_KEYS) {
			pool_root_at(b->pool, b->root)[b->key] = make_root_word(b, b->key);
			b->key++;
		} else {
			break;
		}
	}
	if (b->error)
		b->task_count = 0;
	return b->error ? b->error : b->task_count || b->key < TABLE_KEYS;
}

/* Lines are made from the last task on, which is that of the highest addresses. */
uint64_t table_left(const struct table_builder *b)
{
	const struct table_task *task = b->task_count ? &b->tasks[b->task_count - 1] : NULL;
	uint64_t left = (uint64_t)(TABLE_KEYS - b->key) << 16;

	if (task)
		left += 1 + (b->family ? task->high >> 32 & 0xffff : task->low & 0xffff);
	return left;
}

/* --- reading --- */

static uint32_t narrow_place(const struct list_narrow *line, uint64_t value)
{
	uint32_t count = line->alone >> LIST_NARROW_KEYS, place = 0;

	while (place < count && line->key[place] <= value)
		place++;
	return place && line->alone >> (place - 1) & 1 && line->key[place - 1] != value ? 0 : place;
}

static uint32_t wide_place(const struct list_wide *line, uint64_t value)
{
	uint32_t place = 0;

	while (place < line->count && line->key[place] <= value)
		place++;
	return place && line->alone >> (place - 1) & 1 &&
			       (line->key[place - 1] ^ value) >> line->shift[place - 1]
		       ? 0
		       : place;
}

static uint32_t line_word(const struct pool *pool, bool wide, const struct list_line *line, uint64_t value)
{
	uint32_t place = wide ? wide_place(&line->wide, value) : narrow_place(&line->narrow, value);

	return line->next ? pool_words_at(pool, line->next)[place] : 0;
}

static uint32_t index_line(const struct list_index *index, uint64_t value)
{
	if ((value ^ index->key) & index->above)
		return index->outside;
	return (index->next & LIST_LINE) + (uint32_t)(value >> index->shift & index->mask);
}

/* The word of a line for a value of its field; 0, too, where an index leads to nothing. */
static uint32_t find_word(const struct pool *pool, bool wide, uint32_t number, uint64_t value)
{
	const struct list_line *line;

	while (number) {
		line = pool_line_at(pool, number);
		if (line->next & LIST_REF)
			number = line->next & LIST_LINE;
		else if (line->next & LIST_INDEX)
			number = index_line(&line->index, value);
		else
			return line_word(pool, wide, line, value);
	}
	return 0;
}

static uint32_t root_bits(uint32_t word)
{
	return word >> LIST_BITS_SHIFT & LIST_BITS;
}

uint32_t table_find(const struct pool *pool, uint32_t root, bool v6, const struct in6_addr *address)
{
	uint64_t halves[2], value;
	uint32_t word;

	memcpy(halves, address, sizeof(halves));
	halves[0] = __builtin_bswap64(halves[0]);
	halves[1] = __builtin_bswap64(halves[1]);
	word = pool_root_at(pool, root)[root_key(v6, halves[0], halves[1])];
	if (!(word & LIST_REF))
		return word;
	value = halves[1] & 0xffff;
	if (!v6)
		return find_word(pool, false, (word & LIST_LINE) + (uint32_t)(value << root_bits(word) >> 16),
				 value);
	word = find_word(pool, true, word & LIST_LINE, halves[0]);
	return word & LIST_REF ? find_word(pool, true, word & LIST_LINE, halves[1]) : word;
}

/* --- taking away --- */

#define PLAN_LINE  LIST_LINE
#define PLAN_WIDE  0x20000000U
#define PLAN_ALONE 0x40000000U /* the lines that were taken as this one, but not what they lead to */
#define PLAN_BELOW 0x80000000U /* not the line, but what it leads to */

static int plan_lines(struct pool_stack *plan, uint32_t base, uint32_t count, uint32_t wide)
{
	int error = pool_push(plan, PLAN_ALONE | base);

	for (uint32_t i = 0; i < count && !error; i++)
		error = pool_push(plan, PLAN_BELOW | wide | (base + i));
	return error;
}

static int plan_word(struct pool_stack *plan, uint32_t word, uint32_t wide)
{
	return word & LIST_REF ? plan_lines(plan, word & LIST_LINE, 1U << root_bits(word), wide) : 0;
}

static void drop_lower(struct pool *pool, struct pool_stack *plan, const struct list_wide *line)
{
	const uint32_t *words = pool_words_at(pool, line->next);

	for (uint32_t i = 0; i <= line->count; i++)
		if (words[i] & LIST_REF)
			plan_word(plan, words[i], PLAN_WIDE);
}

/* What the line leads to is planned; its words go. */
static void drop_below(struct pool *pool, struct pool_stack *plan, const struct list_line *line,
		       uint32_t wide)
{
	if (line->next & LIST_REF) {
		plan_word(plan, line->next, wide);
	} else if (line->next & LIST_INDEX) {
		plan_lines(plan, line->next & LIST_LINE, line->index.mask + 1, wide);
		if (line->index.outside)
			plan_lines(plan, line->index.outside, 1, wide);
	} else if (line->next) {
		if (wide)
			drop_lower(pool, plan, &line->wide);
		pool_retire_words(pool, line->next);
	}
}

bool table_drop_run(struct pool *pool, struct pool_stack *plan, uint32_t steps)
{
	while (plan->count && steps--) {
		uint32_t item = plan->items[--plan->count];

		if (item & PLAN_ALONE)
			pool_retire_lines(pool, item & PLAN_LINE);
		else
			drop_below(pool, plan, pool_line_at(pool, item & PLAN_LINE), item & PLAN_WIDE);
	}
	return plan->count != 0;
}

int table_drop_begin(struct pool *pool, struct pool_stack *plan, uint32_t root, bool v6)
{
	const uint32_t *words;
	int error;

	if (!root)
		return 0;
	words = pool_root_at(pool, root);
	error = pool_push(plan, PLAN_ALONE | (root & LIST_LINE));
	for (uint32_t key = 0; key < TABLE_KEYS && !error; key++)
		error = plan_word(plan, words[key], v6 ? PLAN_WIDE : 0);
	return error;
}

/* --- changing in place --- */

struct target {
	uint64_t high, low;
	unsigned int bits;
	uint32_t nodes; /* no more than these */
};

static int finish_tasks(struct table_builder *b)
{
	while (b->task_count && !b->error)
		run_task(b);
	b->task_count = 0;
	return b->error;
}

static void drop_all(struct table_builder *b)
{
	while (table_drop_run(b->pool, &b->plan, UINT32_MAX))
		;
}

/* A new line holds instead of that one. */
static int refresh_whole(struct table_builder *b, const struct target *t, uint32_t number,
			 const struct range *r)
{
	struct list_line *line = pool_line_at(b->pool, number), before = *line;
	struct table_task task = { .high = r->high, .low = r->low, .bits = (uint8_t)r->bits };
	uint32_t wide = b->family ? PLAN_WIDE : 0;

	task.node = descend(b, b->store->roots[b->family], r, &task.inherited);
	if (store_has_more(b->store, task.node, t->nodes))
		return -EFBIG;
	task.line = lines_new(b, 0);
	if (!task.line)
		return b->error;
	make_line(b, &task);
	if (finish_tasks(b)) {
		plan_word(&b->plan, LIST_REF | task.line, wide);
	} else {
		store_word(&line->next, LIST_REF | task.line);
		drop_below(b->pool, &b->plan, &before, wide);
	}
	drop_all(b);
	return b->error;
}

static int refresh_line(struct table_builder *b, const struct target *t, uint32_t number,
			const struct range *r);

/* The lines of a cut that the target touches: it has more bits than the cut's begin. */
static int refresh_cut(struct table_builder *b, const struct target *t, uint32_t base, const struct cut *c)
{
	unsigned int end = c->begin + c->bits, spanned = t->bits < end ? end - t->bits : 0;
	uint64_t value = field_value(c->field, t->high, t->low) & ~ones(c->field.end - end);
	uint32_t first = (uint32_t)(value >> cut_shift(c) & ones(c->bits));
	int error = 0;

	for (uint32_t i = 0; i < 1U << spanned && !error; i++) {
		struct range r =
			range_of(c->field, t->high, t->low, value | (uint64_t)i << cut_shift(c), end);

		error = refresh_line(b, t, base + first + i, &r);
	}
	return error;
}

/* In lines that may lead to one for the lower half. */
static uint32_t find_lower(const struct table_builder *b, const struct list_line *line, uint64_t high)
{
	uint32_t word = line_word(b->pool, true, line, high);

	return word & LIST_REF ? word & LIST_LINE : 0;
}

static int refresh_line(struct table_builder *b, const struct target *t, uint32_t number,
			const struct range *r)
{
	const struct list_line *line = pool_line_at(b->pool, number);
	struct cut c = { .field = field_of(b->family, r->bits) };
	uint64_t value = field_value(c.field, t->high, t->low);
	uint32_t lower;

	if (t->bits <= r->bits)
		return refresh_whole(b, t, number, r);
	if (line->next & LIST_REF)
		line = pool_line_at(b->pool, line->next & LIST_LINE);
	if (line->next & LIST_INDEX) {
		c.bits = (unsigned int)__builtin_popcount(line->index.mask);
		c.begin = c.field.end - c.bits - line->index.shift;
		if (t->bits > c.begin && !((value ^ line->index.key) & line->index.above))
			return refresh_cut(b, t, line->next & LIST_LINE, &c);
	} else if (r->bits < HALF_BITS && t->bits > HALF_BITS && b->family) {
		struct range half = { t->high, 0, HALF_BITS };

		lower = find_lower(b, line, t->high);
		if (lower)
			return refresh_line(b, t, lower, &half);
	}
	return refresh_whole(b, t, number, r);
}

static int refresh_key(struct table_builder *b, const struct target *t, uint32_t *word, uint32_t key)
{
	struct range r = root_range(b->family, key);
	struct cut c = { field_of(b->family, r.bits), r.bits, root_bits(*word) };
	uint32_t old = *word, made, inherited = 0;

	if (old & LIST_REF && t->bits > r.bits) {
		if (!b->family)
			return refresh_cut(b, t, old & LIST_LINE, &c);
		return refresh_line(b, t, old & LIST_LINE, &r);
	}
	if (store_has_more(b->store, descend(b, b->store->roots[b->family], &r, &inherited), t->nodes))
		return -EFBIG;
	made = make_root_word(b, key);
	if (finish_tasks(b)) {
		plan_word(&b->plan, made, b->family ? PLAN_WIDE : 0);
	} else {
		store_word(word, made);
		plan_word(&b->plan, old, b->family ? PLAN_WIDE : 0);
	}
	drop_all(b);
	return b->error;
}

static int refresh_root(struct table_builder *b, const struct target *t, uint32_t *words)
{
	uint32_t first = root_key(b->family, t->high, t->low), count = 1;
	unsigned int end = root_begin(b->family) + ROOT_BITS;
	int error = 0;

	if (t->bits < end)
		count = 1U << (end - t->bits);
	for (uint32_t key = first; key < first + count && !error; key++)
		error = refresh_key(b, t, &words[key], key);
	return error;
}

int table_refresh(struct table_builder *b, uint32_t *root, const struct prefix *prefix, uint32_t nodes)
{
	struct target t = { .bits = prefix->length_bits, .nodes = nodes };
	uint64_t halves[2];
	uint32_t made;
	int error;

	memcpy(halves, &prefix->address, sizeof(halves));
	t.high = __builtin_bswap64(halves[0]);
	t.low = __builtin_bswap64(halves[1]);
	if (!*root && store_has_more(b->store, b->store->roots[!prefix_is_v4(prefix)], nodes))
		return -EFBIG;
	if (!*root) {
		error = table_begin(b, !prefix_is_v4(prefix), &made);
		while (!error && table_run(b, UINT32_MAX) > 0)
			;
		if (!b->error)
			*root = made;
		return b->error;
	}
	b->family = !prefix_is_v4(prefix);
	b->error = 0;
	b->task_count = 0;
	return refresh_root(b, &t, pool_root_at(b->pool, *root));
}
