import type { Row } from "./measurement.ts";
import { median } from "./statistics.ts";

/** What Galley promises beside a peer: at most `factor` of its median, and `plus` milliseconds more. */
interface Goal {
  readonly work: RegExp;
  readonly peer: string;
  readonly factor: number;
  readonly plus?: number;
}

/** A promise in itself, in the row's unit. */
interface Bound {
  readonly work: RegExp;
  readonly most: number;
}

const goals: readonly Goal[] = [
  { work: /^--version/, peer: "bun", factor: 1, plus: 3 },
  { work: /bridge network/, peer: "docker", factor: 1 / 10 },
  { work: /bridge network/, peer: "podman", factor: 1 / 8 },
  { work: /bridge network/, peer: "runc", factor: 1 },
  { work: /^exec/, peer: "docker", factor: 1 / 6 },
  { work: /^rm -f/, peer: "docker", factor: 1 / 8 },
  { work: /^ps -a/, peer: "docker", factor: 1 / 2 },
  { work: /^pull into/, peer: "containerd", factor: 1 / 5 },
  { work: /^pull into/, peer: "podman", factor: 1 / 6 },
  { work: /^pull into/, peer: "docker", factor: 1 / 12 },
  { work: /^pull into/, peer: "gunzip and hash", factor: 1.3 },
  { work: /^first run/, peer: "run again", factor: 2 },
  { work: /^copy from|^copy to another .*, /, peer: "skopeo", factor: 1 / 2 },
  { work: /^images with/, peer: "podman", factor: 1 / 3 },
  { work: /^registry:/, peer: "docker-registry", factor: 1 },
  { work: /^runtime: (?!peak)/, peer: "crun", factor: 1 },
  { work: /^runtime: (?!peak)/, peer: "runc", factor: 1 / 3 },
  { work: /^runtime: peak memory/, peer: "runc", factor: 1 / 2 },
];

const bounds: readonly Bound[] = [
  { work: /idle containers/, most: 1024 },
  { work: /^peak memory of a pull/, most: 200 * 1024 },
];

/** A row as numbers: medians, how many times Galley's each peer's is, and the promises with whether they are kept. */
export interface Summary {
  readonly work: string;
  readonly unit: Row["unit"];
  readonly medians: Readonly<Record<string, number>>;
  /** A peer's median over Galley's; above 1 Galley is quicker or smaller. */
  readonly ratios: Readonly<Record<string, number>>;
  readonly goals: readonly { readonly text: string; readonly met: boolean }[];
}

/** Sums a row up. Promises beside peers that were not there are left out. */
export function summarize(row: Row): Summary {
  const entries = Object.entries(row.samples).filter(([, samples]) => samples.length > 0);
  const medians = Object.fromEntries(entries.map(([name, samples]) => [name, median(samples)]));
  const own = medians.galley ?? Number.NaN;
  const ratios = Object.fromEntries(
    Object.entries(medians).flatMap(([name, value]) => (name === "galley" ? [] : [[name, value / own]])),
  );
  const beside = goals.flatMap((goal) => {
    const peer = medians[goal.peer];
    if (!goal.work.test(row.work) || peer === undefined) return [];
    return [{ text: describe(goal), met: own <= peer * goal.factor + (goal.plus ?? 0) }];
  });
  const alone = bounds
    .filter((bound) => bound.work.test(row.work))
    .map((bound) => ({ text: `at most ${bound.most} ${row.unit}`, met: own <= bound.most }));
  return { work: row.work, unit: row.unit, medians, ratios, goals: [...beside, ...alone] };
}

function describe(goal: Goal): string {
  const share = goal.factor === 1 ? "" : goal.factor < 1 ? `1/${Math.round(1 / goal.factor)} of ` : `${goal.factor} × `;
  return `${share}${goal.peer}${goal.plus === undefined ? "" : ` + ${goal.plus} ms`}`;
}

/** A table for people: one line for each kind of work, `median (×ratio)` for each contestant, then the promises. */
export function table(summaries: readonly Summary[]): string {
  const names = [...new Set(summaries.flatMap(({ medians }) => Object.keys(medians)))];
  const head = ["work", ...names, "goal"];
  const lines = summaries.map((summary) => [
    summary.work,
    ...names.map((name) => cell(summary, name)),
    summary.goals.map(({ text, met }) => `${met ? "met" : "MISSED"}: ${text}`).join("; "),
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...lines].map((line) => (line[column] ?? "").length)));
  const draw = (line: readonly string[]) =>
    `| ${line.map((text, column) => text.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [draw(head), `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`, ...lines.map(draw)].join("\n");
}

function cell(summary: Summary, name: string): string {
  const value = summary.medians[name];
  if (value === undefined) return "–";
  const ratio = summary.ratios[name];
  return `${number(value)} ${summary.unit}${ratio === undefined || !Number.isFinite(ratio) ? "" : ` (×${number(ratio)})`}`;
}

function number(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2);
}
