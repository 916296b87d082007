import { type Certificate, parseCertificate } from "./certificate.ts";
import { pemBlock, pemBlocks } from "./pem.ts";

/** All certificates of a text in PEM that holds nothing else. Throws where one is no certificate. */
export function certificatesOf(text: string): readonly Certificate[] {
  const blocks = pemBlocks(text);
  if (blocks === undefined) throw new Error("error during PEM decoding");
  return blocks.map(({ bytes }) => parseCertificate(bytes));
}

/** The certificates of a file of roots; what is none is skipped, as the host's own files of roots are read. */
export function rootsOf(text: string): readonly Certificate[] {
  const roots: Certificate[] = [];
  for (let block = pemBlock(text); block !== undefined; block = pemBlock(block.rest)) {
    const root = block.label === "CERTIFICATE" ? tryParse(block.bytes) : undefined;
    if (root !== undefined) roots.push(root);
  }
  return roots;
}

function tryParse(der: Buffer): Certificate | undefined {
  try {
    return parseCertificate(der);
  } catch {
    return undefined;
  }
}

/** Certificates that an image brings to lead to a root; the last is the root itself, which has to be known already. */
export function broughtIntermediates(chain: string | undefined): readonly Certificate[] {
  return chain === undefined || chain === "" ? [] : certificatesOf(chain).slice(0, -1);
}

/** The one certificate of a text. */
export function leafOf(text: string): Certificate {
  const [leaf, ...more] = certificatesOf(text);
  if (leaf === undefined) throw new Error("no certificate found in signature certificate data");
  if (more.length > 0) throw new Error("unexpected multiple certificates present in signature certificate data");
  return leaf;
}
