/* The container's log: JSON lines as docker's json-file driver writes them, rotated by size and number. */
#ifndef LOG_H
#define LOG_H

#include "base.h"

/* `files` counts the current one; a limit of 0 bytes never rotates. */
void open_log(const char *path, u64 limit, u32 files);
int log_descriptor(void);
/* Bytes as the container wrote them to stream 1 (stdout) or 2 (stderr). They reach the file before this returns, except for an
   unfinished line. A full disk loses lines, never the container. */
void log_output(u8 stream, const u8 *bytes, size_t size);
/* Writes unfinished lines as they are: their stream has ended. */
void end_log_lines(void);
u64 lost_log_lines(void);
/* Gives memory back where nothing is pending. */
void release_log_memory(void);

#endif
