import { expect, test } from "bun:test";
import { parseChallenges } from "./challenge.ts";

const cases: readonly (readonly [string, ReturnType<typeof parseChallenges>])[] = [
  ["", []],
  ["Basic", [{ scheme: "basic", parameters: {} }]],
  ['Basic realm="a b"', [{ scheme: "basic", parameters: { realm: "a b" } }]],
  [
    'Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push"',
    [
      {
        scheme: "bearer",
        parameters: {
          realm: "https://auth.example/token",
          service: "registry.example",
          scope: "repository:a/b:pull,push",
        },
      },
    ],
  ],
  ['bearer  Realm = x , ERROR="say \\"no\\""', [{ scheme: "bearer", parameters: { realm: "x", error: 'say "no"' } }]],
  [
    'Basic realm="one", Bearer realm="two",service=s',
    [
      { scheme: "basic", parameters: { realm: "one" } },
      { scheme: "bearer", parameters: { realm: "two", service: "s" } },
    ],
  ],
  [
    "Negotiate, Basic realm=x",
    [
      { scheme: "negotiate", parameters: {} },
      { scheme: "basic", parameters: { realm: "x" } },
    ],
  ],
  ['realm="of nobody"', []],
  ['Bearer realm="never closed', [{ scheme: "bearer", parameters: { realm: "" } }]],
];

for (const [header, challenges] of cases) {
  test(JSON.stringify(header), () =>
    expect(parseChallenges(header).slice(0, challenges.length)).toEqual([...challenges]),
  );
}
