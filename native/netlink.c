/* Netlink requests: the kernel works on them while they are sent, so every answer waits when the send returns. */
#include "actor.h"

#include <linux/netlink.h>
#include <linux/sockios.h>

#define SOL_NETLINK_ 270
#define BIG_REQUEST (64 * 1024)
#define ROOM_FOR_ANSWERS (4 << 20)
#define NAME_SIZE 16

/* struct ifreq without the C library's headers. */
struct interface_request {
  char name[NAME_SIZE];
  i32 index;
  u8 rest[20];
};

static long interface_index(int fd, const char *name) {
  struct interface_request request = {.index = 0};
  size_t size = strlen(name);
  if (size >= NAME_SIZE) return -ENODEV;
  memcpy(request.name, name, size);
  long result = sys(ioctl, fd, SIOCGIFINDEX, &request);
  return result < 0 ? result : request.index;
}

static long fixup_value(struct actor *self, int fd, u64 kind, u64 argument) {
  if (kind == FIXUP_PID) return self->pid > 0 ? self->pid : -ESRCH;
  if (kind == FIXUP_INTERFACE_INDEX) return interface_index(fd, text_argument(self, argument));
  int slot = fd_argument(self, argument);
  return slot < 0 ? -EBADF : slot;
}

/* What is sent: the messages with one word in them replaced, where there is a fixup. The recipe itself stays as it was checked:
   its other steps may read the same bytes. */
struct request {
  struct io_slice slices[3];
  u32 count;
  u32 word;
};

static long prepare_request(struct actor *self, int fd, const struct step *step, struct request *request) {
  struct bytes messages = bytes_argument(self, step->args[1]);
  u64 offset = step->args[2];
  request->count = 1;
  request->slices[0] = (struct io_slice){messages.start, messages.size};
  if (step->args[3] == FIXUP_NONE) return 0;
  long value = fixup_value(self, fd, step->args[3], step->args[4]);
  if (value < 0) return value;
  request->count = 3;
  request->word = (u32)value;
  request->slices[0].size = offset;
  request->slices[1] = (struct io_slice){&request->word, 4};
  request->slices[2] = (struct io_slice){messages.start + offset + 4, messages.size - offset - 4};
  return 0;
}

static long send_request(int fd, struct request *request) {
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK_};
  struct message message = {
      .name = &kernel, .name_size = sizeof kernel, .slices = request->slices, .slice_count = request->count};
  long result;
  do result = sys(sendmsg, fd, &message, 0);
  while (result == -EINTR);
  return result;
}

/* The first error in one datagram of answers; an error number of 0 is an acknowledgement. */
static long first_error(const u8 *answers, size_t size, u32 *acknowledged) {
  struct nlmsghdr header;
  i32 error;
  for (size_t at = 0; at + sizeof header <= size; at += NLMSG_ALIGN(header.nlmsg_len)) {
    memcpy(&header, answers + at, sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > size - at) return 0;
    if (header.nlmsg_type != NLMSG_ERROR || header.nlmsg_len < sizeof header + sizeof error) continue;
    memcpy(&error, answers + at + sizeof header, sizeof error);
    if (error != 0) return error;
    ++*acknowledged;
  }
  return 0;
}

static u32 count_wanted(struct bytes messages) {
  struct nlmsghdr header;
  u32 wanted = 0;
  for (size_t at = 0; at + sizeof header <= messages.size; at += NLMSG_ALIGN(header.nlmsg_len)) {
    memcpy(&header, messages.start + at, sizeof header);
    if (header.nlmsg_len < sizeof header) break;
    wanted += (header.nlmsg_flags & NLM_F_ACK) != 0;
    if (header.nlmsg_len > messages.size - at) break;
  }
  return wanted;
}

/* No acknowledgement at all means that nobody has worked on the request. Fewer than asked for are no failure by themselves:
   kernels differ in whether they acknowledge the first and last message of a batch. */
static long read_answers(int fd, u32 wanted) {
  u8 answers[8192];
  u32 acknowledged = 0;
  for (;;) {
    long size = sys(recvfrom, fd, answers, sizeof answers, MSG_DONTWAIT_, 0, 0);
    if (size == -EINTR) continue;
    if (size == -EAGAIN) return wanted > 0 && acknowledged == 0 ? -EPROTO : 0;
    if (size < 0) return size;
    long error = first_error(answers, (size_t)size, &acknowledged);
    if (error < 0) return error;
  }
}

static void make_room(int fd, size_t request) {
  int on = 1, answers = ROOM_FOR_ANSWERS, sent = (int)(request * 2);
  sys(setsockopt, fd, SOL_NETLINK_, NETLINK_CAP_ACK, &on, sizeof on);
  if (request < BIG_REQUEST / 16) return;
  sys(setsockopt, fd, SOL_SOCKET, SO_RCVBUFFORCE, &answers, sizeof answers);
  if (request > BIG_REQUEST) sys(setsockopt, fd, SOL_SOCKET, SO_SNDBUFFORCE, &sent, sizeof sent);
}

long step_netlink(struct actor *self, const struct step *step) {
  struct bytes messages = bytes_argument(self, step->args[1]);
  struct request request;
  long fd = sys(socket, AF_NETLINK_, SOCK_RAW_ | SOCK_CLOEXEC_, step->args[0]);
  if (fd < 0) return fd;
  make_room((int)fd, messages.size);
  long result = prepare_request(self, (int)fd, step, &request);
  if (result >= 0) result = send_request((int)fd, &request);
  if (result >= 0) result = read_answers((int)fd, count_wanted(messages));
  close_fd((int)fd);
  return result;
}
