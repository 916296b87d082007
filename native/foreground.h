/* The parent that a process of a container has while somebody waits for it at a terminal or in a pipeline. */
#ifndef FOREGROUND_H
#define FOREGROUND_H

#include "base.h"

/* `argv` ends with NULL: [--recipe FD] [--console FD] [--no-subreaper] PID. */
_Noreturn void stay_foreground(char **argv);

#endif
