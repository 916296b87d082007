import type { Container, Containers } from "../../engine/types.ts";

/** Bytes of what a container wrote and of its whole file system. */
export interface ContainerSize {
  readonly written: number;
  readonly whole: number;
}

/** The sizes of containers, by container. Counting them reads every file that they wrote. */
export async function containerSizes(
  containers: Containers,
  list: readonly Container[],
): Promise<(container: Container) => ContainerSize> {
  const sizes = new Map<string, ContainerSize>();
  for (const { id } of list) {
    const document = await containers.inspect(id, { size: true });
    sizes.set(id, { written: Number(document.SizeRw ?? 0), whole: Number(document.SizeRootFs ?? 0) });
  }
  return ({ id }) => sizes.get(id) ?? { written: 0, whole: 0 };
}
