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
/* Runs the outside's steps, and with them, from the clone on, the inside's. 0, or the error to hand to finish_start. */
long run_outside(struct actor *self);
/* Waits for the inside to execute its program. Where either has failed, the inside is killed and reaped, and the cleanup
   section has run when this returns. */
struct failure finish_start(struct actor *self, long outside, bool await_exec);
/* Kills and reaps the inside, and runs the cleanup section. */
void undo_start(struct actor *self);
/* Writes the report: see docs/recipes.md. */
void write_report(struct actor *self, int fd, struct failure failure);
/* The report where not even the recipe was understood. */
void write_refusal(int fd, i32 error);

#endif
