import { type ErrorCode, GalleyError } from "../../errors.ts";
import { describeErrno, errno, errnoText } from "../../linux/errno.ts";
import type { Recipe, Step } from "../../recipe/recipe.ts";
import type { Report } from "../../recipe/report.ts";

/** Exit statuses of a command that cannot be run: docker's, which are the shell's. */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

/** The step that a report blames; undefined where the native program refused the whole recipe, and so timed nothing. */
export function failedStep(recipe: Recipe, { failure, timings }: Report): Step | undefined {
  if (failure === undefined || timings.outside.length === 0) return undefined;
  return recipe.sections[failure.section]?.[failure.step];
}

/** A failed step in a user's words: what was being done, for which setting, what the kernel said, and what helps. */
export function startFailure(step: Step | undefined, error: number, name: string): GalleyError {
  if (step === undefined) {
    return new GalleyError("unavailable", `the native program refused to start: ${describeErrno(error)}`, {
      op: "start",
      subject: name,
    });
  }
  if (step.op === "exec") return execFailure(step, error);
  if ((step.op === "try_chdir" || step.op === "retry_chdir") && error !== errno.ECANCELED)
    return directoryFailure(step, error);
  const hint = hintOf(step, error);
  return new GalleyError(codeOf(error), `${step.cause}: ${step.op}: ${describeErrno(error)}`, {
    op: "start",
    subject: name,
    ...(hint === undefined ? {} : { hint }),
  });
}

function execFailure({ args: [argv] }: Step, error: number): GalleyError {
  const command = argv instanceof Uint8Array ? new TextDecoder().decode(argv).split("\0", 1)[0] : "";
  const exitStatus = error === errno.ENOENT ? NOT_FOUND : NOT_EXECUTABLE;
  const subject = JSON.stringify(command);
  if (error === errno.ENOENT && !command?.includes("/")) {
    return new GalleyError("invalid_argument", `exec: ${subject}: executable file not found in $PATH`, { exitStatus });
  }
  const hint =
    error === errno.ENOENT
      ? "or the program that it names in its first line, or its dynamic linker, is missing"
      : error === errno.ENOEXEC
        ? "is it a script without #! in its first line, or made for another architecture?"
        : undefined;
  const what = error === errno.EISDIR ? "is a directory" : errnoText(error).toLowerCase();
  return new GalleyError("invalid_argument", `exec: ${subject}: ${what}`, {
    exitStatus,
    ...(hint === undefined ? {} : { hint }),
  });
}

function directoryFailure({ args: [path] }: Step, error: number): GalleyError {
  const exitStatus = error === errno.ENOENT ? NOT_FOUND : NOT_EXECUTABLE;
  return new GalleyError(
    "invalid_argument",
    `chdir to cwd (${JSON.stringify(path)}): ${errnoText(error).toLowerCase()}`,
    {
      exitStatus,
      hint: "--workdir or the image's WORKDIR names it",
    },
  );
}

function codeOf(error: number): ErrorCode {
  if (error === errno.ENOSPC || error === errno.ENOMEM || error === errno.EMFILE) return "resource_exhausted";
  if (error === errno.EPERM || error === errno.EACCES) return "permission_denied";
  return error === errno.EINVAL ? "invalid_argument" : "failed_precondition";
}

function hintOf({ op, cause }: Step, error: number): string | undefined {
  if (error === errno.ENOSPC) return "the disk is full, or the kernel's number of such things is used up";
  if (cause.startsWith("mounts[")) return mountHint(error);
  if (cause.startsWith("linux.resources")) return limitHint(error);
  if (op === "clone" && error === errno.EPERM) return "making containers needs root";
  if (op === "clone" && error === errno.ENOSPC) return "too many namespaces: see /proc/sys/user";
  if (cause.startsWith("root.path") && error === errno.EINVAL) {
    return "overlayfs refuses these directories: is --root on a file system that it can use, such as ext4 or xfs, and has the image at most 500 layers?";
  }
  if (cause === "process.cwd") return "--workdir or the image's WORKDIR names it";
  if (error === errno.EPERM) return "does this machine, or the container we are in, allow it?";
  return undefined;
}

function mountHint(error: number): string | undefined {
  if (error === errno.ENOTDIR || error === errno.EISDIR) {
    return "a directory cannot be mounted on a file, nor a file on a directory";
  }
  if (error === errno.ENOENT) return "the source does not exist";
  if (error === errno.EINVAL) return "is one of its options unknown to this file system?";
  return error === errno.ELOOP ? "the target leads through a symbolic link out of the root" : undefined;
}

function limitHint(error: number): string | undefined {
  if (error === errno.EINVAL)
    return "the kernel does not take this value: is it below its minimum, or out of its range?";
  if (error === errno.EBUSY) return "the limit is below what is in use already";
  return error === errno.ENOENT ? "this kernel does not have that limit" : undefined;
}
