import { expect, test } from "bun:test";
import { GalleyError } from "../../errors.ts";
import { inspectRenderer } from "./inspect-render.ts";

const document = {
  Id: "5d7e",
  State: { Status: "running", Pid: 7 },
  HostConfig: { Binds: null, MemorySwappiness: null, LogConfig: { Type: "json-file", Config: {} } },
  Config: { Env: ["A=b"], Labels: { "a.b": "c" }, Volumes: null },
  NetworkSettings: {
    Ports: { "70/tcp": null, "80/tcp": [{ HostIp: "0.0.0.0", HostPort: "8080" }] },
    Networks: { bridge: { IPAddress: "172.17.0.2" } },
  },
  Mounts: [],
};

function render(format: string): string {
  const renderer = inspectRenderer(format);
  renderer.add(document);
  return renderer.text();
}

const cases: readonly (readonly [string, string])[] = [
  ["{{.State.Status}} {{.State.Pid}}", "running 7"],
  ["{{.State}}", "{running 7}"],
  ["{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}", "none"],
  ["{{.HostConfig.Binds}} {{.HostConfig.MemorySwappiness}} {{.Config.Volumes}}", "[] <nil> map[]"],
  ["{{.NetworkSettings.Ports}}", "map[70/tcp:[] 80/tcp:[{0.0.0.0 8080}]]"],
  ["{{json .HostConfig}}", '{"Binds":null,"MemorySwappiness":null,"LogConfig":{"Type":"json-file","Config":{}}}'],
  ['{{index .Config.Labels "a.b"}}|{{index .Config.Labels "z"}}|', "c||"],
  ["{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", "172.17.0.2"],
  ["{{.NetworkSettings.Networks.none.IPAddress}}", "<no value>"],
  ["{{.HostConfig.LogConfig}}", "{json-file map[]}"],
];

for (const [format, text] of cases) test(format, () => expect(render(format)).toBe(`${text}\n`));

test("indented and compact JSON", () => {
  expect(render("")).toBe(`${JSON.stringify([document], undefined, 4)}\n`);
  expect(render("json")).toBe(`${JSON.stringify([document])}\n`);
});

test("nothing found", () => {
  expect(inspectRenderer("").text()).toBe("[]\n");
  expect(inspectRenderer("{{.Id}}").text()).toBe("\n");
});

test("a template that cannot be read ends with 64", () => {
  const failure = (() => {
    try {
      inspectRenderer("{{.Id");
    } catch (thrown) {
      return thrown;
    }
    return undefined;
  })();
  expect(failure).toBeInstanceOf(GalleyError);
  expect((failure as GalleyError).exitStatus).toBe(64);
});
