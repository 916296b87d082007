/** `npm run compare-image -- PLACE…`: each image's layers in both forms and as GNU tar unpacks them, inode by inode. */
import { compareImage } from "./compare-image.ts";

const places = process.argv.slice(2);
if (places.length === 0) {
  console.error("which image? For example docker://127.0.0.1:5000/debian:12 or oci:/images:debian");
  process.exit(2);
}
let failed = false;
for (const place of places) {
  const { layers, inodes, merged, differences } = await compareImage(place, (line) =>
    console.error(`${place}: ${line}`),
  );
  for (const line of differences.slice(0, 50)) console.log(line);
  console.log(
    `${place}: ${layers} layers, ${inodes} inodes, ${merged} in the whole, ${differences.length} differences`,
  );
  failed ||= differences.length > 0;
}
process.exit(failed ? 1 : 0);
