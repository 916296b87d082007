/* The shim: what stays beside a running container. */
#ifndef SHIM_H
#define SHIM_H

#include "start.h"

/* Starts the container, reports, and stays for its life. */
_Noreturn void run_shim(struct actor *self, int report_fd);

#endif
