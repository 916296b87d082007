import { expect, test } from "bun:test";
import { step } from "../recipe/recipe.ts";
import { describeFailure, isMissingNetwork, isTakenElsewhere } from "./failures.ts";

const socket = Uint8Array.of(2, 0, 0x1f, 0x90, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
const reserve = (type: number) => step("reserve_port", [type, socket], { cause: "publish" });
const netlink = (protocol: number) =>
  step("netlink", [protocol, new Uint8Array(16), { kind: "none" }], { cause: "bridge" });

test("a port that the host uses is told in docker's words", () => {
  const failure = describeFailure({ step: reserve(1), errno: 98 }, "web (abc)");
  expect(failure?.message).toBe(
    "driver failed programming external connectivity on endpoint web (abc): Bind for 0.0.0.0:8080 failed: port is already allocated",
  );
  expect(failure?.code).toBe("already_exists");
  expect(describeFailure({ step: reserve(2), errno: 99 }, "web")?.describe()).toContain(
    "failed to bind host port 0.0.0.0:8080/udp",
  );
  expect(describeFailure({ step: netlink(0), errno: 12 }, "web")?.describe()).toContain("ENOMEM");
  expect(describeFailure({ step: step("setsid", [], { cause: "x" }), errno: 1 }, "web")).toBeUndefined();
});

test("failures that another attempt can mend are told apart", () => {
  expect([2, 19, 17].map((errno) => isMissingNetwork({ op: "netlink", errno }))).toEqual([true, true, false]);
  expect(isMissingNetwork({ op: "openat", errno: 2 })).toBe(false);
  expect(isTakenElsewhere({ step: netlink(0), errno: 17 })).toBe("address");
  expect(isTakenElsewhere({ step: netlink(12), errno: 16 })).toBe("port");
  expect(isTakenElsewhere({ step: netlink(12), errno: 2 })).toBeUndefined();
  expect(isTakenElsewhere({ step: reserve(1), errno: 98 })).toBeUndefined();
});
