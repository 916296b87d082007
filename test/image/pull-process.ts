/** Pulls one image in a process of its own: `bun pull-process.ts ROOT REFERENCE`; prints the result, or the failure, as JSON. */
import { type GalleyError, toGalleyError } from "../../src/errors.ts";
import { openTestImages } from "./test-images.ts";

const [root = "", reference = ""] = process.argv.slice(2);
const { images } = openTestImages(root);
let peak = 0;
const timer = setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss());
}, 10);
try {
  const { image, changed } = await images.pull(reference, {
    onProgress: (event) => void (event.kind === "downloading" && console.log(JSON.stringify(event))),
  });
  console.log(JSON.stringify({ id: image.id, changed, peak }));
} catch (failure) {
  const fault: GalleyError = toGalleyError(failure);
  console.log(JSON.stringify({ code: fault.code, message: fault.describe() }));
  process.exitCode = 1;
}
clearInterval(timer);
