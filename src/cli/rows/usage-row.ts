import type { Usage } from "../../engine/usage/usage.ts";
import { Methods } from "../format/template/values.ts";
import { humanSize } from "../format/units.ts";

/** docker's default table of `system df`. */
export const usageTable = "table {{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}";

export const usageHeadings: Readonly<Record<string, string>> = {
  Type: "TYPE",
  TotalCount: "TOTAL",
  Active: "ACTIVE",
  Size: "SIZE",
  Reclaimable: "RECLAIMABLE",
};

interface Kind {
  readonly type: string;
  readonly count: number;
  readonly active: number;
  readonly size: number;
  readonly reclaimable: number;
}

/** A line for each kind of thing in the store, as templates see them. There is no build cache yet. */
export function usageRows(usage: Usage): readonly Methods[] {
  return [imagesKind(usage), containersKind(usage), volumesKind(usage), buildCache].map(row);
}

const buildCache: Kind = { type: "Build Cache", count: 0, active: 0, size: 0, reclaimable: 0 };

function imagesKind({ images }: Usage): Kind {
  const active = images.list.filter(({ containers }) => containers > 0).length;
  const { list, total: size, reclaimable } = images;
  return { type: "Images", count: list.length, active, size, reclaimable };
}

function containersKind({ containers }: Usage): Kind {
  const lives = (state: string) => ["running", "paused", "restarting"].includes(state);
  const idle = containers.filter(({ container }) => !lives(container.state));
  const active = containers.length - idle.length;
  return { type: "Containers", count: containers.length, active, size: sum(containers), reclaimable: sum(idle) };
}

function volumesKind({ volumes }: Usage): Kind {
  const idle = volumes.filter(({ links }) => links === 0);
  const active = volumes.length - idle.length;
  return { type: "Local Volumes", count: volumes.length, active, size: sum(volumes), reclaimable: sum(idle) };
}

function sum(sizes: readonly { readonly size: number }[]): number {
  return sizes.reduce((total, { size }) => total + size, 0);
}

function row({ type, count, active, size, reclaimable }: Kind): Methods {
  const share = size > 0 && type !== "Build Cache" ? ` (${Math.trunc((reclaimable * 100) / size)}%)` : "";
  return new Methods("*formatter.diskUsageContext", {
    Type: () => type,
    TotalCount: () => String(count),
    Active: () => String(active),
    Size: () => humanSize(size),
    Reclaimable: () => `${humanSize(reclaimable)}${share}`,
  });
}
