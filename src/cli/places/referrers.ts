import { toGalleyError } from "../../errors.ts";
import type { PlaceOptions } from "../../image/transports/open-place.ts";
import type { Document, Source } from "../../image/transports/place.ts";
import type { Descriptor } from "../../spec/image.ts";

/** What is said of an image beside itself. */
export interface Attached {
  readonly source: Source;
  readonly options: PlaceOptions;
}

/** What cosign attaches by a tag made of the image's digest, by the tag's end. */
const cosignTags: Readonly<Record<string, string>> = { sig: "signature", att: "attestation", sbom: "SBOM" };

/**
 * Signatures, SBOMs and other artifacts of an image, as fields of its description; none where there are none. They are told, and not verified.
 * @param tags those of the repository, where they are known: some are names of artifacts
 */
export async function attachments(
  subject: Attached,
  root: Document,
  tags: Promise<readonly string[]>,
): Promise<Record<string, unknown>> {
  const [referring, known, signatures = []] = await Promise.all([
    referrersOf(subject, root),
    tags,
    subject.source.signatures?.(root, "root", subject.options),
  ]);
  const referrers = [...referring, ...tagged(root, known)];
  const formats = signatures.map((one) => ({
    Format: one.format,
    ...(one.format === "sigstore-json" ? { MIMEType: one.mediaType } : {}),
  }));
  return {
    ...(referrers.length === 0 ? {} : { Referrers: referrers }),
    ...(formats.length === 0 ? {} : { Signatures: formats }),
  };
}

async function referrersOf({ source, options }: Attached, root: Document): Promise<readonly object[]> {
  try {
    return ((await source.referrers?.(root, options)) ?? []).map(shown);
  } catch (failure) {
    // The image is there all the same.
    if (!["permission_denied", "not_found", "unauthenticated"].includes(toGalleyError(failure).code)) throw failure;
    return [];
  }
}

function shown({ digest, mediaType, artifactType, size, annotations }: Descriptor): object {
  return {
    Digest: digest,
    MIMEType: mediaType,
    ArtifactType: artifactType ?? "",
    Size: size,
    Annotations: annotations ?? null,
  };
}

function tagged({ descriptor }: Document, tags: readonly string[]): readonly object[] {
  const start = `${descriptor.digest.replace(":", "-")}.`;
  return tags.flatMap((tag) => {
    const what = tag.startsWith(start) ? cosignTags[tag.slice(start.length)] : undefined;
    return what === undefined ? [] : [{ Tag: tag, ArtifactType: `cosign ${what}` }];
  });
}
