/** Netlink messages as text for people: a line for each message and attribute, content in hexadecimal. */
import { netlinkProtocol } from "./message.ts";

const HEADER = 16;
const NESTED = 0x8000;
/** Sizes of the headers between a message's own and its attributes (ifinfomsg, ifaddrmsg, rtmsg); nfgenmsg is the rest's. */
const familyHeaders: Readonly<Record<number, number>> = { 16: 16, 17: 16, 18: 16, 20: 8, 24: 12 };
const NFGENMSG = 4;

/**
 * What {@link MessageWriter} has written: `message TYPE flags FLAGS header`, then `TYPE content`, nested ones indented.
 * @param protocol of {@link netlinkProtocol}: message types mean something within it only
 */
export function describeMessages(protocol: number, bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lines: string[] = [];
  for (let at = 0; at + HEADER <= bytes.length; ) {
    const size = Math.max(view.getUint32(at, true), HEADER);
    const type = view.getUint16(at + 4, true);
    const family = protocol === netlinkProtocol.route ? familyHeaders[type] : undefined;
    const body = at + HEADER + (family ?? NFGENMSG);
    const header = hex(bytes.subarray(at + HEADER, body));
    lines.push(`message 0x${type.toString(16)} flags 0x${view.getUint16(at + 6, true).toString(16)} ${header}`);
    describeAttributes(bytes.subarray(body, at + size), "  ", lines);
    at += (size + 3) & ~3;
  }
  return lines.join("\n");
}

function describeAttributes(bytes: Uint8Array, indent: string, lines: string[]): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 4 <= bytes.length; ) {
    const size = Math.max(view.getUint16(at, true), 4);
    const type = view.getUint16(at + 2, true);
    const content = bytes.subarray(at + 4, at + size);
    if ((type & NESTED) !== 0) {
      lines.push(`${indent}${type & ~NESTED}:`);
      describeAttributes(content, `${indent}  `, lines);
    } else {
      lines.push(`${indent}${type} ${describeContent(content)}`.trimEnd());
    }
    at += (size + 3) & ~3;
  }
}

function describeContent(content: Uint8Array): string {
  const text = Buffer.from(content).toString("latin1");
  return /^[\x20-\x7e]{2,}\0$/.test(text) ? JSON.stringify(text.slice(0, -1)) : hex(content);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
