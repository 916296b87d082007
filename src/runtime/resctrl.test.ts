import { expect, test } from "bun:test";
import type { ResctrlGroup } from "../linux/resctrl/group.ts";
import type { Step } from "../recipe/recipe.ts";
import { compileRestore } from "./compile-restore.ts";
import { compileResctrl } from "./resctrl.ts";
import { configWith } from "./sample.ts";

const shown = (steps: readonly Step[] = []) =>
  steps.map(({ op, args }) =>
    `${op} ${args.filter((one) => typeof one === "string" && one !== "cwd").join(" ")}`.trim(),
  );

const group: ResctrlGroup = { group: "/r/c", monitor: "/r/c/mon_groups/c", isNew: true, isOwn: true, lines: [] };

test("a group that is the container's alone goes, after the one that counts for it; any other stays", () => {
  const both = ["unlinkat /r/c/mon_groups/c", "unlinkat /r/c"];
  expect(shown(compileResctrl(group).cleanup)).toEqual(both);
  expect(shown(compileResctrl({ ...group, isOwn: false }).cleanup)).toEqual(both.slice(0, 1));
  expect(shown(compileResctrl({ ...group, isNew: false }).before)).toEqual(["mkdirat /r/c/mon_groups/c"]);
});

test("CRIU is in the groups before it restores anything", () => {
  const places = {
    rootfs: "/b/rootfs",
    mountPoint: "/s/root",
    places: [],
    criu: "/sbin/criu",
    identity: "/s/identity",
  };
  const { sections } = compileRestore({ config: configWith({}), resctrl: group, ...places });
  const outside = shown(sections.outside);
  const order = ["mkdirat /r/c", "clone", "write_pid /r/c/tasks", "write_pid /r/c/mon_groups/c/tasks", "signal"];
  const at = order.map((start) => outside.findIndex((one) => one.startsWith(start)));
  expect(at).not.toContain(-1);
  expect(at).toEqual(at.toSorted((one, other) => one - other));
  expect(shown(sections.cleanup)).toContain("unlinkat /r/c");
});
