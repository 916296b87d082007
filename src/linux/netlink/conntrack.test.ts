import { expect, test } from "bun:test";
import { forgetAnswersOf, forgetConnectionsTo } from "./conntrack.ts";
import { describeMessages } from "./describe.ts";
import { MessageWriter } from "./message.ts";

test("deletions name what they compare, and never everything", () => {
  const writer = new MessageWriter();
  forgetAnswersOf(writer, 0x0abb0002, 17);
  forgetConnectionsTo(writer, 53, 17);
  expect(describeMessages(12, writer.finish()).split("\n")).toEqual([
    "message 0x102 flags 0x5 02000000",
    "  2:",
    "    1:",
    "      1 0abb0002",
    "    2:",
    "      1 11",
    "  25:",
    "    2 09000000",
    "message 0x102 flags 0x5 02000000",
    "  1:",
    "    2:",
    "      1 11",
    "      3 0035",
    "  25:",
    "    1 28000000",
  ]);
});
