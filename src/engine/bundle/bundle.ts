/**
 * From what the user asked for to the OCI configuration that the runtime takes, in this order:
 *
 *     const checked = await checkSpec(asked);                             // nothing is looked at but the host's limits
 *     const spec = inheritImage(checked.spec, image.config);              // kept in the container's record
 *     const process = resolveProcess(spec, image.config);
 *     const volumes = await provideMounts(requestedMounts(spec, image.config), …);   // volumes/provide.ts
 *     const resolved = { ...process, volumes };                           // kept in the container's record
 *     const config = await makeConfig({ id, spec, resolved, … });         // at each start
 */
export { type CheckedSpec, checkSpec } from "./check.ts";
export { type ConfigInput, cgroupPath, makeConfig } from "./config.ts";
export { type ExecConfig, type ExecInput, makeExecProcess } from "./exec.ts";
export { hostnameOf } from "./hostname.ts";
export { inheritImage, publishedPorts } from "./inherit.ts";
export { type JoinedContainers, joinedNames, type NamespaceModes, namespaceModes } from "./modes.ts";
export type { NetworkFiles } from "./mounts.ts";
export { resolveProcess } from "./process.ts";
export { requestedMounts } from "./requested-mounts.ts";
