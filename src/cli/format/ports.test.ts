import { expect, test } from "bun:test";
import { describePorts, type ListedPort } from "./ports.ts";

function published(hostAddress: string, hostPort: number, containerPort: number, protocol = "tcp"): ListedPort {
  return { hostAddress, hostPort, containerPort, protocol };
}

test("as docker lists them", () => {
  const ports = [
    published("0.0.0.0", 8080, 80),
    published("::", 8080, 80),
    published("0.0.0.0", 8081, 81, "udp"),
    published("::", 8081, 81, "udp"),
    ...[9002, 9000, 9001].map((port) => published("127.0.0.1", port, port)),
    { containerPort: 70, protocol: "tcp" },
  ];
  expect(describePorts(ports)).toBe(
    "70/tcp, 127.0.0.1:9000-9002->9000-9002/tcp, 0.0.0.0:8080->80/tcp, [::]:8080->80/tcp, 0.0.0.0:8081->81/udp, [::]:8081->81/udp",
  );
});

test("a gap ends a range", () => {
  const exposed = [1, 2, 3, 5].map((containerPort) => ({ containerPort, protocol: "tcp" }));
  expect(describePorts(exposed)).toBe("1-3/tcp, 5/tcp");
});

test("protocols do not share a range", () => {
  expect(describePorts([published("10.0.0.1", 53, 53), published("10.0.0.1", 53, 53, "udp")])).toBe(
    "10.0.0.1:53->53/tcp, 10.0.0.1:53->53/udp",
  );
});

test("none", () => expect(describePorts([])).toBe(""));
