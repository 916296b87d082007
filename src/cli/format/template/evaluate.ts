import type { Bodies, Expression, Invocation, Pipeline, Span, Template, TemplateNode } from "./ast.ts";
import { executeError, TemplateError } from "./error.ts";
import type { Functions } from "./functions.ts";
import { GoMap, GoStruct, isTrue, Methods, Nil, printValue, typeName, type Value } from "./values.ts";

/** The text that a template makes of a value. Throws {@link TemplateError} where a step cannot be carried out. */
export function evaluateTemplate(template: Template, data: Value, functions: Functions): string {
  const run = new Run(template.source, functions, data);
  run.all(template.nodes, data);
  return run.output.join("");
}

class Break extends Error {}
class Continue extends Error {}

class Run {
  readonly output: string[] = [];
  readonly #variables: { name: string; value: Value }[];

  constructor(
    readonly source: string,
    readonly functions: Functions,
    data: Value,
  ) {
    this.#variables = [{ name: "$", value: data }];
  }

  all(nodes: readonly TemplateNode[], dot: Value): void {
    for (const node of nodes) this.#node(node, dot);
  }

  #node(node: TemplateNode, dot: Value): void {
    switch (node.kind) {
      case "text":
        this.output.push(node.text);
        return;
      case "print":
        this.#print(node.pipeline, dot);
        return;
      case "branch":
        if (node.on === "range") this.#range(node.pipeline, node, dot);
        else this.#choose(node, dot);
        return;
      case "break":
        throw new Break();
      case "continue":
        throw new Continue();
    }
  }

  #print(pipeline: Pipeline, dot: Value): void {
    const value = this.#pipeline(pipeline, dot);
    if (pipeline.variables.length === 0) this.output.push(printValue(value));
  }

  #choose(node: Extract<TemplateNode, { kind: "branch" }>, dot: Value): void {
    this.#scoped(() => {
      const value = this.#pipeline(node.pipeline, dot);
      if (isTrue(value)) this.all(node.body, node.on === "with" ? value : dot);
      else this.all(node.otherwise, dot);
    });
  }

  #range(pipeline: Pipeline, bodies: Bodies, dot: Value): void {
    this.#scoped(() => {
      const value = this.#value({ ...pipeline, variables: [], declares: false }, dot);
      const items = this.#items(value, pipeline);
      if (items.length === 0) this.all(bodies.otherwise, dot);
      for (const item of items) if (!this.#iteration(pipeline, bodies, item)) return;
    });
  }

  /** False where the template breaks the loop. */
  #iteration(pipeline: Pipeline, { body }: Bodies, [key, value]: readonly [Value, Value]): boolean {
    const depth = this.#variables.length;
    const [first, second] = pipeline.variables;
    if (second !== undefined) this.#assign(first ?? "", key, pipeline.declares);
    const element = second ?? first;
    if (element !== undefined) this.#assign(element, value, pipeline.declares);
    try {
      this.all(body, value);
    } catch (leave) {
      if (leave instanceof Break) return false;
      if (!(leave instanceof Continue)) throw leave;
    } finally {
      this.#variables.length = depth;
    }
    return true;
  }

  #items(value: Value, span: Pipeline): readonly (readonly [Value, Value])[] {
    if (Array.isArray(value)) return value.map((one: Value, index) => [index, one] as const);
    if (value instanceof GoMap) return value.sorted();
    if (value === undefined || value instanceof Nil) return [];
    if (typeof value === "number") return Array.from({ length: Math.max(0, value) }, (_, index) => [index, index]);
    throw this.#fail(span, `range can't iterate over ${printValue(value)}`);
  }

  #scoped(body: () => void): void {
    const depth = this.#variables.length;
    body();
    this.#variables.length = depth;
  }

  #assign(name: string, value: Value, declares: boolean): void {
    if (declares) {
      this.#variables.push({ name, value });
      return;
    }
    const known = this.#variables.findLast((variable) => variable.name === name);
    if (known !== undefined) known.value = value;
  }

  #pipeline(pipeline: Pipeline, dot: Value): Value {
    const value = this.#value(pipeline, dot);
    for (const name of pipeline.variables) this.#assign(name, value, pipeline.declares);
    return value;
  }

  #value(pipeline: Pipeline, dot: Value): Value {
    let value: Value;
    pipeline.commands.forEach((command, index) => {
      value = this.#command(command, dot, index === 0 ? [] : [value]);
    });
    return value;
  }

  /** `given` is the value that came through the bar, as the last argument. */
  #command(command: Invocation, dot: Value, given: readonly Value[]): Value {
    const [head, ...rest] = command.words;
    if (head === undefined) return undefined;
    if (head.kind === "function") return this.#call(command, head.name, rest, dot, given);
    if (head.kind === "field") return this.#field(head, rest, dot, given);
    if (rest.length > 0 || given.length > 0) {
      throw this.#fail(head, `can't give argument to non-function ${this.#text(head)}`);
    }
    if (head.kind === "constant" && head.value instanceof Nil) throw this.#fail(head, "nil is not a command");
    return this.#expression(head, dot);
  }

  #expression(node: Expression, dot: Value): Value {
    switch (node.kind) {
      case "constant":
        return node.value;
      case "dot":
        return dot;
      case "variable":
        return this.#variables.findLast((variable) => variable.name === node.name)?.value;
      case "pipeline":
        return this.#pipeline(node.pipeline, dot);
      case "function":
        return this.#call(node, node.name, [], dot, []);
      case "field":
        return this.#field(node, [], dot, []);
    }
  }

  #call(node: Span, name: string, words: readonly Expression[], dot: Value, given: readonly Value[]): Value {
    if (name === "and" || name === "or") return this.#shortCircuit(name, words, dot, given);
    const args = [...words.map((word) => this.#expression(word, dot)), ...given];
    try {
      return this.functions[name]?.(...args);
    } catch (failure) {
      if (failure instanceof TemplateError) throw failure;
      throw this.#fail(node, `error calling ${name}: ${failure instanceof Error ? failure.message : failure}`);
    }
  }

  /** The first argument that decides; those behind it are not looked at. */
  #shortCircuit(name: "and" | "or", words: readonly Expression[], dot: Value, given: readonly Value[]): Value {
    let value: Value;
    for (const word of words) {
      value = this.#expression(word, dot);
      if (isTrue(value) === (name === "or")) return value;
    }
    return given.length > 0 ? given[0] : value;
  }

  #field(
    node: Extract<Expression, { kind: "field" }>,
    words: readonly Expression[],
    dot: Value,
    given: readonly Value[],
  ): Value {
    let value = node.base === undefined ? dot : this.#expression(node.base, dot);
    node.names.forEach((name, index) => {
      const last = index === node.names.length - 1;
      const args = last ? [...words.map((word) => this.#expression(word, dot)), ...given] : [];
      value = this.#member(node, value, name, args);
    });
    return value;
  }

  #member(node: Expression, owner: Value, name: string, args: readonly Value[]): Value {
    if (owner instanceof Methods) return this.#method(node, owner, name, args);
    if (args.length > 0) throw this.#fail(node, `${name} is not a method but has arguments`);
    if (owner === undefined) return undefined;
    if (owner instanceof GoMap) return owner.entries.get(name);
    if (owner instanceof GoStruct) {
      if (owner.fields.has(name)) return owner.fields.get(name);
      if (owner.absent.has(name)) return owner.absent.get(name);
      throw this.#fail(node, `map has no entry for key ${JSON.stringify(name)}`);
    }
    if (owner instanceof Nil) throw this.#fail(node, `nil pointer evaluating interface {}.${name}`);
    throw this.#fail(node, `can't evaluate field ${name} in type ${typeName(owner)}`);
  }

  #method(node: Expression, owner: Methods, name: string, args: readonly Value[]): Value {
    const method = Object.hasOwn(owner.methods, name) ? owner.methods[name] : undefined;
    if (method === undefined) throw this.#fail(node, `can't evaluate field ${name} in type ${owner.type}`);
    if (method.length !== args.length) {
      throw this.#fail(node, `wrong number of args for ${name}: want ${method.length} got ${args.length}`);
    }
    return method(...args);
  }

  #text(node: Expression): string {
    return this.source.slice(node.at, node.end);
  }

  #fail(node: Span, message: string): TemplateError {
    return executeError(this.source, node, message);
  }
}
