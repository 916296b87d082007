#include "json.h"

/* ASCII that stands for itself: all but controls, quote, backslash, and what HTML gives a meaning. */
static bool is_plain(u8 byte) {
  static const u64 plain[4] = {0xafffffbb00000000ULL, 0xffffffffefffffffULL, 0, 0};
  return (plain[byte >> 6] >> (byte & 63)) & 1;
}

typedef u8 sixteen __attribute__((vector_size(16)));

/* How many plain bytes there are at least, in steps of sixteen. */
static size_t plain_run(const u8 *from, size_t size) {
  size_t at = 0;
  for (; at + 16 <= size; at += 16) {
    sixteen some;
    u64 halves[2];
    __builtin_memcpy(&some, from + at, 16);
    sixteen other = (sixteen)((some < 0x20) | (some >= 0x80) | (some == '"') | (some == '\\') | (some == '<') |
                              (some == '>') | (some == '&'));
    __builtin_memcpy(halves, &other, 16);
    if ((halves[0] | halves[1]) != 0) break;
  }
  return at;
}

/* Runs are mostly short, and a string instruction takes long to begin. */
u8 *copy_run(u8 *to, const u8 *from, size_t size) {
  if (size > 256) {
    memcpy(to, from, size);
    return to + size;
  }
  for (; size >= 8; size -= 8, to += 8, from += 8) __builtin_memcpy(to, from, 8);
  while (size-- > 0) *to++ = *from++;
  return to;
}

/* Stores eight bytes for six: the buffer has room behind its text. */
static u8 *put_escape(u8 *to, u32 code) {
  static const char digits[] = "0123456789abcdef";
  u64 text = 0x755c; /* the backslash and the u */
  for (u32 i = 0; i < 4; i++) text |= (u64)(u8)digits[(code >> (12 - 4 * i)) & 15] << (16 + 8 * i);
  __builtin_memcpy(to, &text, 8);
  return to + 6;
}

static u8 *escape_ascii(u8 *to, u8 byte) {
  u8 letter = byte == '\n' ? 'n' : byte == '\r' ? 'r' : byte;
  if (byte != letter || byte == '"' || byte == '\\') {
    *to++ = '\\';
    *to++ = letter;
    return to;
  }
  return put_escape(to, byte);
}

/* The length that a first byte announces, and the least and greatest second byte after it; 0: no first byte. */
static u32 sequence(u8 first, u8 *least, u8 *greatest) {
  *least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  *greatest = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (first >= 0xc2 && first <= 0xdf) return 2;
  if (first >= 0xe0 && first <= 0xef) return 3;
  return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

/* How many bytes of a well-formed character are there, up to its length in `length` (0: none begins here). */
static u32 character(const u8 *bytes, size_t size, u32 *length) {
  u8 least, greatest;
  u32 have = 1;
  *length = sequence(bytes[0], &least, &greatest);
  if (*length == 0) return 0;
  for (; have < *length && have < size; have++) {
    if (bytes[have] < least || bytes[have] > greatest) {
      *length = 0;
      return 0;
    }
    least = 0x80;
    greatest = 0xbf;
  }
  return have;
}

static u8 *escape_character(u8 *to, const u8 **from, size_t size) {
  u32 length, have = character(*from, size, &length);
  const u8 *bytes = *from;
  *from += have < length || length == 0 ? 1 : length;
  if (have < length || length == 0) return put_escape(to, 0xfffd);
  /* U+2028 and U+2029 end lines in JavaScript. */
  if (length == 3 && bytes[0] == 0xe2 && bytes[1] == 0x80 && (bytes[2] & 0xfe) == 0xa8) {
    return put_escape(to, 0x2000U | (bytes[2] & 0x3f));
  }
  for (u32 i = 0; i < length; i++) *to++ = bytes[i];
  return to;
}

u8 *json_escape(u8 *to, const u8 *from, size_t size) {
  const u8 *end = from + size;
  while (from < end) {
    const u8 *run = from;
    from += plain_run(from, (size_t)(end - from));
    while (from < end && is_plain(*from)) from++;
    to = copy_run(to, run, (size_t)(from - run));
    if (from == end) break;
    if (*from < 0x80) to = escape_ascii(to, *from++);
    else to = escape_character(to, &from, (size_t)(end - from));
  }
  return to;
}

size_t whole_characters(const u8 *bytes, size_t size) {
  for (size_t back = 1; back <= 3 && back <= size; back++) {
    u32 length, have = character(bytes + size - back, back, &length);
    if (length > 0) return have < length ? size - back : size;
  }
  return size;
}

static char *put_digits(char *to, u32 number, u32 width) {
  for (u32 i = width; i-- > 0; number /= 10) to[i] = (char)('0' + number % 10);
  return to + width;
}

/* Days since 1970-01-01 to a date of the Gregorian calendar, by years that begin in March. */
static char *put_date(char *to, u32 days) {
  u32 since = days + 719468, era = since / 146097, day_of_era = since % 146097;
  u32 year = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  u32 day_of_year = day_of_era - (365 * year + year / 4 - year / 100), month = (5 * day_of_year + 2) / 153;
  u32 day = day_of_year - (153 * month + 2) / 5 + 1;
  month = month < 10 ? month + 3 : month - 9;
  to = put_digits(to, year + era * 400 + (month <= 2), 4);
  *to++ = '-';
  to = put_digits(to, month, 2);
  *to++ = '-';
  return put_digits(to, day, 2);
}

void json_time(char to[JSON_TIME_SIZE], u64 unix_ns) {
  u64 seconds = unix_ns / 1000000000;
  u32 nanoseconds = (u32)(unix_ns % 1000000000), of_day = (u32)(seconds % 86400);
  to = put_date(to, (u32)(seconds / 86400));
  *to++ = 'T';
  to = put_digits(to, of_day / 3600, 2);
  *to++ = ':';
  to = put_digits(to, of_day / 60 % 60, 2);
  *to++ = ':';
  to = put_digits(to, of_day % 60, 2);
  if (nanoseconds > 0) {
    *to++ = '.';
    to = put_digits(to, nanoseconds, 9);
    while (to[-1] == '0') to--;
  }
  *to++ = 'Z';
  *to = 0;
}
