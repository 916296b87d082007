/** The entry of the released executable; scripts/build.ts puts the two files beside the native build first. */
import busybox from "../../build/embed/busybox.zst" with { type: "file" };
import native from "../../build/embed/galley-native" with { type: "file" };
import { registerEmbedded } from "./embedded.ts";
import { main } from "./main.ts";

/** Replaced when the executable is built. */
declare const NATIVE_DIGEST: string;

registerEmbedded({ native, nativeDigest: NATIVE_DIGEST, busybox });
void main(process.argv.slice(2)).then((status) => {
  process.exitCode = status;
});
