/* What /proc tells of processes. */
#ifndef PROCESS_H
#define PROCESS_H

#include "base.h"

/* "/proc/PID/REST" in `path`, which has room for it. */
const char *process_path(char path[64], i32 pid, const char *rest);
/* Field 22 of /proc/PID/stat, in clock ticks since boot; 0 where there is no such process. */
u64 process_start_time(i32 pid);

#endif
