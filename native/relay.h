/* Bytes between the caller's standard streams and a pseudo-terminal's master. */
#ifndef RELAY_H
#define RELAY_H

#include "base.h"

#include <asm/termbits.h>

struct relay {
  int master;       /* -1: there is no terminal, or it has ended */
  int terminal;     /* the caller's own, -1: none */
  bool reads_input; /* until standard input ends */
  struct termios before;
  u8 input[4096];
  size_t input_size, input_at;
};

/* Takes the master from a connected socket; the caller's terminal, where there is one, becomes raw. 0, or an error. */
/* Lines of the terminal end as the process ends them. */
void leave_newlines(int master);
long open_relay(struct relay *relay, int socket);
/* The window of the container's terminal gets the size of the caller's. */
void copy_window_size(const struct relay *relay);
/* What to poll for on standard input and on the master: poll(2) events, 0 none. */
short input_events(const struct relay *relay);
short master_events(const struct relay *relay);
void relay_input(struct relay *relay);
/* Writes pending input to the master, and what it has to standard output. */
void relay_master(struct relay *relay, short events);
/* What the container has written before its end; then the caller's terminal is as it was. */
void close_relay(struct relay *relay);

#endif
