import { parsePlace } from "../../image/transports/place-name.ts";
import { defineCommand } from "../command.ts";
import { commonFlags, Flags, placeFlags } from "../places/flags.ts";
import { placeOptions } from "../places/options.ts";
import { untilInterrupted } from "../places/until-interrupted.ts";

export const command = defineCommand({
  usage: "[OPTIONS] IMAGE-NAME",
  summary: "Mark an image for deletion by the registry's garbage collector, or remove it from a layout",
  flags: { ...commonFlags(), ...placeFlags("") },
  args: { least: 1, most: 1 },
  async run({ cli, flags: values, args: [text = ""], changed }) {
    const flags = new Flags(values, changed);
    const { deletePlace } = await import("../../image/transports/delete-place.ts");
    const place = parsePlace(text);
    await untilInterrupted(
      (signal) => deletePlace(place, placeOptions(cli, flags, "", signal)),
      flags.number("command-timeout"),
    );
    return 0;
  },
});
