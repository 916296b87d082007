import type { Blob, BuiltImage } from "./image-builder.ts";

/** How to reach a registry. */
export interface RegistryAccess {
  /** Scheme and host. */
  readonly url: string;
  /** PEM of the authority that signed its certificate. */
  readonly authority?: string;
  readonly auth?: { readonly user: string; readonly password: string };
}

/** Uploads an image and tags it: distribution-spec, "Pushing blobs" (POST then PUT) and "Pushing manifests". */
export async function pushImage(
  access: RegistryAccess,
  repository: string,
  tag: string,
  image: BuiltImage,
): Promise<void> {
  for (const blob of image.blobs) await pushBlob(access, repository, blob);
  for (const manifest of image.manifests) await pushManifest(access, repository, manifest.descriptor.digest, manifest);
  await pushManifest(access, repository, tag, image);
}

/** Uploads one blob in a single piece. */
export async function pushBlob(access: RegistryAccess, repository: string, blob: Blob): Promise<void> {
  const start = await send(access, `/v2/${repository}/blobs/uploads/`, { method: "POST" });
  const location = new URL(start.headers.get("location") ?? "", access.url);
  location.searchParams.set("digest", blob.descriptor.digest);
  await send(access, `${location.pathname}${location.search}`, {
    method: "PUT",
    headers: { "content-type": "application/octet-stream" },
    body: new Uint8Array(blob.bytes),
  });
}

/** Uploads a manifest or index under a tag or digest. */
export async function pushManifest(
  access: RegistryAccess,
  repository: string,
  reference: string,
  blob: Blob,
): Promise<void> {
  await send(access, `/v2/${repository}/manifests/${reference}`, {
    method: "PUT",
    headers: { "content-type": blob.descriptor.mediaType },
    body: new Uint8Array(blob.bytes),
  });
}

async function send(access: RegistryAccess, path: string, request: BunFetchRequestInit): Promise<Response> {
  const headers = new Headers(request.headers);
  if (access.auth !== undefined)
    headers.set("authorization", `Basic ${btoa(`${access.auth.user}:${access.auth.password}`)}`);
  const tls = access.authority === undefined ? {} : { tls: { ca: access.authority } };
  const response = await fetch(`${access.url}${path}`, { ...request, headers, redirect: "manual", ...tls });
  if (!response.ok) throw new Error(`${request.method} ${path}: ${response.status} ${await response.text()}`);
  return response;
}
