/* The two pieces of JSON that the log needs. */
#ifndef JSON_H
#define JSON_H

#include "base.h"

/* The most bytes that one byte of text becomes. */
#define JSON_GROWTH 6
/* Room for json_time, its NUL counted. */
#define JSON_TIME_SIZE 36

/* Writes bytes as the inside of a JSON string, escaped as docker does; `to` has room for JSON_GROWTH times their number,
   and eight bytes more. */
u8 *json_escape(u8 *to, const u8 *from, size_t size);
/* memcpy for what is mostly short; the end of the copy. */
u8 *copy_run(u8 *to, const u8 *from, size_t size);
/* RFC 3339 in UTC with nanoseconds, their trailing zeros left out. */
void json_time(char to[JSON_TIME_SIZE], u64 unix_ns);
/* How many of the bytes lie before a character that is cut off at their end. */
size_t whole_characters(const u8 *bytes, size_t size);

#endif
