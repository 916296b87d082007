import { GalleyError } from "../../errors.ts";
import { type Column, columns } from "./top-columns.ts";

/** ps(1)'s ready-made sets of columns; `heading=name` where the heading is not the column's own. */
const sets = {
  plain: "pid TTY=tty time CMD=ucmd",
  plainBsd: "pid TTY=tty stat TIME=bsdtime command",
  full: "UID=user pid ppid c stime TTY=tty time cmd",
  extraFull: "UID=user pid ppid c sz rss psr stime TTY=tty time cmd",
  long: "f s uid pid ppid c PRI=opri ni addr sz wchan TTY=tty time CMD=ucmd",
  longFull: "f s UID=user pid ppid c PRI=opri ni addr sz wchan stime TTY=tty time cmd",
  job: "pid pgid sid TTY=tty time CMD=ucmd",
  user: "user pid %cpu %mem vsz rss TTY=tty stat START=bsdstart TIME=bsdtime command",
  longBsd: "f uid pid ppid pri ni vsz rss wchan stat TTY=tty TIME=bsdtime command",
  jobBsd: "ppid pid pgid sid TTY=tty TPGID=pgid stat uid TIME=bsdtime command",
} as const;

/** What has been read of the options so far. */
interface Read {
  readonly letters: ReadonlySet<string>;
  readonly bsd: boolean;
  readonly formats: readonly string[];
}

/**
 * The columns that ps(1)'s options ask for: sets of UNIX (`-ef`, `-eF`, `-l`, `-j`) and BSD (`aux`, `axl`), and `-o name,name=HEADING`.
 * None: docker's `-ef`. Options that choose processes are passed over, as the container does that; others are `invalid_argument`.
 */
export function readPsOptions(args: readonly string[]): readonly Column[] {
  const words = args.flatMap((arg) => arg.split(/\s+/)).filter(Boolean);
  if (words.length === 0) return columnsOf(sets.full);
  const { letters, bsd, formats } = readWords(words);
  const chosen = formats.length > 0 ? formats.flatMap(customColumns) : columnsOf(setOf(letters, bsd));
  if (chosen.some((column) => column.heading === "PID")) return chosen;
  throw new GalleyError("invalid_argument", "Couldn't find PID field in ps output", { hint: "add pid to the columns" });
}

function setOf(letters: ReadonlySet<string>, bsd: boolean): string {
  if (bsd) {
    if (letters.has("u")) return sets.user;
    if (letters.has("l")) return sets.longBsd;
    return letters.has("j") ? sets.jobBsd : sets.plainBsd;
  }
  if (letters.has("l")) return letters.has("f") ? sets.longFull : sets.long;
  if (letters.has("F")) return sets.extraFull;
  if (letters.has("f")) return sets.full;
  return letters.has("j") ? sets.job : sets.plain;
}

const unixLetters = "AaedNrxwfFlj";
const bsdLetters = "agxrwulj";

function readWords(words: readonly string[]): Read {
  const letters = new Set<string>();
  const formats: string[] = [];
  let bsd = false;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    const isLong = word.startsWith("--");
    const name = isLong ? word.slice(2) : word.replace(/^-/, "");
    if (isLong || name === "") {
      const format = /^--format(?:=(.*))?$/s.exec(word);
      if (format === null) throw unknownOption(word);
      formats.push(format[1] ?? words[++at] ?? "");
      continue;
    }
    const isBsd = !word.startsWith("-");
    const place = name.indexOf("o");
    const flags = place < 0 ? name : name.slice(0, place);
    for (const letter of flags) {
      if (!(isBsd ? bsdLetters : unixLetters).includes(letter)) throw unknownOption(word);
      letters.add(letter);
    }
    bsd ||= isBsd && flags !== "";
    if (place >= 0) formats.push(name.slice(place + 1) || (words[++at] ?? ""));
  }
  return { letters, bsd, formats };
}

function unknownOption(word: string): GalleyError {
  return new GalleyError("invalid_argument", `ps: error: unsupported option (${word})`, {
    hint: "known are -e, -f, -F, -l, -j, aux, axl and -o with a list of columns",
  });
}

function columnsOf(set: string): readonly Column[] {
  return set.split(" ").map((word) => {
    const [heading = "", name] = word.split("=");
    return name === undefined ? columnOf(heading) : { ...columnOf(name), heading };
  });
}

/** `pid,comm` or `pid=PROCESS`: a heading goes on to the end of its option. */
function customColumns(format: string): readonly Column[] {
  const at = format.indexOf("=");
  const names = (at < 0 ? format : format.slice(0, at)).split(",");
  return names.map((name, index) => {
    const column = columnOf(name.trim());
    return at >= 0 && index === names.length - 1 ? { ...column, heading: format.slice(at + 1) } : column;
  });
}

function columnOf(name: string): Column {
  const found = Object.hasOwn(columns, name.toLowerCase()) ? columns[name.toLowerCase()] : undefined;
  if (found !== undefined) return found;
  throw new GalleyError(
    "invalid_argument",
    `ps: error: unknown user-defined format specifier ${JSON.stringify(name)}`,
    {
      hint: `known are ${Object.keys(columns).join(", ")}`,
    },
  );
}
