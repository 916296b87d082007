/* Unix sockets at paths of any length, and ports of the host. */
#ifndef SOCKET_H
#define SOCKET_H

#include "base.h"

/* A listening socket at `path`, mode 0600, that never blocks; what was there is removed first. */
long listen_unix(const char *path);
long connect_unix(const char *path);
/* Sends a descriptor together with a message. */
long send_descriptor(int socket, int fd, struct io_slice message);
/* The same to whoever listens at a path. */
long send_descriptor_to(const char *path, int fd, struct io_slice message);

#endif
