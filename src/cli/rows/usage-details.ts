import type { Usage } from "../../engine/usage/usage.ts";
import type { Listing } from "../format/listing.ts";
import { Methods } from "../format/template/values.ts";
import { humanSize } from "../format/units.ts";
import { containerHeadings, containerRow } from "./container-row.ts";
import { imageHeadings, imageNames, imageRow } from "./image-row.ts";
import { volumeHeadings, volumeRow } from "./volume-row.ts";

const imageTable =
  "table {{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}";
const containerTable =
  "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}\t{{.Status}}\t{{.Names}}";
const volumeTable = "table {{.Name}}\t{{.Links}}\t{{.Size}}";

/** The tables of docker's `system df -v`, in its order. */
export function usageLists(usage: Usage): readonly { readonly title: string; readonly listing: Listing }[] {
  return [
    {
      title: "Images space usage:",
      listing: { format: imageTable, rows: images(usage, true), headings: imageHeadings },
    },
    {
      title: "\nContainers space usage:",
      listing: { format: containerTable, rows: containers(usage, true), headings: containerHeadings },
    },
    {
      title: "\nLocal Volumes space usage:",
      listing: { format: volumeTable, rows: volumes(usage), headings: volumeHeadings },
    },
  ];
}

/** The whole of it as templates of `system df -v --format` see it. */
export function usageDetails(usage: Usage): Methods {
  return new Methods("*formatter.diskUsageContext", {
    Images: () => images(usage, false),
    Containers: () => containers(usage, false),
    Volumes: () => volumes(usage),
    BuildCache: () => [],
  });
}

function images({ images: { list } }: Usage, truncate: boolean): readonly Methods[] {
  const sizes = new Map(list.map((one) => [one.image.id, one]));
  const counts = new Map(list.map(({ image, containers: count }) => [image.id, count]));
  const names = imageNames(
    list.map(({ image }) => image),
    false,
  );
  return names.map((name) => imageRow(name, { truncate, now: Date.now(), containers: counts, sizes }));
}

function containers({ containers: list }: Usage, truncate: boolean): readonly Methods[] {
  return list.map(({ container, size }) =>
    containerRow(container, { truncate, now: Date.now(), sizeOf: () => ({ written: size, whole: 0 }) }),
  );
}

function volumes({ volumes: list }: Usage): readonly Methods[] {
  return list.map(({ volume, size, links }) => {
    const row = volumeRow(volume);
    return new Methods(row.type, { ...row.methods, Links: () => String(links), Size: () => humanSize(size, 3) });
  });
}
