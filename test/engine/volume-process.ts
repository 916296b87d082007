/** Makes, fills and removes volumes until it is killed. Arguments: the store's root, the image's layer. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openVolumes, provideMounts, volumesSchema } from "../../src/engine/volumes/volumes.ts";
import { openDatabase } from "../../src/state/database.ts";
import { storePaths } from "../../src/state/paths.ts";

const [root = "", layer = ""] = process.argv.slice(2);
const paths = storePaths(root, join(root, "run"));
const volumes = openVolumes({ database: openDatabase(paths.database, [volumesSchema]), paths, inUse: () => [] });

async function turn(name: string): Promise<void> {
  const [volume] = await provideMounts([{ type: "volume", source: name, target: "/data" }], volumes, [layer]);
  writeFileSync(join(volume?.source ?? "", "own"), "");
  await volumes.create(undefined, {});
  await volumes.remove(name);
  await volumes.prune({ all: false, filters: {} });
}

for (let count = 0; ; count++) {
  await turn(`volume-${process.pid}-${count % 3}`);
  if (count === 0) process.stdout.write("working\n");
}
