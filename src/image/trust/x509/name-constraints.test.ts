import { describe, expect, test } from "bun:test";
import { checkNames } from "./name-constraints.ts";

const none = { emails: [], hosts: [], uris: [], addresses: [] };
const constraints = { permitted: { ...none, uris: ["example.com"] }, excluded: none, understood: true };

describe("names of kinds that nothing constrains", () => {
  test("are accepted", () => {
    const names = { ...none, emails: ["a.b@example.org"], hosts: ["*.example.org", "localhost"] };
    expect(() => checkNames(constraints, names)).not.toThrow();
  });

  for (const names of [
    { ...none, emails: ["nobody"] },
    { ...none, emails: ['"a@b"@example.org'] },
    { ...none, emails: ["a@example..org"] },
    { ...none, hosts: ["a..b"] },
    { ...none, hosts: ["a b"] },
  ])
    test(`are refused where they cannot be read: ${[...names.emails, ...names.hosts]}`, () =>
      expect(() => checkNames(constraints, names)).toThrow("x509: cannot parse"));
});
