import { namesPlace } from "../../image/transports/place-name.ts";
import { defineCommand } from "../command.ts";
import { bool, string } from "../flags/kinds.ts";
import { Flags, inspectFlags } from "../places/flags.ts";
import { inspectAll, objectLookup, objectTypes } from "../shared/inspect.ts";
import { documentFormat } from "../shared/list-flags.ts";
import { UsageError } from "../usage-error.ts";

export const command = defineCommand({
  usage: "[OPTIONS] NAME|ID|TRANSPORT:IMAGE [NAME|ID...]",
  summary: "Return low-level information on containers, images and volumes",
  flags: {
    ...inspectFlags(),
    format: documentFormat(),
    size: bool({ short: "s", usage: "Display total file sizes if the type is container" }),
    type: string({ usage: "Only inspect objects of the given type (container, image, volume)" }),
  },
  args: { least: 1 },
  async run({ cli, flags, args, changed }) {
    const [first = ""] = args;
    if (flags["as-skopeo"] || (args.length === 1 && !changed.has("type") && namesPlace(first))) {
      const { inspectPlace } = await import("../places/inspect.ts");
      return inspectPlace(cli, first, new Flags(flags, changed));
    }
    const type = objectTypes.find((one) => one === flags.type);
    if (type === undefined && changed.has("type")) {
      throw new UsageError(`unknown type: "${flags.type}": must be one of "${objectTypes.join('", "')}"`, 1, true);
    }
    return inspectAll(cli, args, flags.format, objectLookup(await cli.engine(), type, flags.size));
  },
});
