import { mediaTypes } from "../../spec/image.ts";
import { type Route, repositoryOf } from "../context.ts";
import { referrerDetails } from "../manifest-document.ts";
import { checkedDigest } from "../names.ts";
import { type Page, pageOf } from "../pages.ts";
import type { Repository } from "../store/repository.ts";
import type { Manifest } from "../store/repository-index.ts";

/** Tags or names in one answer, some hundred kilobytes at most; clients that know no `Link` ask for no more. */
const MOST_NAMES = 10_000;

/** Referrers in one answer, which a client should be able to read as a manifest. */
const MOST_REFERRERS = 500;

/** GET of a repository's tags (distribution-spec "Listing Tags"). */
export const listTags: Route = async (call) => {
  const { context, name, query } = call;
  const all = (await context.mirror?.tags(name)) ?? [...repositoryOf(call).content.index.tags.keys()];
  const page = pageOf(all, itself, { path: `/v2/${name}/tags/list`, query, most: MOST_NAMES });
  return Response.json({ name, tags: page.items }, { headers: linkOf(page) });
};

/** GET of the names of all repositories: docker's `_catalog`. */
export const listRepositories: Route = ({ context, query }) => {
  const page = pageOf(context.store.names(), itself, { path: "/v2/_catalog", query, most: MOST_NAMES });
  return Response.json({ repositories: page.items }, { headers: linkOf(page) });
};

/** GET of the manifests that have a digest as their subject (distribution-spec "Listing Referrers"). */
export const listReferrers: Route = (call) => {
  const { context, name, query } = call;
  const { text: subject } = checkedDigest(call.reference);
  const repository = context.store.find(name)?.content;
  const wanted = query.get("artifactType");
  const all = repository === undefined ? [] : referrersOf(repository, subject);
  const chosen = wanted === null ? all : all.filter(({ artifactType }) => artifactType === wanted);
  const path = `/v2/${name}/referrers/${subject}`;
  const page = pageOf(chosen, ({ digest }) => digest, { path, query, most: MOST_REFERRERS });
  const headers = {
    "content-type": mediaTypes.ociIndex,
    ...(wanted === null ? {} : { "oci-filters-applied": "artifactType" }),
    ...linkOf(page),
  };
  return Response.json({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: page.items }, { headers });
};

function referrersOf(repository: Repository, subject: string) {
  const { manifests, referrers } = repository.index;
  const found = (referrers.get(subject) ?? []).flatMap((digest) => manifests.get(digest) ?? []);
  return found
    .map((manifest) => referrer(repository, manifest))
    .sort((one, other) => (one.digest < other.digest ? -1 : 1));
}

function referrer(repository: Repository, { mediaType, digest, size }: Manifest) {
  return { mediaType, digest, size, ...referrerDetails(repository.read(digest)) };
}

function itself(name: string): string {
  return name;
}

function linkOf({ link }: Page<unknown>): Record<string, string> {
  return link === undefined ? {} : { link };
}
