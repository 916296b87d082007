import { GalleyError } from "../../errors.ts";
import { type Variant, variant } from "./dbus/types.ts";
import { parseVariant } from "./gvariant.ts";
import type { Property } from "./manager.ts";

const PREFIX = "org.systemd.property.";

/**
 * Properties of the unit from annotations `org.systemd.property.NAME`, their values in GVariant's text form. Times in seconds (`TimeoutStopSec`)
 * become the microseconds that D-Bus has them in, as with runc. Throws `invalid_argument` with the annotation.
 */
export function annotatedProperties(annotations: Readonly<Record<string, string>>): Property[] {
  return Object.entries(annotations).flatMap(([key, text]): Property[] => {
    if (!key.startsWith(PREFIX)) return [];
    const name = key.slice(PREFIX.length);
    const subject = `annotations[${key}]`;
    if (!/^[A-Za-z]{3,}$/.test(name)) {
      const message = `annotation ${key} name incorrect: a property's name is at least three letters`;
      throw new GalleyError("invalid_argument", message, { subject });
    }
    try {
      const value = parseVariant(text);
      return [/[a-z]Sec$/.test(name) ? [name.replace(/Sec$/, "USec"), microseconds(value)] : [name, value]];
    } catch (cause) {
      const message = `annotation ${key}=${text} value parse error: ${(cause as Error).message}`;
      throw new GalleyError("invalid_argument", message, { subject, cause });
    }
  });
}

function microseconds({ value }: Variant): Variant {
  if (typeof value !== "number" && typeof value !== "bigint") throw new SyntaxError("not a number");
  if (value < 0) throw new SyntaxError("a time must not be negative");
  return variant("t", typeof value === "bigint" ? value * 1_000_000n : BigInt(Math.round(value * 1e6)));
}
