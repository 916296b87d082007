/* Changes recipes: at random, and where it hurts. */
#include "driver.h"

static u64 state = 1;

void seed_random(u64 seed) {
  state = seed * 0x9e3779b97f4a7c15ULL + 1;
}

/* xorshift64* */
u64 next_random(void) {
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return state * 0x2545f4914f6cdd1dULL;
}

u32 below(u32 limit) {
  return (u32)((next_random() >> 32) % limit);
}

static const u32 telling[] = {0,      1,      2,          4,          7,          8,          63,        64,        255,
                              256,    4096,   0xfffd,     0xfffe,     0xffff,     0x10000,    0x7fffffff, 0x80000000, 0xfffffff8,
                              0xffffffff, 0x1000000};

static u32 telling_number(const struct input *input) {
  u32 number = telling[below(sizeof telling / sizeof telling[0])];
  return below(4) == 0 ? input->size - below(32) : number;
}

static void put_word(struct input *input, u32 at, u32 word) {
  if (at + 4 <= input->size) __builtin_memcpy(input->bytes + at, &word, 4);
}

static u32 word_at(const struct input *input, u32 at) {
  u32 word = 0;
  if (at + 4 <= input->size) __builtin_memcpy(&word, input->bytes + at, 4);
  return word;
}

static void change_byte(struct input *input) {
  u8 *byte = input->bytes + below(input->size);
  *byte = below(2) == 0 ? (u8)next_random() : (u8)(*byte ^ (1U << below(8)));
}

static void change_word(struct input *input) {
  u32 at = below(input->size) & ~3U;
  put_word(input, at, below(2) == 0 ? telling_number(input) : word_at(input, at) + below(33) - 16);
}

static void change_header(struct input *input) {
  u32 at = below(HEADER_SIZE / 4) * 4;
  put_word(input, at, below(2) == 0 ? telling_number(input) : word_at(input, at) + (below(17) - 8) * 8);
}

/* A step's operation, result slot, tolerated errors, cause or arguments. */
static void change_step(struct input *input) {
  u32 data = word_at(input, 20);
  if (data > input->size || data < HEADER_SIZE + sizeof(struct step)) return;
  u32 at = HEADER_SIZE + below((u32)((data - HEADER_SIZE) / sizeof(struct step))) * (u32)sizeof(struct step);
  if (below(3) == 0) return put_word(input, at, (word_at(input, at) & 0xffff0000U) | below(OP_LIMIT + 2));
  u32 field = at + below(sizeof(struct step) / 4) * 4;
  put_word(input, field, below(2) == 0 ? telling_number(input) : below(word_at(input, 24) + 16));
}

static void copy_part(struct input *input, const struct input *other) {
  u32 size = 1 + below(256), from = below(other->size), to = below(input->size);
  if (size > other->size - from) size = other->size - from;
  if (size > input->size - to) size = input->size - to;
  memmove(input->bytes + to, other->bytes + from, size);
}

static void change_size(struct input *input) {
  u32 size = below(2) == 0 ? below(input->size) : input->size + below(512);
  if (size == 0 || size > INPUT_LIMIT) return;
  if (size > input->size) memset(input->bytes + input->size, (int)next_random(), size - input->size);
  input->size = size;
}

/* Two steps, wherever they stand, change places. */
static void swap_steps(struct input *input) {
  u8 kept[sizeof(struct step)];
  u32 room = (u32)((input->size - HEADER_SIZE) / sizeof kept);
  if (input->size < HEADER_SIZE + sizeof kept) return;
  u8 *one = input->bytes + HEADER_SIZE + below(room) * sizeof kept;
  u8 *two = input->bytes + HEADER_SIZE + below(room) * sizeof kept;
  memcpy(kept, one, sizeof kept);
  memmove(one, two, sizeof kept);
  memcpy(two, kept, sizeof kept);
}

static void change_once(struct input *input, const struct input *other) {
  switch (below(12)) {
    case 0:
    case 1:
      return change_byte(input);
    case 2:
      return change_word(input);
    case 3:
    case 4:
      return change_header(input);
    case 5:
      return copy_part(input, other);
    case 6:
      return change_size(input);
    case 7:
      return swap_steps(input);
    default:
      return change_step(input);
  }
}

void mutate(struct input *input, const struct input *other) {
  for (u32 count = 1 + below(4); count > 0; count--) change_once(input, other);
  /* Most are to be refused for something else than their size. */
  if (below(16) != 0) put_word(input, 8, input->size);
}
