/* One recipe, read as the native program reads it, and all of it followed where it is accepted. */
#include "driver.h"

#include <linux/memfd.h>

static volatile u64 seen; /* what is read goes here, so that no read is left out */

/* Memory of the very size, for the sanitizer to see what is read behind it; base.c's own is pages. */
static void *mapped;

void *map_memory(size_t size) {
  return mapped = malloc(size);
}

static void follow_text(const struct recipe *recipe, u64 offset) {
  const char *text = recipe_text(recipe, offset);
  while (*text != 0) seen += (u8)*text++;
}

static void follow_bytes(struct bytes bytes) {
  for (size_t at = 0; at < bytes.size; at++) seen += bytes.start[at];
}

static void follow_slot(const struct recipe *recipe, u64 slot) {
  if (slot != SLOT_CWD && slot != SLOT_NONE && slot >= recipe->header->slot_count) abort();
}

static void follow_fixup(const struct recipe *recipe, const u64 *words) {
  if (words[1] == FIXUP_NONE) return;
  const u8 *place = recipe_bytes(recipe, words[-1]).start + words[0];
  for (u32 i = 0; i < 4; i++) seen += place[i];
  if (words[1] == FIXUP_INTERFACE_INDEX) follow_text(recipe, words[2]);
  if (words[1] == FIXUP_SLOT) follow_slot(recipe, words[2]);
}

static void follow_argument(const struct recipe *recipe, u8 kind, const u64 *word) {
  if (kind == KIND_STR) follow_text(recipe, *word);
  if (kind == KIND_DATA || kind == KIND_LENGTH_DATA || kind == KIND_PTR) follow_bytes(recipe_bytes(recipe, *word));
  if (kind == KIND_FD || kind == KIND_SLOT) follow_slot(recipe, *word);
  if (kind == KIND_FIXUP) follow_fixup(recipe, word);
}

/* As exec does: a pointer for each entry, and where the list ends an entry has ended too. */
static void follow_list(struct bytes list) {
  u32 count = 0, pointed = 0;
  for (size_t at = 0; at < list.size; at++) count += list.start[at] == 0;
  for (size_t at = 0; at < list.size; at += strlen((char *)list.start + at) + 1) pointed++;
  if (count != pointed) abort();
}

static void follow_step(const struct recipe *recipe, const struct step *step) {
  const struct operation *operation = &operations[step->op];
  follow_text(recipe, step->cause);
  if (step->out != NO_SLOT) follow_slot(recipe, step->out);
  for (u32 param = 0, word = 0; param < 6 && operation->kinds[param] != KIND_NONE; param++) {
    follow_argument(recipe, operation->kinds[param], &step->args[word]);
    word += operation->kinds[param] == KIND_FIXUP ? 3 : 1;
  }
  if (step->op != OP_EXEC) return;
  follow_list(recipe_bytes(recipe, step->args[0]));
  follow_list(recipe_bytes(recipe, step->args[1]));
}

static void follow_shim(const struct recipe *recipe) {
  const struct shim_settings *shim = &recipe->header->shim;
  const u32 paths[] = {shim->socket_path, shim->status_path, shim->timings_path, shim->log_path, shim->oom_path};
  for (u32 i = 0; i < sizeof paths / sizeof paths[0]; i++) {
    const char *path = recipe_path(recipe, paths[i]);
    if (path != NULL) seen += strlen(path);
  }
  follow_slot(recipe, shim->stdin_slot);
  follow_slot(recipe, shim->stdout_slot);
  follow_slot(recipe, shim->stderr_slot);
  follow_slot(recipe, shim->oom_slot);
}

static void follow(const struct recipe *recipe) {
  for (u32 section = 0; section < SECTION_COUNT; section++) {
    const struct step *steps = section_steps(recipe, section);
    for (u32 i = 0; i < section_size(recipe, section); i++) follow_step(recipe, &steps[i]);
  }
  if (recipe->header->mode == MODE_SHIM) follow_shim(recipe);
}

static int file_with(const u8 *bytes, u32 size) {
  static int file = -1;
  if (file < 0) file = (int)sys(memfd_create, "input", MFD_CLOEXEC);
  if (file < 0 || sys(ftruncate, file, 0) < 0 || sys(lseek, file, 0, 0) < 0) abort();
  if (write_fully(file, bytes, size) != size || sys(lseek, file, 0, 0) < 0) abort();
  return file;
}

const char *try_recipe(const u8 *bytes, u32 size) {
  struct recipe recipe = {0};
  const char *reason = NULL;
  mapped = NULL;
  long result = read_recipe(file_with(bytes, size), &recipe, &reason);
  if (result == 0) follow(&recipe);
  else if (reason == NULL) reason = "no memory";
  free(mapped);
  return result == 0 ? NULL : reason;
}
