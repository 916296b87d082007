import type { Explanation } from "../../engine/types.ts";
import type { SectionName } from "../../recipe/recipe.ts";
import { defineCommand } from "../command.ts";
import { string } from "../flags/kinds.ts";

export const command = defineCommand({
  usage: "[OPTIONS] CONTAINER",
  summary: "Show what a container was made of and what each step took",
  flags: {
    format: string({ usage: "'json': print the steps and their times as JSON" }, (text) => {
      if (text !== "json") throw new Error("it must be json");
    }),
  },
  args: { least: 1, most: 1 },
  async run({ cli, flags, args: [name = ""] }) {
    const { containers } = await cli.engine();
    const explanation = await containers.explain(name);
    const { describeRecipe } = await import("../../recipe/describe.ts");
    const { recipe, timings } = explanation;
    cli.out(flags.format === "json" ? await toJson(explanation) : describeRecipe(recipe, timings));
    return 0;
  },
});

/** An object of sections; of each step what it did, why, and when in nanoseconds after the recipe began. */
async function toJson({ recipe, timings }: Explanation): Promise<string> {
  const { describeStep } = await import("../../recipe/describe.ts");
  const sections = Object.entries(recipe.sections).map(([name, steps]) => {
    const times = isTimed(name) ? timings[name] : [];
    const described = steps.map((step, index) => ({
      step: describeStep(step),
      cause: step.cause,
      ...times[index],
    }));
    return [name, described] as const;
  });
  return `${JSON.stringify(Object.fromEntries(sections), undefined, 2)}\n`;
}

function isTimed(name: string): name is "outside" | ("inside" & SectionName) {
  return name === "outside" || name === "inside";
}
