/* The start of a container: both actors run until the program is executed, or until a step fails. */
#ifndef START_H
#define START_H

#include "actor.h"

struct failure {
  u32 section;
  u32 step;
  i32 error; /* 0: the start succeeded */
};

/* Makes the pages that the actors share; errors as negated numbers. */
long share_pages(struct actor *self);
void unshare_pages(struct actor *self);
/* Runs both actors. Where it fails, the inside is killed and reaped, and the cleanup section has run. */
struct failure start(struct actor *self, bool await_exec);
/* Writes the report: see docs/recipes.md. */
void write_report(struct actor *self, int fd, struct failure failure, u64 start_time);
/* The report where not even the recipe was understood. */
void write_refusal(int fd, i32 error);

#endif
