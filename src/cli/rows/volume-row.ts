import type { VolumeRecord } from "../cli.ts";
import { Methods } from "../format/template/values.ts";
import { joinLabels } from "./text.ts";

/** docker's default table of `volume ls`. */
export const volumeTable = "table {{.Driver}}\t{{.Name}}";

/** docker's `--format raw` of `volume ls`. */
export const volumeRaw = "name: {{.Name}}\ndriver: {{.Driver}}\n";

export const volumeHeadings: Readonly<Record<string, string>> = {
  Name: "VOLUME NAME",
  Driver: "DRIVER",
  Scope: "SCOPE",
  Availability: "AVAILABILITY",
  Mountpoint: "MOUNTPOINT",
  Links: "LINKS",
  Size: "SIZE",
  Labels: "LABELS",
  Group: "GROUP",
  Status: "STATUS",
};

/** A volume as templates see it; all are directories of this machine. */
export function volumeRow({ name, mountpoint, labels }: VolumeRecord): Methods {
  const unknown = () => "N/A";
  return new Methods("*formatter.volumeContext", {
    Name: () => name,
    Driver: () => "local",
    Scope: () => "local",
    Mountpoint: () => mountpoint,
    Labels: () => joinLabels(labels),
    Label: (key) => labels[String(key)] ?? "",
    Availability: unknown,
    Group: unknown,
    Links: unknown,
    Size: unknown,
    Status: unknown,
  });
}
