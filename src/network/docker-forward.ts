/**
 * docker makes the policy of iptables' FORWARD chain `drop`, which no other table can lift. Where docker is, Galley appends a jump
 * to that chain for its own bridge: after every rule that docker and the administrator have there, in place of the policy alone.
 */
import { MessageWriter } from "../linux/netlink/message.ts";
import { compare, decide, interfaceBytes, loadMeta } from "../linux/nftables/expression.ts";
import { TableWriter } from "../linux/nftables/message.ts";
import { BRIDGE } from "./names.ts";

/** iptables-nft keeps its tables and chains under iptables' own names. */
const TABLE = "filter";
const FORWARD = "FORWARD";
const DOCKER = "DOCKER-USER";
const OURS = "GALLEY-FORWARD";

/** Fails with ENOENT where docker has no chains. */
export function dockerCheckMessages(): Uint8Array {
  const table = new TableWriter(new MessageWriter(), TABLE);
  table.checkChain(DOCKER);
  return table.writer.finish();
}

/**
 * One transaction that makes chain and jump. A chain that something jumps to cannot be deleted: EBUSY says that all is there, and
 * a jump that iptables -F has taken away is made again.
 */
export function dockerForwardMessages(): Uint8Array {
  const table = new TableWriter(new MessageWriter(), TABLE);
  table.batch(() => {
    table.ensureChain(OURS);
    table.deleteChain(OURS);
    table.ensureChain(OURS);
    for (const key of ["inputName", "outputName"] as const) {
      table.rule(OURS, [loadMeta(key, 0), compare(0, "equal", interfaceBytes(BRIDGE)), decide({ kind: "accept" })]);
    }
    table.rule(FORWARD, [decide({ kind: "jump", chain: OURS })]);
  });
  return table.writer.finish();
}
