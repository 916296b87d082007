import type { ProcessConfig } from "../../spec/runtime.ts";

/**
 * A process that a file describes has what the container's own has where the file says nothing, in everything that limits it or that
 * grants it something: as runc's `exec --process`. Command, directory, environment and user are the file's alone.
 */
export function withContainerDefaults(process: ProcessConfig, container: Partial<ProcessConfig> = {}): ProcessConfig {
  const { capabilities, rlimits, ioPriority, scheduler, execCPUAffinity, apparmorProfile, selinuxLabel } = container;
  const umask = container.user?.umask;
  const defaults = { capabilities, rlimits, ioPriority, scheduler, execCPUAffinity, apparmorProfile, selinuxLabel };
  return {
    ...given(defaults),
    ...process,
    ...given({ rlimits: process.rlimits?.length ? process.rlimits : rlimits }),
    ...given({ apparmorProfile: process.apparmorProfile || apparmorProfile }),
    ...given({ selinuxLabel: process.selinuxLabel || selinuxLabel }),
    user: { ...given({ umask }), ...process.user },
  };
}

type Given<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

/** Without the properties that are undefined. */
function given<T extends object>(values: T): Given<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Given<T>;
}
