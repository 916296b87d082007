import { encodeName } from "../../../linux/sys/sys.ts";

/** A record of a PAX header: `LENGTH KEYWORD=VALUE\n`, where the length counts its own digits too. */
export function paxRecord(keyword: string, value: string | Uint8Array): Uint8Array {
  const bytes = typeof value === "string" ? encodeName(value) : value;
  const rest = Buffer.concat([Buffer.from(" "), encodeName(keyword), Buffer.from("="), bytes, Buffer.from("\n")]);
  let length = rest.length;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}
