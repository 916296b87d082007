/* This program's own memory and descriptors, out of the reach of a container. */
#ifndef SEALED_H
#define SEALED_H

#include "base.h"

/* Executes this program again from a sealed copy in memory, so that a container that gets hold of it through /proc cannot
   write to the file on disk. Returns where that has happened already; ends the process where it is impossible. */
void run_from_sealed_memory(char **argv, char **envp);
/* Closes every descriptor from `first` on except the `count` given ones. */
void close_all_but(u32 first, const int *keep, u32 count);

#endif
