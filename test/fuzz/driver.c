/* recipe-driver fuzz SEED SECONDS CURRENT FOUND CORPUS…: mutates recipes, guided by the edges they take, for that long.
   recipe-driver feed: reads u32 size and a recipe, again and again, and answers each with u32 size and why it was refused. */
#include "driver.h"

#define KEPT_LIMIT 4096U
#define KEPT_BYTES (256U << 20)

/* The file that both the driver and its caller see: what is being tried stays in it if the driver dies of it. */
struct current {
  u64 executions;
  u32 kept;
  u32 size;
  u8 bytes[INPUT_LIMIT];
};

static struct input kept[KEPT_LIMIT];
static u32 kept_count;
static size_t kept_bytes;

static void keep(const u8 *bytes, u32 size) {
  if (kept_count == KEPT_LIMIT || kept_bytes + size > KEPT_BYTES) return;
  struct input *input = &kept[kept_count++];
  input->bytes = malloc(size);
  input->size = size;
  kept_bytes += size;
  memcpy(input->bytes, bytes, size);
}

static void keep_file(const char *path) {
  u8 *bytes = malloc(INPUT_LIMIT);
  long fd = sys(openat, AT_FDCWD, path, O_RDONLY, 0);
  long size = fd < 0 ? 0 : read_fully((int)fd, bytes, INPUT_LIMIT);
  if (size > 0) keep(bytes, (u32)size);
  if (size > 0) try_recipe(bytes, (u32)size);
  if (fd >= 0) close_fd((int)fd);
  free(bytes);
}

static struct current *open_current(const char *path) {
  long fd = sys(openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (fd < 0 || sys(ftruncate, fd, sizeof(struct current)) < 0) abort();
  long start = sys(mmap, 0, sizeof(struct current), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (start < 0 && start > -4096) abort();
  return (struct current *)start;
}

/* What takes a new way is worth keeping, and the most telling of it worth a file. */
static void keep_found(const char *folder, const struct current *current) {
  char path[PATH_SIZE];
  struct text text = {path, 0, sizeof path, false};
  put_text(&text, folder);
  put_text(&text, "/");
  put_number(&text, current->executions);
  keep(current->bytes, current->size);
  write_file(AT_FDCWD, finish_text(&text), current->bytes, current->size, O_WRONLY | O_CREAT | O_TRUNC, 0600);
}

static void fuzz(char **argv) {
  struct current *current = open_current(argv[2]);
  u64 end = monotonic_ns() + parse_number(argv[1]) * 1000000000ULL;
  seed_random(parse_number(argv[0]));
  for (char **path = argv + 4; *path != NULL; path++) keep_file(*path);
  new_edges();
  while (kept_count > 0 && ((current->executions & 255) != 0 || monotonic_ns() < end)) {
    const struct input *from = &kept[below(kept_count)], *other = &kept[below(kept_count)];
    struct input input = {from->size, current->bytes};
    memcpy(input.bytes, from->bytes, from->size);
    mutate(&input, other);
    current->size = input.size;
    current->kept = kept_count;
    try_recipe(input.bytes, input.size);
    current->executions++;
    if (new_edges() > 0) keep_found(argv[3], current);
  }
}

static void feed(void) {
  u8 *bytes = malloc(RECIPE_LIMIT);
  u32 size, answer;
  while (read_fully(0, &size, 4) == 4) {
    if (size > RECIPE_LIMIT || read_fully(0, bytes, size) != size) return;
    const char *reason = try_recipe(bytes, size);
    answer = reason == NULL ? 0 : (u32)strlen(reason);
    write_fully(1, &answer, 4);
    write_fully(1, reason, answer);
  }
}

int main(int argc, char **argv) {
  if (argc == 2 && same_text(argv[1], "feed")) feed();
  else if (argc > 6 && same_text(argv[1], "fuzz")) fuzz(argv + 2);
  else end_process(2);
  end_process(0);
}
