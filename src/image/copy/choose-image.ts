import type { Descriptor, ImageIndex, Platform } from "../../spec/image.ts";
import { choose, NoMatchingPlatform } from "../pull/fetch-documents.ts";

/** As `choose`, whose failure is docker's; this one's is skopeo's. */
export function chooseImage(index: ImageIndex, platform: Platform, subject: string): Descriptor {
  try {
    return choose(index, platform, subject);
  } catch (failure) {
    throw failure instanceof NoMatchingPlatform ? failure.inSkopeosWords() : failure;
  }
}
