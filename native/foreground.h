/* The parent that a process of a container has while somebody waits for it at a terminal or in a pipeline. */
#ifndef FOREGROUND_H
#define FOREGROUND_H

#include "base.h"

/* `argv` ends with NULL, and the environment follows: [--recipe FD] [--console FD] [--no-subreaper] PID [PROGRAM [ARG ...]]. What is to be
   done once the process has ended are the sections cleanup and remove of a recipe, or a program. */
_Noreturn void stay_foreground(char **argv);

#endif
