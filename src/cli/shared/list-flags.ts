import { string } from "../flags/kinds.ts";

const formatting = `'table':            Print output in table format with column headers (default)
'table TEMPLATE':   Print output in table format using the given Go template
'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template`;

/** `--format` of commands that print lists. */
export function listFormat() {
  return string({ usage: `Format output using a custom template:\n${formatting}` });
}

/** `--format` of commands that print documents. */
export function documentFormat() {
  return string({
    short: "f",
    usage: `Format output using a custom template:
'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template`,
  });
}
