/** How the system calls of x32 differ from x86-64's (arch/x86/entry/syscalls/syscall_64.tbl, ABI "x32" and "64"). */

/** Calls of x86-64 that x32 does not have. */
export const x32Absent =
  "uselib _sysctl create_module get_kernel_syms query_module nfsservctl set_thread_area get_thread_area epoll_ctl_old epoll_wait_old vserver";

/** Calls with a number of their own. See ../numbers.ts for the format. */
export const x32Moved = `
512 rt_sigaction rt_sigreturn ioctl readv writev recvfrom sendmsg recvmsg execve ptrace rt_sigpending rt_sigtimedwait
rt_sigqueueinfo sigaltstack timer_create mq_notify kexec_load waitid set_robust_list get_robust_list vmsplice move_pages
preadv pwritev rt_tgsigqueueinfo recvmmsg sendmmsg process_vm_readv process_vm_writev setsockopt getsockopt io_setup io_submit
execveat preadv2 pwritev2
`;
