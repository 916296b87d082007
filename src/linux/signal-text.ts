/** Signals 1 to 31 as people know them (strsignal(3), in the lower case that Go's programs print). */
const texts =
  "hangup,interrupt,quit,illegal instruction,trace/breakpoint trap,aborted,bus error,floating point exception,killed,user defined signal 1,segmentation fault,user defined signal 2,broken pipe,alarm clock,terminated,stack fault,child exited,continued,stopped (signal),stopped,stopped (tty input),stopped (tty output),urgent I/O condition,CPU time limit exceeded,file size limit exceeded,virtual timer expired,profiling timer expired,window changed,I/O possible,power failure,bad system call";

/** What a signal is called in a sentence. */
export function signalText(number: number): string {
  return texts.split(",")[number - 1] ?? `signal ${number}`;
}
