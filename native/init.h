/* The small init of a container that was asked for with --init. */
#ifndef INIT_H
#define INIT_H

#include "base.h"

/* Passes signals on to the child, reaps whatever ends, and ends as the child does. */
_Noreturn void run_init(i32 child);
/* In the child: a process group of its own, in the terminal's foreground where there is one. */
void lead_foreground(void);

#endif
