import type { AnyCommand } from "./command.ts";

/** Where help lists a command. */
export type Section = "common" | "command";

/** A command by name, loaded only when it is called. */
export interface CommandEntry {
  readonly summary: string;
  readonly section: Section;
  /** Other full names, as `container ls` for `ps`. */
  readonly aliases: readonly string[];
  load(): Promise<{ readonly command: AnyCommand }>;
}

function entry(
  section: Section,
  summary: string,
  aliases: readonly string[],
  load: CommandEntry["load"],
): CommandEntry {
  return { section, summary, aliases, load };
}

/** All commands. Names with a space live in their group only. */
export const commands: Readonly<Record<string, CommandEntry>> = {
  run: entry(
    "common",
    "Create and run a new container from an image",
    ["container run"],
    () => import("./commands/run.ts"),
  ),
  exec: entry(
    "common",
    "Execute a command in a running container",
    ["container exec"],
    () => import("./commands/exec.ts"),
  ),
  ps: entry(
    "common",
    "List containers",
    ["container ls", "container list", "container ps"],
    () => import("./commands/ps.ts"),
  ),
  pull: entry("common", "Download an image from a registry", ["image pull"], () => import("./commands/pull.ts")),
  images: entry("common", "List images", ["image ls", "image list"], () => import("./commands/images.ts")),
  version: entry("common", "Show the version information", [], () => import("./commands/version.ts")),
  info: entry("common", "Display system-wide information", ["system info"], () => import("./commands/info.ts")),
  attach: entry(
    "command",
    "Attach local standard input, output, and error streams to a running container",
    ["container attach"],
    () => import("./commands/attach.ts"),
  ),
  completion: entry(
    "command",
    "Generate the autocompletion script for a shell",
    [],
    () => import("./commands/completion.ts"),
  ),
  copy: entry("command", "Copy an image from one location to another", [], () => import("./commands/copy.ts")),
  create: entry("command", "Create a new container", ["container create"], () => import("./commands/create.ts")),
  commit: entry(
    "command",
    "Create a new image from a container's changes",
    ["container commit"],
    () => import("./commands/commit.ts"),
  ),
  cp: entry(
    "command",
    "Copy files/folders between a container and the local filesystem",
    ["container cp"],
    () => import("./commands/cp.ts"),
  ),
  diff: entry(
    "command",
    "Inspect changes to files or directories on a container's filesystem",
    ["container diff"],
    () => import("./commands/diff.ts"),
  ),
  export: entry(
    "command",
    "Export a container's filesystem as a tar archive",
    ["container export"],
    () => import("./commands/export.ts"),
  ),
  delete: entry("command", "Delete an image from a registry or a layout", [], () => import("./commands/delete.ts")),
  explain: entry(
    "command",
    "Show what a container was made of and what each step took",
    ["container explain"],
    () => import("./commands/explain.ts"),
  ),
  "generate-sigstore-key": entry(
    "command",
    "Generate a sigstore public/private key pair",
    [],
    () => import("./commands/generate-sigstore-key.ts"),
  ),
  history: entry("command", "Show the history of an image", ["image history"], () => import("./commands/history.ts")),
  import: entry(
    "command",
    "Import the contents from a tarball to create a filesystem image",
    ["image import"],
    () => import("./commands/import.ts"),
  ),
  inspect: entry(
    "command",
    "Return low-level information on containers, images and volumes",
    [],
    () => import("./commands/inspect.ts"),
  ),
  kill: entry("command", "Kill one or more running containers", ["container kill"], () => import("./commands/kill.ts")),
  "list-tags": entry(
    "command",
    "List the tags of a repository or an archive",
    [],
    () => import("./commands/list-tags.ts"),
  ),
  load: entry(
    "command",
    "Load an image from a tar archive or STDIN",
    ["image load"],
    () => import("./commands/load.ts"),
  ),
  login: entry("command", "Log in to a registry", [], () => import("./commands/login.ts")),
  logout: entry("command", "Log out from a registry", [], () => import("./commands/logout.ts")),
  logs: entry("command", "Fetch the logs of a container", ["container logs"], () => import("./commands/logs.ts")),
  "manifest-digest": entry(
    "command",
    "Compute the digest of a manifest file",
    [],
    () => import("./commands/manifest-digest.ts"),
  ),
  pause: entry(
    "command",
    "Pause all processes within one or more containers",
    ["container pause"],
    () => import("./commands/pause.ts"),
  ),
  port: entry(
    "command",
    "List port mappings or a specific mapping for the container",
    ["container port"],
    () => import("./commands/port.ts"),
  ),
  push: entry("command", "Upload an image to a registry", ["image push"], () => import("./commands/push.ts")),
  rename: entry("command", "Rename a container", ["container rename"], () => import("./commands/rename.ts")),
  restart: entry(
    "command",
    "Restart one or more containers",
    ["container restart"],
    () => import("./commands/restart.ts"),
  ),
  rm: entry(
    "command",
    "Remove one or more containers",
    ["container rm", "container remove"],
    () => import("./commands/rm.ts"),
  ),
  rmi: entry("command", "Remove one or more images", ["image rm", "image remove"], () => import("./commands/rmi.ts")),
  runtime: entry("command", "Be the OCI runtime, with runc's commands", [], () => import("./commands/runtime.ts")),
  save: entry(
    "command",
    "Save one or more images to a tar archive",
    ["image save"],
    () => import("./commands/save.ts"),
  ),
  search: entry("command", "Search registries for images", ["image search"], () => import("./commands/search.ts")),
  "standalone-sign": entry(
    "command",
    "Create a signature using local files",
    [],
    () => import("./commands/standalone-sign.ts"),
  ),
  "standalone-verify": entry(
    "command",
    "Verify a signature using local files",
    [],
    () => import("./commands/standalone-verify.ts"),
  ),
  start: entry(
    "command",
    "Start one or more stopped containers",
    ["container start"],
    () => import("./commands/start.ts"),
  ),
  stop: entry("command", "Stop one or more running containers", ["container stop"], () => import("./commands/stop.ts")),
  sync: entry(
    "command",
    "Synchronize images between registries and directories",
    [],
    () => import("./commands/sync.ts"),
  ),
  tag: entry(
    "command",
    "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
    ["image tag"],
    () => import("./commands/tag.ts"),
  ),
  top: entry(
    "command",
    "Display the running processes of a container",
    ["container top"],
    () => import("./commands/top.ts"),
  ),
  unpause: entry(
    "command",
    "Unpause all processes within one or more containers",
    ["container unpause"],
    () => import("./commands/unpause.ts"),
  ),
  wait: entry(
    "command",
    "Block until one or more containers stop, then print their exit codes",
    ["container wait"],
    () => import("./commands/wait.ts"),
  ),
  "container inspect": entry(
    "command",
    "Display detailed information on one or more containers",
    [],
    () => import("./commands/container-inspect.ts"),
  ),
  "container prune": entry(
    "command",
    "Remove all stopped containers",
    [],
    () => import("./commands/container-prune.ts"),
  ),
  untag: entry(
    "command",
    "Remove one or more names from a local image",
    ["image untag"],
    () => import("./commands/untag.ts"),
  ),
  "image diff": entry("command", "Inspect changes to an image's files", [], () => import("./commands/image-diff.ts")),
  "image exists": entry(
    "command",
    "Check if an image exists in local storage",
    [],
    () => import("./commands/image-exists.ts"),
  ),
  "image mount": entry(
    "command",
    "Mount an image's root file system for reading",
    [],
    () => import("./commands/image-mount.ts"),
  ),
  "image scp": entry("command", "Copy an image between hosts", [], () => import("./commands/image-scp.ts")),
  "image tree": entry("command", "Print an image's layers as a tree", [], () => import("./commands/image-tree.ts")),
  "image unmount": entry(
    "command",
    "Unmount an image's root file system",
    ["image umount"],
    () => import("./commands/image-unmount.ts"),
  ),
  "image inspect": entry(
    "command",
    "Display detailed information on one or more images",
    [],
    () => import("./commands/image-inspect.ts"),
  ),
  "image prune": entry("command", "Remove unused images", [], () => import("./commands/image-prune.ts")),
  "artifact add": entry(
    "command",
    "Add files of this host to the store as an artifact",
    [],
    () => import("./commands/artifact-add.ts"),
  ),
  "artifact extract": entry(
    "command",
    "Write the files of an artifact to this host",
    [],
    () => import("./commands/artifact-extract.ts"),
  ),
  "artifact inspect": entry(
    "command",
    "Show the manifest of an artifact",
    [],
    () => import("./commands/artifact-inspect.ts"),
  ),
  "artifact ls": entry("command", "List artifacts", ["artifact list"], () => import("./commands/artifact-ls.ts")),
  "artifact pull": entry(
    "command",
    "Bring an artifact from a registry to the store",
    [],
    () => import("./commands/artifact-pull.ts"),
  ),
  "artifact push": entry(
    "command",
    "Send an artifact of the store to a registry",
    [],
    () => import("./commands/artifact-push.ts"),
  ),
  "artifact rm": entry(
    "command",
    "Remove artifacts from the store",
    ["artifact remove"],
    () => import("./commands/artifact-rm.ts"),
  ),
  "manifest add": entry("command", "Add images to a manifest list", [], () => import("./commands/manifest-add.ts")),
  "manifest annotate": entry(
    "command",
    "Say something else of an image of a manifest list, or of the list",
    [],
    () => import("./commands/manifest-annotate.ts"),
  ),
  "manifest create": entry(
    "command",
    "Create a manifest list, with images or without",
    [],
    () => import("./commands/manifest-create.ts"),
  ),
  "manifest exists": entry(
    "command",
    "Check if a manifest list exists in local storage",
    [],
    () => import("./commands/manifest-exists.ts"),
  ),
  "manifest inspect": entry(
    "command",
    "Show a manifest list of the store, or what a registry has under the name",
    [],
    () => import("./commands/manifest-inspect.ts"),
  ),
  "manifest push": entry(
    "command",
    "Push a manifest list, with its images, to a registry or another place",
    [],
    () => import("./commands/manifest-push.ts"),
  ),
  "manifest remove": entry(
    "command",
    "Remove an image from a manifest list",
    [],
    () => import("./commands/manifest-remove.ts"),
  ),
  "manifest rm": entry(
    "command",
    "Remove manifest lists; their images stay",
    [],
    () => import("./commands/manifest-rm.ts"),
  ),
  "system df": entry(
    "command",
    "Show what images, containers and volumes take on the disk",
    [],
    () => import("./commands/system-df.ts"),
  ),
  "image sign": entry("command", "Sign images of a registry", [], () => import("./commands/image-sign.ts")),
  "image trust": entry("command", "Show or set the trust policy", [], () => import("./commands/image-trust.ts")),
  "registry gc": entry(
    "command",
    "Delete what a registry keeps and nothing needs",
    [],
    () => import("./commands/registry-gc.ts"),
  ),
  "registry serve": entry(
    "command",
    "Serve images to others by the OCI distribution protocol",
    [],
    () => import("./commands/registry-serve.ts"),
  ),
  "system migrate": entry(
    "command",
    "Give all kept layers another form",
    [],
    () => import("./commands/system-migrate.ts"),
  ),
  "volume create": entry("command", "Create a volume", [], () => import("./commands/volume-create.ts")),
  "volume inspect": entry(
    "command",
    "Display detailed information on one or more volumes",
    [],
    () => import("./commands/volume-inspect.ts"),
  ),
  "volume ls": entry("command", "List volumes", ["volume list"], () => import("./commands/volume-ls.ts")),
  "volume prune": entry("command", "Remove unused local volumes", [], () => import("./commands/volume-prune.ts")),
  "volume rm": entry(
    "command",
    "Remove one or more volumes",
    ["volume remove"],
    () => import("./commands/volume-rm.ts"),
  ),
};

/** Commands that only hold others. */
export const groups: Readonly<Record<string, string>> = {
  artifact: "Manage files that registries keep beside images",
  container: "Manage containers",
  image: "Manage images",
  manifest: "Put lists of images for several platforms together",
  registry: "Serve images to others",
  system: "Manage Galley",
  volume: "Manage volumes",
};
