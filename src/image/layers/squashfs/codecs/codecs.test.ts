import { describe, expect, test } from "bun:test";
import { inflateSync } from "node:zlib";
import { type Unpack, unpackerOf } from "../compressors.ts";

/** The same text, as mksquashfs 4.5.1 packs it with each compressor, and xz 5.4.1 with the filter for x86. */
const packed = {
  gzip:
    "eNrtUkESwiAMvPMKPuCjYi2WsdJR6sHfmyWB0Kp3DzJtSUjYbDbNtwflKWQfs6d08jM9x7tfQvG9wxavdB5hDEtaKSaOkz/Oy3ApN3JF" +
    "MCMGzkCsvH6dRkYS5JZUD5CCBFyyAk6rSs6mtlTe+4QkYFQs7NUuvVhnBdkAlIdRE0SnvMWDXakyHMPAY0sP2mWOuDd2Ef2CiYrAliE0" +
    "iXHseoVi5aIoMojyxWxI7dYTuEiFPYGqxr53KW9+p5gS/DDo77PoGeoPZcF2H0WaLmKYLpa/BH0kWFugNgcnuhYZ+5LWsohe3u1wOXj4" +
    "r59aYzq9AN+yUP4=",
  lzma:
    "XQAAAgCNBAAAAAAAAAA5nEsCCGgtHDkiVe9WlqusHhp1tPb0ym2yJJioqi+h6bKyiCxom4hpIYIrxLEZunw/NbewPX5UxY4xU5cPv8a1" +
    "rKIu53lpvFCG2m5cZ3dSjOIxVPLq6m+Bp2vg34/mAMHlukjSSxPpqErz7r2XHva8dZGqSkNQk8Fbk1ZWTgvEfDRPTwzW7V1TUp8dpxLO" +
    "YtONtuUHKit0qLXUg9wd+6WWauC5+2vjF3JvfY0Lv1XSybIrvafJXb0yP13nd7/XIinE4DviruVTKIrBtdOFVEO53Zmd6ZpWgoJlcXo9" +
    "LtJgFDMCZ5yDIkmr2yk9YLAJpq7ps8n5PRpP",
  lzo:
    "KXNxdWFzaGZzIGlzIGFuZCBsYXllciBvZp4BIAp4AAJpbWFnZWABDmNvbnRhaW5lciBhIGJsb2NrhAYnBAEoIgBpZkQEbAOPACB0aAkP" +
    "CsQLJ5AA4AJoBGAEcAYogQEK1A6sBCvsAaQPLj0AYXAEbAjsCXwA7AGMGShkA4QLKAAB3BAoaAKlCgrcFrQBbAHoFVgJWAh0AUQBwAIn" +
    "8ABFAwovdQJpfB1kEdAgRAEoBAEniAV5AgoqhQRp7BHUCKAxlABtM2HMASdMA2wRpAwuAAL0IS7sA7gPKDwAKcQEwBQxoAc4LAYqhALA" +
    "SihwACf8AHAMJ1wEoAEoXAQovgBvZsgAsAPpGGEnHQYKvCqYKCrIASjIA7AujAAscAdRAy0gAG8DAGVuZBEAAA==",
  xz:
    "/Td6WFoAAAFpIt42AgEEACEBHACHbtrl4ASMAPJdADmcSwIIaC0cOSJV71aWq6weGnW09vTKbbIkmKiqL6HpsrKILGibiGkhgivEsRm6" +
    "fD81t7A9flTFjjFTlw+/xrWsoi7neWm8UIbablxnd1KM4jFU8urqb4Gna+Dfj+YAweW6SNJLE+moSvPuvZce9rx1kapKQ1CTwVuTVlZO" +
    "C8R8NE9PDNbtXVNSnx2nEs5i04225QcqK3SotdSD3B37pZZq4Ln7a+MXcm99jQu/VdLJsiu9p8ldvTI/Xed3v9ciKcTgO+Ku5VMoisG1" +
    "04VUQ7ndmZ3pmlaCgmVxej0u0mAUMwJnnIMiSavbKVO1O46luLwAAAAAgQ8cQwABigKNCQAAauVcFj4wDYsCAAAAAAFZWg==",
  lz4:
    "8QlzcXVhc2hmcyBpcyBhbmQgbGF5ZXIgb2YQACAgCgcAUGltYWdlCQDxAmNvbnRhaW5lciBhIGJsb2NrMgAFQgAGCQBBaWYgYRwAAFIA" +
    "c2EgdGhlIApaAAUlAAQRAAAjAAAhADdzaWZhABMKdgACjwAJfAACegAGKwACEAAQYaEAAEQABEwAAAgAAAQAABQAANwAA4AAANoAAdAA" +
    "BkEAAmQAFmGbAAJSABMKuAACDgAASwAEqwAgaXMhAQAOACFpcyUAF2n9AEdvZiAKyQACPgAQafAAAIoAAmwAAAoABkIABWMBABcAFgqH" +
    "AAF9AQJAAAIGAAITAQIGAFNhIAogYcsABdQAAKUAAmIABt4AAjsAABoAAAQAAj0ABh4AAHwACF0BACQAAIcABuMAAkAAAO0ABSABBj8A" +
    "Ah0ABhAAAl8AAwYAAlECBh0ABUAAAGUAAjoABeEAArYAAHoABjAAEW8lARRvNQEANgAABAACWgIACgABIQERCmkCCXMAAlwAAiIAAFMA" +
    "AQQABOgCBR0AHy0BAP97UC0tZW5k",
};
const text = inflateSync(Buffer.from(packed.gzip, "base64"));

const codecs: Readonly<Record<Exclude<keyof typeof packed, "gzip">, number>> = { lzma: 2, lzo: 3, xz: 4, lz4: 5 };

/** What comes out, or why nothing does. */
function tried(unpack: Unpack, input: Uint8Array, most: number): Buffer | string {
  try {
    return unpack(input, most);
  } catch (failure) {
    return (failure as Error).message;
  }
}

for (const [name, number] of Object.entries(codecs)) {
  describe(`a block of ${name}`, () => {
    const unpack = unpackerOf(number);
    const whole = Buffer.from(packed[name as keyof typeof codecs], "base64");

    test("is unpacked, where there is just as much room or more", () => {
      expect(unpack(whole, text.length).toString()).toBe(text.toString());
      expect(unpack(whole, 1 << 20).toString()).toBe(text.toString());
    });

    test("is refused where there is less room, whatever its beginning says", () => {
      for (const most of [0, 1, 100, text.length - 1]) expect(tried(unpack, whole, most)).toContain("larger than");
    });

    test("is refused or shorter when it is cut short, at any place", () => {
      for (let length = 0; length < whole.length; length++) {
        const result = tried(unpack, whole.subarray(0, length), text.length);
        if (typeof result === "string") expect(result).toMatch(/ends too early|begin|check sum/);
        else expect(text.subarray(0, result.length).equals(result)).toBeTrue();
      }
    });

    test("is refused or has something else in it, and no more than it may, with any byte changed", () => {
      for (let at = 0; at < whole.length; at++) {
        for (const byte of [0, 1, 0x7f, 0x80, 0xff]) {
          const changed = Buffer.from(whole);
          changed[at] = byte;
          const result = tried(unpack, changed, text.length);
          if (typeof result === "string") expect(result).not.toBe("");
          else expect(result.length).toBeLessThanOrEqual(text.length);
        }
      }
    });
  });
}

/** An xz stream of chunks as they are, of which only the check sum of the content is right. */
function xzOf(chunks: readonly Uint8Array[], content: Uint8Array): Buffer {
  const parts = chunks.map((chunk, index) => {
    const size = chunk.length - 1;
    return Buffer.concat([Buffer.of(index === 0 ? 1 : 2, size >> 8, size & 0xff), chunk]);
  });
  const data = Buffer.concat([...parts, Buffer.of(0)]);
  const sum = Buffer.alloc(4);
  sum.writeUInt32LE(Bun.hash.crc32(content));
  const header = Buffer.from("fd377a585a00000100000000020021011600000000000000", "hex");
  return Buffer.concat([header, data, Buffer.alloc((4 - (data.length % 4)) % 4), sum]);
}

describe("a block of xz", () => {
  const unpack = unpackerOf(codecs.xz);
  test("may hold bytes as they are", () => {
    const stream = xzOf([text.subarray(0, 1000), text.subarray(1000)], text);
    expect(unpack(stream, text.length).equals(text)).toBeTrue();
  });

  test("is refused with a wrong check sum, filters that are not read, and chunks of no kind", () => {
    expect(tried(unpack, xzOf([text], text.subarray(1)), text.length)).toBe("its check sum is wrong");
    const arm = Buffer.from(packed.xz, "base64");
    arm[arm.indexOf(Buffer.of(4, 0, 0x21))] = 7;
    expect(tried(unpack, arm, text.length)).toContain("xz and its filter arm");
    const chunk = xzOf([text], text);
    chunk[24] = 3;
    expect(tried(unpack, chunk, text.length)).toBe("it has a chunk of the unknown kind 3");
  });
});

test("a compressor of another number is not known", () => {
  expect(() => unpackerOf(7)).toThrow("compressor 7, which is not known");
});
