import { expect, test } from "bun:test";
import { parseTlsDetails } from "./tls-details.ts";

const parsed = (yaml: string) => parseTlsDetails(Bun.YAML.parse(yaml), "details.yaml");

test("versions, suites and groups are told in the words of the program that uses them", () => {
  expect(parsed('minVersion: "1.2"')).toEqual({ minVersion: 0x303 });
  expect(parsed("minVersion: 1.0")).toEqual({ minVersion: 0x301 });
  expect(parsed("namedGroups: [secp384r1, x25519, X25519MLKEM768]")).toEqual({
    ecdhCurve: "P-384:X25519:X25519MLKEM768",
  });
  const [first, second] = ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "TLS_RSA_WITH_AES_256_CBC_SHA"];
  expect(parsed(`cipherSuites: [${first}, TLS_AES_128_GCM_SHA256, ${second}, TLS_RSA_WITH_RC4_128_SHA]`)).toEqual({
    ciphers: `${first}:${second}`,
  });
});

test("nothing said is nothing chosen, but no suite is none", () => {
  for (const yaml of ["", "{}", "minVersion:", 'minVersion: ""', "namedGroups: []", "cipherSuites:"]) {
    expect(parsed(yaml)).toEqual({});
  }
  expect(parsed("cipherSuites: []")).toEqual({ ciphers: "" });
  expect(parsed("cipherSuites: [TLS_AES_128_GCM_SHA256]")).toEqual({ ciphers: "" });
});

test("what is not known is refused by name", () => {
  for (const [yaml, why] of [
    ["minVersion: '1.4'", 'unrecognized TLS minimum version "1.4"'],
    ["minVersion: TLS12", 'unrecognized TLS minimum version "TLS12"'],
    ["minVersion: [1]", "unrecognized TLS minimum version [1]"],
    ["cipherSuites: [ECDHE-RSA-AES128-GCM-SHA256]", 'unrecognized TLS cipher suite "ECDHE-RSA-AES128-GCM-SHA256"'],
    ["cipherSuites: x", "the cipher suites are not a list"],
    ["namedGroups: [P-256]", 'unrecognized TLS named group "P-256"'],
    ["namedGroups: [toString]", 'unrecognized TLS named group "toString"'],
    ["maxVersion: '1.2'", "field maxVersion is not known"],
    ["[a]", "it is not a map"],
    ["text", "it is not a map"],
  ] as const) {
    expect(() => parsed(yaml)).toThrow(why);
  }
});
