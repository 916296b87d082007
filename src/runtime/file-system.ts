import { type AttributeChange, encodeMountAttr, type FsParameter } from "../linux/mount-options.ts";
import { type Step, type StepOptions, step } from "../recipe/recipe.ts";
import { flag, slot } from "./slots.ts";

export interface FileSystemOptions extends StepOptions {
  readonly out: string;
  /** The directory below the root whose mode it takes, where there is one. */
  readonly modeOf?: string;
}

/** A new file system of a type with its parameters, as a detached mount in the slot `out`. Attributes are MOUNT_ATTR_*. */
export function makeFileSystem(
  type: string,
  parameters: readonly FsParameter[],
  attributes: number,
  { out, cause, modeOf }: FileSystemOptions,
): Step[] {
  const steps = [step("fsopen", [type, flag.FSOPEN_CLOEXEC], { out: slot.fileSystem, cause })];
  for (const { key, value } of parameters) {
    steps.push(
      value === undefined
        ? step("fsconfig_flag", [slot.fileSystem, key], { cause: `${cause}: ${key}` })
        : step("fsconfig_string", [slot.fileSystem, key, unquoted(key, value)], { cause: `${cause}: ${key}=${value}` }),
    );
  }
  if (modeOf !== undefined) steps.push(step("fsconfig_mode_of", [slot.fileSystem, slot.root, modeOf], { cause }));
  steps.push(
    step("fsconfig_create", [slot.fileSystem], { cause }),
    step("fsmount", [slot.fileSystem, flag.FSMOUNT_CLOEXEC, attributes], { out, cause }),
  );
  return steps;
}

/** mount(2) takes SELinux contexts in quotes, as they may have commas; fsconfig(2) takes them as they are. */
function unquoted(key: string, value: string): string {
  return key.endsWith("context") && /^".*"$/.test(value) ? value.slice(1, -1) : value;
}

/** Changes the attributes of a mount by its descriptor. `flags` are added to the call's. */
export function setOnMount(mount: string, change: AttributeChange, flags: number, cause: string): Step {
  return step("mount_setattr", [mount, "", flag.AT_EMPTY_PATH | flags, encodeMountAttr(change)], { cause });
}
