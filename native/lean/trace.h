#ifndef GALLEY_LEAN_TRACE_H
#define GALLEY_LEAN_TRACE_H

/*
 * A program that is compiled with -DTRACED=1 and -fsanitize=thread, and linked with trace.c in the place of that sanitizer, writes down
 * which blocks of the arena its starts touch: into the file that the environment's GALLEY_TRACE names, each start more of them.
 */
#ifndef TRACED
#define TRACED 0
#endif

/* Makes the order (arena.h) of what is written down in the file `trace`; an exit status. */
int write_order(const char *trace, const char *output);

#endif
