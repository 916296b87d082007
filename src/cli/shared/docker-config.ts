import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What Galley's command line takes from docker's `config.json`. */
export interface DockerConfig {
  readonly detachKeys?: string;
  readonly psFormat?: string;
  readonly imagesFormat?: string;
}

const fields = ["detachKeys", "psFormat", "imagesFormat"] as const;

/** docker's settings of the user: `$DOCKER_CONFIG/config.json` or `~/.docker/config.json`. Nothing where there is no readable file. */
export function dockerConfig(env: Readonly<Record<string, string | undefined>>): DockerConfig {
  const directory = env.DOCKER_CONFIG || join(env.HOME ?? "/", ".docker");
  try {
    const parsed: unknown = JSON.parse(readFileSync(join(directory, "config.json"), "utf8"));
    if (typeof parsed !== "object" || parsed === null) return {};
    const known = fields.map((name) => [name, (parsed as Record<string, unknown>)[name]] as const);
    return Object.fromEntries(known.filter(([, value]) => typeof value === "string" && value !== ""));
  } catch {
    return {};
  }
}
