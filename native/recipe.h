/* The recipe as it lies in memory: docs/recipes.md has the tables, src/recipe/encode.ts writes it. */
#ifndef RECIPE_H
#define RECIPE_H

#include "base.h"
#include "ops.h"

#define RECIPE_MAGIC 0x52594c47U
#define RECIPE_VERSION 1
#define RECIPE_LIMIT (16U << 20)
#define HEADER_SIZE 256U
#define SLOT_LIMIT 256
#define STEP_LIMIT 8192U

enum { NO_SLOT = 0xffff, SLOT_CWD = 0xfffe, SLOT_NONE = 0xfffd };
enum { MODE_EXECUTE = 0, MODE_SHIM = 1 };
enum { SHIM_TTY = 1, SHIM_OPEN_STDIN = 2, SHIM_STDIN_ONCE = 4, SHIM_LOG = 8 };
enum { RESTART_NO = 0, RESTART_ON_FAILURE = 1, RESTART_ALWAYS = 2 };
#define NO_ATTACH_FD 0xffffffffU

struct section {
  u32 offset;
  u32 count;
};

struct shim_settings {
  u32 flags;
  u32 stdin_slot;
  u32 stdout_slot;
  u32 stderr_slot;
  u32 restart_policy;
  u32 restart_limit;
  u32 socket_path;
  u32 status_path;
  u32 timings_path;
  u32 log_path;
  u32 log_files;
  u32 oom_slot;
  u32 oom_path;
  u32 attach_fd;
  u64 log_size;
};

struct header {
  u32 magic;
  u32 version;
  u32 size;
  u32 zero;
  u32 section_count;
  u32 data_offset;
  u32 data_size;
  u32 mode;
  u32 slot_names;
  u32 slot_count;
  struct section sections[SECTION_COUNT];
  u32 unused[2];
  struct shim_settings shim;
  u8 rest[HEADER_SIZE - 168];
};
_Static_assert(sizeof(struct header) == HEADER_SIZE, "the header's size is part of the encoding");
_Static_assert(offsetof(struct header, shim) == 104, "the settings' place is part of the encoding");

struct step {
  u16 op;
  u16 out;
  u8 tolerate[4];
  u32 cause;
  u32 zero;
  u64 args[6];
};
_Static_assert(sizeof(struct step) == 64, "a step's size is part of the encoding");

/* What ops.h says of one operation. */
struct operation {
  bool known;
  bool has_result;
  u16 system_call; /* of plain operations */
  u8 kinds[6];
};
extern const struct operation operations[OP_LIMIT];

/* Never written to once it was checked: what a step changed, another could rely on. */
struct recipe {
  const struct header *header;
  const u8 *data;
};

struct bytes {
  const u8 *start;
  size_t size;
};

/* Reads a recipe from a descriptor to its end and checks all of it. On -EINVAL `reason` tells a person what is wrong. */
long read_recipe(int fd, struct recipe *recipe, const char **reason);

const struct step *section_steps(const struct recipe *recipe, u32 section);
u32 section_size(const struct recipe *recipe, u32 section);
const char *recipe_text(const struct recipe *recipe, u64 argument);
struct bytes recipe_bytes(const struct recipe *recipe, u64 argument);
/* The text at a data offset, or NULL for offset 0. */
const char *recipe_path(const struct recipe *recipe, u32 offset);

#endif
