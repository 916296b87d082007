/** The driver of the native program's reader of recipes (driver.c), built with sanitizers. */
import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const home = join(import.meta.dir, "../..");
const path = join(home, "build/recipe-driver");

/** Path of the driver, compiled where it is missing or older than its sources. */
export function recipeDriver(): string {
  const sources = [join(home, "native"), import.meta.dir].flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => /\.(c|h|sh)$/.test(name))
      .map((name) => statSync(join(folder, name)).mtimeMs),
  );
  if (existsSync(path) && statSync(path).mtimeMs >= Math.max(...sources)) return path;
  mkdirSync(join(home, "build"), { recursive: true });
  const build = Bun.spawnSync(["sh", join(import.meta.dir, "build-driver.sh"), path], { stderr: "inherit" });
  if (build.exitCode !== 0) throw new Error("the fuzzing driver does not compile (is libasan there?)");
  return path;
}

/** The driver as a process that is handed one recipe after the other. */
export class RecipeReader implements AsyncDisposable {
  readonly #child = Bun.spawn([recipeDriver(), "feed"], { stdio: ["pipe", "pipe", "inherit"] });
  readonly #answers = this.#child.stdout.getReader();
  #kept = Buffer.alloc(0);

  /** Why it refuses a recipe; an empty text where it takes it. Throws where it dies of it. */
  async tryRecipe(recipe: Uint8Array): Promise<string> {
    const size = Buffer.alloc(4);
    size.writeUInt32LE(recipe.length);
    this.#child.stdin.write(size);
    this.#child.stdin.write(recipe);
    await this.#child.stdin.flush();
    return (await this.#read((await this.#read(4)).readUInt32LE())).toString();
  }

  async #read(size: number): Promise<Buffer> {
    while (this.#kept.length < size) {
      const { done, value } = await this.#answers.read();
      if (done) throw new Error("the native program's reader died of a recipe");
      this.#kept = Buffer.concat([this.#kept, value]);
    }
    const part = this.#kept.subarray(0, size);
    this.#kept = this.#kept.subarray(size);
    return part;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stdin.end();
    await this.#child.exited;
  }
}
