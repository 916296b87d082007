/**
 * Netlink messages as bytes (netlink(7), linux/netlink.h): a header of 16 bytes, a family's own header, then attributes, each
 * a length and a type and padded to 4. Numbers are in the order of the machine, which is little-endian wherever Galley runs.
 */

/** nlmsghdr flags. */
export const NLM = { request: 1, ack: 4, exclusive: 0x200, create: 0x400, append: 0x800 } as const;
/** A request that is answered, one that makes something new, and one that makes it where it is missing. */
export const ASK = NLM.request | NLM.ack;
export const MAKE = ASK | NLM.create | NLM.exclusive;
export const ENSURE = ASK | NLM.create;

/** socket(2) protocols of AF_NETLINK. */
export const netlinkProtocol = { route: 0, netfilter: 12 } as const;

const NESTED = 0x8000;
const HEADER = 16;

/** Collects messages in one buffer. Offsets that it returns are those of the finished bytes, as a recipe's fixups count them. */
export class MessageWriter {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** One message; `body` writes the family's header and the attributes. */
  message(type: number, flags: number, body: () => void): this {
    const start = this.#length;
    this.#grow(HEADER);
    this.#view.setUint16(start + 4, type, true);
    this.#view.setUint16(start + 6, flags, true);
    body();
    this.#view.setUint32(start, this.#length - start, true);
    return this;
  }

  /** Bytes as they are, such as a family's header; padded to 4. Returns where they start. */
  raw(content: Uint8Array): number {
    const start = this.#grow((content.length + 3) & ~3);
    this.#bytes.set(content, start);
    return start;
  }

  /** An attribute of bytes. Returns where its content starts. */
  bytes(type: number, content: Uint8Array): number {
    this.#head(type, content.length);
    return this.raw(content);
  }

  u8(type: number, value: number): number {
    return this.bytes(type, Uint8Array.of(value));
  }

  /** A number in the machine's order, as rtnetlink has them. */
  u32(type: number, value: number): number {
    this.#head(type, 4);
    const start = this.#grow(4);
    this.#view.setUint32(start, value >>> 0, true);
    return start;
  }

  /** A number in network order, as netfilter has them. */
  be32(type: number, value: number): number {
    this.#head(type, 4);
    const start = this.#grow(4);
    this.#view.setUint32(start, value >>> 0, false);
    return start;
  }

  be16(type: number, value: number): number {
    return this.bytes(type, Uint8Array.of(value >>> 8, value));
  }

  /** A NUL-terminated string. */
  text(type: number, value: string): number {
    return this.bytes(type, Buffer.from(`${value}\0`));
  }

  /** An attribute whose content is attributes. */
  nest(type: number, body: () => void): this {
    return this.#around(type | NESTED, body);
  }

  /** As {@link nest}, for content that begins with a header: VETH_INFO_PEER. */
  around(type: number, body: () => void): this {
    return this.#around(type, body);
  }

  /** A copy of everything written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #around(type: number, body: () => void): this {
    const start = this.#length;
    this.#head(type, 0);
    body();
    this.#view.setUint16(start, this.#length - start, true);
    return this;
  }

  #head(type: number, size: number): void {
    const start = this.#grow(4);
    this.#view.setUint16(start, 4 + size, true);
    this.#view.setUint16(start + 2, type, true);
  }

  /** Takes room, which is zero; returns where it starts. */
  #grow(size: number): number {
    const start = this.#length;
    this.#length += size;
    if (this.#length > this.#bytes.length) this.#enlarge();
    return start;
  }

  #enlarge(): void {
    const larger = new Uint8Array(this.#length * 2);
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
