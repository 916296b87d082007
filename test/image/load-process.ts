/** `load-process.ts ROOT ARCHIVE COUNT EVERY`: loads an archive's images in one batch, commits after every few, and says what is visible. */
import { copyImage } from "../../src/image/copy/copy.ts";
import { openSource } from "../../src/image/transports/open-place.ts";
import { parsePlace } from "../../src/image/transports/place-name.ts";
import { openTestImages } from "./test-images.ts";

const [, , root = "", archive = "", count = "", every = ""] = process.argv;
const { images } = openTestImages(root);
const batch = await images.batch();
for (let number = 0; number < Number(count); number++) {
  const destination = batch.destination([`many:${number}`]);
  await copyImage(await openSource(parsePlace(`docker-archive:${archive}:@${number}`)), destination);
  await destination.close();
  if ((number + 1) % Number(every) !== 0) continue;
  await batch.commit();
  console.log(number + 1);
}
await batch.close();
