/* What the compiler calls at each edge (-fsanitize-coverage=trace-pc). Compiled without it, and without the sanitizers. */
#include "driver.h"

#define EDGE_LIMIT (1U << 16)

static u8 known[EDGE_LIMIT];
static u32 fresh;
static uintptr_t previous;

void __sanitizer_cov_trace_pc(void) {
  uintptr_t here = (uintptr_t)__builtin_return_address(0);
  u32 edge = (u32)((here ^ (previous << 7)) % EDGE_LIMIT);
  previous = here;
  if (known[edge] != 0) return;
  known[edge] = 1;
  fresh++;
}

u32 new_edges(void) {
  u32 count = fresh;
  fresh = 0;
  previous = 0;
  return count;
}
