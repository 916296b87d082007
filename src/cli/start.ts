/** The entry of a clone: bin/galley runs this file. */
import { main } from "./main.ts";

// Said to this process alone by bin/galley.
delete process.env.MIMALLOC_ALLOW_THP;
void main(process.argv.slice(2)).then((status) => {
  // Leaving by process.exit would lose what a pipe has not taken yet.
  process.exitCode = status;
});
