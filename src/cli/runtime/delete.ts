import { toGalleyError } from "../../errors.ts";
import { deleteContainer } from "../../runtime/oci/end.ts";
import { homeOf } from "../../runtime/oci/home.ts";
import { bool } from "../flags/kinds.ts";
import { defineRuntimeCommand } from "./command.ts";

export const command = defineRuntimeCommand({
  usage: "[command options] <container-id>",
  summary: "Delete any resources held by the container",
  flags: { force: bool({ short: "f", usage: "Forcibly deletes the container if it is still running (uses SIGKILL)" }) },
  args: { least: 1, most: 1 },
  async run({ log, root, native, flags, args: [id = ""] }) {
    try {
      const failed = await deleteContainer(homeOf(root, id), native(), flags.force);
      for (const sentence of failed) log.warn(sentence);
    } catch (failure) {
      // As with rm -f, what is not there need not be removed.
      if (!flags.force || toGalleyError(failure).code !== "not_found") throw failure;
    }
    return 0;
  },
});
