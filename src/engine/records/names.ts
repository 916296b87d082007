import { GalleyError } from "../../errors.ts";
import type { ContainerTable } from "./container-table.ts";

const adjectives = `able agile amber ample apt azure bold brave breezy bright brisk calm candid cheery civil clear clever cosy crisp
curious dapper daring deft eager earnest easy fair fearless fine fleet fluent fond frank fresh gentle glad golden good grand handy
happy hardy hearty honest humble ideal jolly jovial just keen kind lively loyal lucid lucky mellow merry mild modest neat nimble
noble patient placid plucky polite proud quick quiet ready regal sage serene sharp shiny silver sincere smart snug solid spry
steady sunny sure swift tidy trusty upbeat vivid warm wise witty zesty`;

const surnames = `abel agnesi ampere archimedes avicenna babbage banneker bardeen bernoulli bohr boole brahe carson carver cauchy
celsius chandra cori curie darwin dirac easley edison einstein euclid euler faraday fermat fermi fibonacci franklin galileo galois
gauss germain goodall hamilton heisenberg herschel hertz hilbert hodgkin hooke hopper hubble huygens hypatia jackson johnson joliot
joule kepler khwarizmi kovalevskaya lagrange lamarr laplace lavoisier leavitt leibniz linnaeus lovelace maxwell mayer mcclintock
meitner mendel mirzakhani mitchell newton nightingale noether ohm pascal pasteur planck ptolemy ramanujan riemann ritchie rubin
rutherford sagan shannon somerville tesla thales turing vaughan volta watt wing wu yalow`;

/** A name that nobody has yet; to be called in the transaction that takes it. */
export function freeName(table: ContainerTable): string {
  const [first, second] = [adjectives.split(/\s+/), surnames.split(/\s+/)];
  for (let attempt = 0; ; attempt++) {
    const name = `${pick(first)}_${pick(second)}${attempt < 6 ? "" : Math.floor(Math.random() * 10 ** (attempt - 5))}`;
    if (table.byName(name) === undefined) return name;
  }
}

function pick(words: readonly string[]): string {
  return words[Math.floor(Math.random() * words.length)] ?? "";
}

/** The name without docker's leading slash. Throws `invalid_argument`, in docker's words, for what cannot be one. */
export function checkedName(text: string): string {
  const name = text.startsWith("/") ? text.slice(1) : text;
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name) && name.length <= 255) return name;
  throw new GalleyError(
    "invalid_argument",
    `Invalid container name (${text}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
  );
}

/** docker's words for a name that somebody has. */
export function nameInUse(name: string, owner: string): GalleyError {
  return new GalleyError(
    "already_exists",
    `Conflict. The container name "/${name}" is already in use by container "${owner}". You have to remove (or rename) that container to be able to reuse that name.`,
  );
}

/** 64 random hexadecimal digits; the first twelve, which become a host name, are never a mere number. */
export function newId(): string {
  for (;;) {
    const id = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("hex");
    if (!/^[0-9]{12}/.test(id)) return id;
  }
}
