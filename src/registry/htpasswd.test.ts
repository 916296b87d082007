import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Htpasswd } from "./htpasswd.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "galley-htpasswd-"));
  path = join(folder, "htpasswd");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const hash = (password: string) => Bun.password.hashSync(password, { algorithm: "bcrypt", cost: 4 });
const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;

test("users are those of the file, with their passwords", async () => {
  // htpasswd(1) writes $2y$.
  writeFileSync(path, `# comment\n\nanna:${hash("pass:word").replace("$2b$", "$2y$")}\nbob:${hash("ü")}\n`);
  const users = new Htpasswd(path);
  for (const right of ["anna:pass:word", "bob:ü", "bob:ü"]) expect(await users.accepts(basic(right))).toBeTrue();
  for (const wrong of ["anna:pass", "anna:", "carl:ü", ":ü", "anna", ""]) {
    expect(await users.accepts(basic(wrong))).toBeFalse();
  }
  for (const header of [null, "Bearer x", "Basic", "Basic ***"]) expect(await users.accepts(header)).toBeFalse();
});

test("a change of the file counts at once, also for who was let in before", async () => {
  writeFileSync(path, `anna:${hash("old")}\n`);
  const users = new Htpasswd(path);
  expect(await users.accepts(basic("anna:old"))).toBeTrue();
  writeFileSync(path, `anna:${hash("new")}\n`);
  utimesSync(path, 1, 1);
  expect(await users.accepts(basic("anna:old"))).toBeFalse();
  expect(await users.accepts(basic("anna:new"))).toBeTrue();
});

test("nobody is let in while the file cannot be read, and that is not the client's fault", async () => {
  writeFileSync(path, `anna:${hash("old")}\n`);
  const users = new Htpasswd(path);
  writeFileSync(path, "half a li");
  await expect(users.accepts(basic("anna:old"))).rejects.toMatchObject({ code: "unavailable" });
  writeFileSync(path, `anna:${hash("new")}\n`);
  expect(await users.accepts(basic("anna:new"))).toBeTrue();
});

test("a hash that is not bcrypt's is refused", () => {
  writeFileSync(path, "anna:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n");
  expect(() => new Htpasswd(path)).toThrow("no user with a bcrypt hash");
  expect(() => new Htpasswd(join(folder, "none"))).toThrow("ENOENT");
});
