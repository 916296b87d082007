import { describe, expect, test } from "bun:test";
import { hostnameFile, hostsFile, resolvConf, servesItself } from "./files.ts";

describe("resolv.conf", () => {
  const host =
    "# made by hand\nnameserver 127.0.0.1\nnameserver 10.0.0.53 # main\nnameserver fe80::1\ndomain old\nsearch corp lab\noptions edns0\noptions trust-ad ndots:2\n";

  test("is the host's without what the container cannot reach", () => {
    expect(resolvConf(host)).toBe("nameserver 10.0.0.53\nsearch corp lab\noptions edns0 trust-ad ndots:2\n");
  });

  test("is replaced part by part", () => {
    expect(resolvConf(host, { servers: ["9.9.9.9", "::1"] })).toBe(
      "nameserver 9.9.9.9\nnameserver ::1\nsearch corp lab\noptions edns0 trust-ad ndots:2\n",
    );
    expect(resolvConf(host, { search: ["a", "b"], options: ["rotate"] })).toBe(
      "nameserver 10.0.0.53\nsearch a b\noptions rotate\n",
    );
    expect(resolvConf(host, { search: ["."], servers: [], options: [] })).toBe(
      "nameserver 10.0.0.53\noptions edns0 trust-ad ndots:2\n",
    );
  });

  test("falls back to public servers, but not in the host's network", () => {
    expect(resolvConf("nameserver 127.0.0.53\nsearch x")).toBe("nameserver 8.8.8.8\nnameserver 8.8.4.4\nsearch x\n");
    expect(resolvConf("")).toBe("nameserver 8.8.8.8\nnameserver 8.8.4.4\n");
    expect(resolvConf("nameserver 127.0.0.53", {}, true)).toBe("nameserver 127.0.0.53\n");
    expect(resolvConf("", {}, true)).toBe("");
  });

  test("of systemd-resolved is recognised", () => {
    expect(servesItself("nameserver 127.0.0.53\noptions edns0\n")).toBe(true);
    expect(servesItself(host)).toBe(false);
    expect(servesItself("")).toBe(false);
  });
});

describe("hosts", () => {
  const request = { hostname: "box", addresses: ["10.187.0.2"], extra: [], gateway: "10.187.0.1" };
  const tail = (changes: object) =>
    hostsFile({ ...request, ...changes })
      .split("\n")
      .slice(6)
      .join("\n");

  test("names localhost, what was added, and the container", () => {
    expect(hostsFile(request).split("\n")[0]).toBe("127.0.0.1\tlocalhost");
    expect(tail({})).toBe("10.187.0.2\tbox\n");
    expect(tail({ domainname: "corp" })).toBe("10.187.0.2\tbox.corp\tbox\n");
    expect(tail({ addresses: [] })).toBe("");
    const extra = ["db:10.0.0.7", "up:host-gateway", "six:[fd00::7]", "bare:fd00::8", "eq=10.0.0.9"];
    expect(tail({ extra })).toBe(
      "10.0.0.7\tdb\n10.187.0.1\tup\nfd00::7\tsix\nfd00::8\tbare\n10.0.0.9\teq\n10.187.0.2\tbox\n",
    );
  });
});

test("hostname is one line", () => {
  expect(hostnameFile("box")).toBe("box\n");
});
