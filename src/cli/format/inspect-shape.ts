import { GoMap, GoStruct, Nil, type Value } from "./template/values.ts";

/**
 * Which fields of inspect documents are maps or lists in docker's types, and which of them its JSON leaves out: a template has
 * to treat them so, and JSON alone does not tell. By name, or by parent and name where one name is both.
 */
const mapFields: Readonly<Record<string, Value>> = {
  Annotations: "",
  Data: "",
  DriverOpts: "",
  ExposedPorts: new GoStruct(new Map()),
  GlobalIPv6: "",
  Labels: "",
  "LogConfig.Config": "",
  Networks: new Nil("pointer"),
  Options: "",
  PortBindings: new Nil("list"),
  Ports: new Nil("list"),
  StorageOpt: "",
  Sysctls: "",
  Tmpfs: "",
  Volumes: new GoStruct(new Map()),
};

const listFields = new Set(
  `Args Binds BlkioDeviceReadBps BlkioDeviceReadIOps BlkioDeviceWriteBps BlkioDeviceWriteIOps BlkioWeightDevice CapAdd CapDrop
  Cmd ConsoleSize DNSNames DeviceCgroupRules DeviceRequests Devices Dns DnsOptions DnsSearch Entrypoint Env ExecIDs ExtraHosts
  GroupAdd Layers Links Aliases MaskedPaths Mounts OnBuild ReadonlyPaths RepoDigests RepoTags SecondaryIPAddresses
  SecondaryIPv6Addresses SecurityOpt Shell Test Ulimits VolumesFrom Log`.split(/\s+/),
);

/** Fields that JSON leaves out while they are empty, by their parent; the document itself is "". */
const optionalFields: Readonly<Record<string, Readonly<Record<string, Value>>>> = {
  "": {
    SizeRw: new Nil("pointer"),
    SizeRootFs: new Nil("pointer"),
    Comment: "",
    Author: "",
    Container: "",
    Variant: "",
  },
  State: { Health: new Nil("pointer") },
  Config: {
    Healthcheck: new Nil("pointer"),
    StopSignal: "",
    StopTimeout: new Nil("pointer"),
    Shell: new Nil("list"),
    MacAddress: "",
    NetworkDisabled: false,
    ArgsEscaped: false,
    ExposedPorts: new Nil("map"),
    Labels: new Nil("map"),
    Volumes: new Nil("map"),
  },
  HostConfig: {
    Init: new Nil("pointer"),
    Sysctls: new Nil("map"),
    Tmpfs: new Nil("map"),
    Mounts: new Nil("list"),
    Annotations: new Nil("map"),
    StorageOpt: new Nil("map"),
    DeviceRequests: new Nil("list"),
  },
  Mounts: { Name: "", Driver: "" },
};

/** An inspect document as a template sees it. */
export function shapeDocument(document: unknown, parent = ""): Value {
  if (Array.isArray(document)) return document.map((one) => shapeDocument(one, parent));
  if (typeof document !== "object" || document === null) return shapeScalar(document);
  const fields = Object.entries(document).map(([name, value]) => [name, shapeField(parent, name, value)] as const);
  const known = new Map(fields);
  const absent = Object.entries(optionalFields[parent] ?? {}).filter(([name]) => !known.has(name));
  return new GoStruct(known, new Map(absent));
}

function shapeField(parent: string, name: string, value: unknown): Value {
  const zero = mapFields[`${parent}.${name}`] ?? mapFields[name];
  if (value === null) return new Nil(zero !== undefined ? "map" : listFields.has(name) ? "list" : "pointer");
  if (zero === undefined || typeof value !== "object" || Array.isArray(value)) return shapeDocument(value, name);
  const entries = Object.entries(value).map(([key, one]) => [key, shapeEntry(zero, one, name)] as const);
  return new GoMap(new Map(entries), zero);
}

/** null in a map is the nil of what the map holds. */
function shapeEntry(zero: Value, value: unknown, name: string): Value {
  if (value === null) return zero instanceof Nil ? zero : new Nil("pointer");
  return shapeDocument(value, name === "Networks" ? "Network" : "");
}

function shapeScalar(value: unknown): Value {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  return new Nil("pointer");
}
