import { describe, expect, test } from "bun:test";
import { GalleyError } from "../../errors.ts";
import type { Container, ContainerFilters } from "../types.ts";
import { selectContainers } from "./select.ts";
import { testContainer } from "./test-parts.ts";

const at = (second: number) => `2026-01-01T00:00:0${second}.000000000Z`;
const port = { containerPort: 80, protocol: "tcp" as const, hostAddress: "0.0.0.0", hostPort: 8080 };
const containers: readonly Container[] = [
  testContainer({ name: "plain", id: "888e".padEnd(64, "0"), created: at(1) }, { labels: { l: "m", x: "" } }),
  testContainer(
    {
      name: "web",
      id: "1234".padEnd(64, "0"),
      created: at(3),
      network: { mode: "bridge", ports: [port] },
      resolved: {
        ...testContainer().resolved,
        volumes: [{ name: "named", source: "/v/named", target: "/vol", type: "volume", readonly: false }],
      },
    },
    { exposed: ["99/udp"], labels: { l: "n" } },
  ),
  testContainer({
    name: "ended",
    id: "77".padEnd(64, "0"),
    created: at(2),
    state: "exited",
    exitCode: 3,
    imageId: "sha256:2",
  }),
  testContainer({
    name: "new",
    id: "66".padEnd(64, "0"),
    created: at(4),
    state: "created",
    startedAt: "0001-01-01T00:00:00Z",
    network: { mode: "host", ports: [] },
  }),
];

const facts = {
  find(name: string) {
    const found = containers.find((container) => container.name === name);
    if (found === undefined) throw new GalleyError("not_found", `No such container: ${name}`);
    return found;
  },
  descendants: (reference: string) => new Set(reference === "busybox" ? ["sha256:1"] : []),
};

const select = (options: ContainerFilters) => selectContainers(containers, options, facts).map(({ name }) => name);
const filter = (key: string, ...values: readonly string[]) => select({ all: true, filters: { [key]: values } });

describe("containers are chosen", () => {
  test("running ones, newest first, unless more is asked for", () => {
    expect(select({})).toEqual(["web", "plain"]);
    expect(select({ all: true })).toEqual(["new", "web", "ended", "plain"]);
    expect(select({ last: 3 })).toEqual(["new", "web", "ended"]);
    expect(select({ filters: { status: ["exited"] } })).toEqual(["ended"]);
  });

  const cases: readonly (readonly [key: string, value: string, names: readonly string[]])[] = [
    ["name", "pl", ["plain"]],
    ["name", "^/plain$", ["plain"]],
    ["name", "^web$", ["web"]],
    ["id", "888e", ["plain"]],
    ["label", "l", ["web", "plain"]],
    ["label", "l=m", ["plain"]],
    ["exited", "3", ["ended"]],
    ["exited", "0", []],
    ["ancestor", "busybox", ["new", "web", "plain"]],
    ["ancestor", "nope", []],
    ["volume", "named", ["web"]],
    ["volume", "/vol", ["web"]],
    ["network", "host", ["new"]],
    ["publish", "8080", ["web"]],
    ["publish", "8000-9000/tcp", ["web"]],
    ["publish", "80", []],
    ["expose", "80", ["web"]],
    ["expose", "99/udp", ["web"]],
    ["before", "web", ["ended", "plain"]],
    ["since", "ended", ["new", "web"]],
    ["health", "none", ["new", "web", "ended", "plain"]],
    ["health", "healthy", []],
    ["is-task", "true", []],
  ];
  test.each(cases)("by %s=%s", (key, value, names) => expect(filter(key, value)).toEqual([...names]));

  test("by every label and any other value", () => {
    expect(filter("label", "l", "x")).toEqual(["plain"]);
    expect(filter("name", "web", "plain")).toEqual(["web", "plain"]);
  });
});

test.each([
  [
    "status",
    "foo",
    "invalid filter 'status=foo': invalid value for state (foo): must be one of created, running, paused",
  ],
  ["health", "foo", "invalid filter 'health=foo': invalid value for health (foo): must be one of none, starting"],
  ["exited", "x", "invalid filter 'exited=x'"],
  ["is-task", "foo", "invalid filter 'is-task=[foo]'"],
  ["bogus", "1", "invalid filter 'bogus'"],
  ["publish", "x", "invalid filter 'publish=x'"],
  ["since", "nope", "No such container: nope"],
])("%s=%s is refused", (key, value, message) => expect(() => filter(key, value)).toThrow(message));
