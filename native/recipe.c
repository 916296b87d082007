#include "recipe.h"

const struct operation operations[OP_LIMIT] = {
#define PLAIN(op, name, result, ...) [OP_##op] = {true, result, __NR_##name, {__VA_ARGS__}},
#define COMPOUND(op, name, result, ...) [OP_##op] = {true, result, 0, {__VA_ARGS__}},
    PLAIN_OPERATIONS(PLAIN) COMPOUND_OPERATIONS(COMPOUND)};

const struct step *section_steps(const struct recipe *recipe, u32 section) {
  return (const struct step *)((const u8 *)recipe->header + recipe->header->sections[section].offset);
}

u32 section_size(const struct recipe *recipe, u32 section) {
  return recipe->header->sections[section].count;
}

const char *recipe_text(const struct recipe *recipe, u64 argument) {
  return (const char *)recipe->data + argument;
}

struct bytes recipe_bytes(const struct recipe *recipe, u64 argument) {
  return (struct bytes){recipe->data + (u32)argument, argument >> 32};
}

const char *recipe_path(const struct recipe *recipe, u32 offset) {
  return offset == 0 ? NULL : recipe_text(recipe, offset);
}

static bool good_text(const struct recipe *recipe, u64 offset) {
  u32 size = recipe->header->data_size;
  return offset < size && find_byte(recipe->data + offset, size - offset, 0) < size - offset;
}

static bool good_bytes(const struct recipe *recipe, u64 argument) {
  u64 offset = (u32)argument, size = argument >> 32, room = recipe->header->data_size;
  return offset <= room && size <= room - offset;
}

static bool good_slot(const struct recipe *recipe, u64 slot) {
  return slot < recipe->header->slot_count;
}

static bool good_fd(const struct recipe *recipe, u64 slot) {
  return slot == SLOT_CWD || slot == SLOT_NONE || good_slot(recipe, slot);
}

/* The patched word must lie within the messages, which are the argument before the fixup. */
static bool good_fixup(const struct recipe *recipe, const u64 *words) {
  u64 size = words[-1] >> 32, offset = words[0], kind = words[1];
  if (kind == FIXUP_NONE) return true;
  if (size < 4 || offset > size - 4) return false;
  if (kind == FIXUP_SLOT) return good_slot(recipe, words[2]);
  if (kind == FIXUP_INTERFACE_INDEX) return good_text(recipe, words[2]);
  return kind == FIXUP_PID;
}

static bool good_argument(const struct recipe *recipe, u8 kind, const u64 *word) {
  switch (kind) {
    case KIND_STR:
      return good_text(recipe, *word);
    case KIND_DATA:
    case KIND_LENGTH_DATA:
    case KIND_PTR:
      return good_bytes(recipe, *word);
    case KIND_FD:
      return good_fd(recipe, *word);
    case KIND_SLOT:
      return good_slot(recipe, *word);
    case KIND_FIXUP:
      return good_fixup(recipe, word);
    default:
      return true;
  }
}

/* Both lists of exec hold NUL-terminated entries, and there is at least the program's name. */
static bool good_exec(const struct recipe *recipe, const struct step *step) {
  struct bytes argv = recipe_bytes(recipe, step->args[0]), envp = recipe_bytes(recipe, step->args[1]);
  if (argv.size == 0 || argv.start[argv.size - 1] != 0) return false;
  return envp.size == 0 || envp.start[envp.size - 1] == 0;
}

/* Only the two actors meet, only the outside makes the inside, and only the inside becomes another program. */
static bool good_place(u16 op, u32 section) {
  switch (op) {
    case OP_CLONE:
      return section == SECTION_OUTSIDE;
    case OP_EXEC:
    case OP_INIT:
    case OP_AWAIT_START:
      return section == SECTION_INSIDE;
    case OP_SIGNAL:
    case OP_WAIT:
    case OP_SEND_FD:
    case OP_RECV_FD:
      return section == SECTION_OUTSIDE || section == SECTION_INSIDE;
    default:
      return true;
  }
}

static const char *check_step(const struct recipe *recipe, const struct step *step, u32 section) {
  if (step->op >= OP_LIMIT || !operations[step->op].known) return "unknown operation";
  const struct operation *operation = &operations[step->op];
  if (!good_place(step->op, section)) return "operation in the wrong section";
  if (step->out != NO_SLOT && !(operation->has_result && good_slot(recipe, step->out))) return "bad result slot";
  if (!good_text(recipe, step->cause)) return "bad cause";
  for (u32 param = 0, word = 0; param < 6 && operation->kinds[param] != KIND_NONE; param++) {
    if (!good_argument(recipe, operation->kinds[param], &step->args[word])) return "bad argument";
    word += operation->kinds[param] == KIND_FIXUP ? 3 : 1;
  }
  if (step->op == OP_EXEC && !good_exec(recipe, step)) return "bad argument list";
  if (step->op == OP_CLONE && step->args[2] != SECTION_INSIDE) return "clone of another section than the inside";
  if ((step->op == OP_SIGNAL || step->op == OP_WAIT) && step->args[0] >= SLOT_LIMIT) return "bad meeting point";
  return NULL;
}

static const char *check_section(const struct recipe *recipe, u32 section, u32 *clones) {
  struct section place = recipe->header->sections[section];
  if (place.offset % 8 != 0 || place.offset < HEADER_SIZE || place.offset > recipe->header->data_offset) {
    return "section outside the recipe";
  }
  if (place.count > STEP_LIMIT || place.count * sizeof(struct step) > recipe->header->data_offset - place.offset) {
    return "section with too many steps";
  }
  const struct step *steps = section_steps(recipe, section);
  for (u32 i = 0; i < place.count; i++) {
    const char *wrong = check_step(recipe, &steps[i], section);
    if (wrong != NULL) return wrong;
    *clones += steps[i].op == OP_CLONE;
  }
  return NULL;
}

static const char *check_shim(const struct recipe *recipe) {
  const struct shim_settings *shim = &recipe->header->shim;
  const u32 slots[] = {shim->stdin_slot, shim->stdout_slot, shim->stderr_slot, shim->oom_slot};
  const u32 texts[] = {shim->socket_path, shim->status_path, shim->timings_path, shim->log_path, shim->oom_path};
  for (u32 i = 0; i < sizeof slots / sizeof slots[0]; i++) {
    if (slots[i] != SLOT_NONE && !good_slot(recipe, slots[i])) return "bad slot in the shim's settings";
  }
  for (u32 i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    if (!good_text(recipe, texts[i])) return "bad path in the shim's settings";
  }
  if (shim->socket_path == 0) return "the shim has no socket";
  if ((shim->flags & SHIM_LOG) && shim->log_path == 0) return "the shim has no log file";
  if (shim->restart_policy > RESTART_ALWAYS) return "unknown restart policy";
  return NULL;
}

static const char *check_header(const struct header *header) {
  if (header->magic != RECIPE_MAGIC) return "not a recipe";
  if (header->version != RECIPE_VERSION) return "a recipe of another version";
  if (header->size < HEADER_SIZE || header->size > RECIPE_LIMIT) return "a recipe of an impossible size";
  if (header->section_count != SECTION_COUNT) return "another number of sections";
  if (header->data_offset < HEADER_SIZE || header->data_offset % 8 != 0 || header->data_offset > header->size) {
    return "data section outside the recipe";
  }
  if (header->data_size > header->size - header->data_offset) return "data section outside the recipe";
  if (header->slot_count > SLOT_LIMIT) return "too many slots";
  return header->mode > MODE_SHIM ? "unknown mode" : NULL;
}

static const char *check_recipe(const struct recipe *recipe) {
  u32 clones = 0;
  for (u32 section = 0; section < SECTION_COUNT; section++) {
    const char *wrong = check_section(recipe, section, &clones);
    if (wrong != NULL) return wrong;
  }
  if (clones > 1) return "more than one clone";
  if (recipe->header->mode != MODE_SHIM) return NULL;
  return clones == 1 ? check_shim(recipe) : "a shim without a container";
}

static const char *read_rest(int fd, const struct header *header, u8 *memory) {
  u8 more;
  long rest = header->size - HEADER_SIZE;
  memcpy(memory, header, HEADER_SIZE);
  if (read_fully(fd, memory + HEADER_SIZE, (size_t)rest) != rest) return "a truncated recipe";
  return read_fully(fd, &more, 1) == 0 ? NULL : "more than a recipe";
}

long read_recipe(int fd, struct recipe *recipe, const char **reason) {
  struct header header;
  if (read_fully(fd, &header, HEADER_SIZE) != HEADER_SIZE) *reason = "not a recipe";
  else *reason = check_header(&header);
  if (*reason != NULL) return -EINVAL;
  u8 *memory = map_memory(header.size);
  if (memory == NULL) return -ENOMEM;
  *reason = read_rest(fd, &header, memory);
  if (*reason != NULL) return -EINVAL;
  recipe->header = (const struct header *)memory;
  recipe->data = memory + header.data_offset;
  *reason = check_recipe(recipe);
  return *reason == NULL ? 0 : -EINVAL;
}
