import { expect, test } from "bun:test";
import { renderListing } from "./listing.ts";
import { Methods } from "./template/values.ts";

const headings = { ID: "CONTAINER ID", Names: "NAMES" };
const rows = ["web", "db"].map(
  (name, index) =>
    new Methods("*formatter.ContainerContext", {
      ID: () => `00000000000${index}`,
      Names: () => name,
      Ports: () => "80->80",
      Label: (key) => `${name}.${String(key)}`,
    }),
);

function render(format: string, some = rows): string {
  return renderListing({ format, rows: some, headings });
}

test("a table with its headings", () => {
  expect(render('table {{.ID}}\\t{{upper .Names}}\\t{{.Label "com.example.my-key"}}')).toBe(
    "CONTAINER ID   NAMES     my key\n000000000000   WEB       web.com.example.my-key\n000000000001   DB        db.com.example.my-key\n",
  );
});

test("headings alone where there is nothing", () =>
  expect(render("table {{.ID}}\t{{.Names}}", [])).toBe("CONTAINER ID   NAMES\n"));

test("a line for each row of a plain template", () => expect(render("{{.Names}}")).toBe("web\ndb\n"));

test("JSON by line, what takes no argument in the order of the alphabet", () => {
  expect(render("json", rows.slice(0, 1))).toBe('{"ID":"000000000000","Names":"web","Ports":"80-\\u003e80"}\n');
});

test("an unknown field", () => {
  expect(() => render("{{.Foo}}")).toThrow(
    'template parsing error: template: :1:2: executing "" at <.Foo>: can\'t evaluate field Foo in type *formatter.ContainerContext',
  );
});
