/** systemd's manager over D-Bus (org.freedesktop.systemd1(5)): units that are started, changed and stopped. */
import { GalleyError } from "../../errors.ts";
import { DbusConnection, DbusError } from "./dbus/connection.ts";
import type { DbusValue, Variant } from "./dbus/types.ts";

/** A property of a unit with its value. */
export type Property = readonly [name: string, value: Variant];

const NAME = "org.freedesktop.systemd1";
const PATH = "/org/freedesktop/systemd1";
const MANAGER = `${NAME}.Manager`;
const BUS = "org.freedesktop.DBus";

/** Milliseconds that a job may take. */
const PATIENCE = 30_000;

/** Where a manager listens: its own socket first, which needs no bus; then the bus. */
interface Addresses {
  readonly own: string;
  readonly bus: string;
}

type Env = Readonly<Record<string, string | undefined>>;

export class SystemdManager implements Disposable {
  readonly #connection: DbusConnection;
  /** The name to call on a bus; a manager's own socket has none. */
  readonly #destination: { readonly destination?: string };
  readonly #results = new Map<string, string>();
  #onResult: () => void = () => {};

  private constructor(connection: DbusConnection, isBus: boolean) {
    this.#connection = connection;
    this.#destination = isBus ? { destination: NAME } : {};
    connection.onSignal(({ member, body }) => {
      if (member !== "JobRemoved") return;
      this.#results.set(String(body[1]), String(body[3]));
      this.#onResult();
    });
  }

  /** Connects to the system's manager, or to the user's own. Throws `unavailable` where neither socket answers. */
  static async open(isUser: boolean, env: Env = process.env): Promise<SystemdManager> {
    const { own, bus } = isUser ? userAddresses(env) : systemAddresses;
    try {
      return new SystemdManager(await DbusConnection.open(own), false);
    } catch {
      const manager = new SystemdManager(await DbusConnection.open(bus), true);
      await manager.#greetBus();
      return manager;
    }
  }

  [Symbol.dispose](): void {
    this.#connection[Symbol.dispose]();
  }

  /** Its major version, as 252. */
  async version(): Promise<number> {
    return Number.parseInt(String(await this.#property("Version")).replace(/^v/, ""), 10);
  }

  /** The manager's own cgroup: empty for the system's, `/user.slice/user-1000.slice/user@1000.service` for a user's. */
  async controlGroup(): Promise<string> {
    return String(await this.#property("ControlGroup"));
  }

  /**
   * Makes and starts a unit that lives until it ends (StartTransientUnit), and waits until it is there. A failed one of the same name,
   * left by another container, is forgotten first.
   */
  async startUnit(unit: string, properties: readonly Property[]): Promise<void> {
    const start = (): Promise<void> =>
      this.#job(unit, "start", "StartTransientUnit", "ssa(sv)a(sa(sv))", [unit, "replace", properties, []]);
    try {
      await start();
    } catch (failure) {
      if (!isNamed(failure, "UnitExists")) throw failed("start", unit, failure);
      await this.resetFailed(unit);
      await start().catch((again: unknown) => {
        throw failed("start", unit, again);
      });
    }
  }

  /** Stops a unit and waits until it is stopped; one that is not there is no error. */
  async stopUnit(unit: string): Promise<void> {
    try {
      await this.#job(unit, "stop", "StopUnit", "ss", [unit, "replace"]);
    } catch (failure) {
      if (!isNamed(failure, "NoSuchUnit")) throw failed("stop", unit, failure);
    }
  }

  /** Forgets that a unit failed, so that systemd lets go of it. */
  async resetFailed(unit: string): Promise<void> {
    await this.#call("ResetFailedUnit", "s", [unit]).catch(() => {});
  }

  /**
   * Puts processes into a unit's cgroup (AttachProcessesToUnit). A user's manager asks the system's for what it may not do itself, so
   * this works for the user's processes wherever they are.
   */
  async attachProcesses(unit: string, pids: readonly number[]): Promise<void> {
    try {
      await this.#call("AttachProcessesToUnit", "ssau", [unit, "/", [...pids]]);
    } catch (failure) {
      throw failed("attach a process to", unit, failure);
    }
  }

  /** Changes properties until the unit ends (SetUnitProperties with runtime). */
  async setProperties(unit: string, properties: readonly Property[]): Promise<void> {
    if (properties.length === 0) return;
    try {
      await this.#call("SetUnitProperties", "sba(sv)", [unit, true, properties]);
    } catch (failure) {
      throw failed("set properties of", unit, failure);
    }
  }

  /** A bus hands on signals only to those who ask, and systemd sends them only where somebody subscribes. */
  async #greetBus(): Promise<void> {
    const bus = { destination: BUS, path: "/org/freedesktop/DBus", interface: BUS };
    const rule = `type='signal',interface='${MANAGER}',member='JobRemoved'`;
    await this.#connection.call({ ...bus, member: "Hello" });
    await this.#connection.call({ ...bus, member: "AddMatch", signature: "s", body: [rule] });
    await this.#call("Subscribe", "", []);
  }

  #call(member: string, signature: string, body: readonly DbusValue[]): Promise<readonly DbusValue[]> {
    return this.#connection.call({ ...this.#destination, path: PATH, interface: MANAGER, member, signature, body });
  }

  async #property(name: string): Promise<DbusValue> {
    const [value] = await this.#connection.call({
      ...this.#destination,
      path: PATH,
      interface: `${BUS}.Properties`,
      member: "Get",
      signature: "ss",
      body: [MANAGER, name],
    });
    return (value as Variant).value;
  }

  /** Calls a method that answers with a job, and waits for the job's result. */
  async #job(unit: string, verb: string, member: string, signature: string, body: readonly DbusValue[]): Promise<void> {
    const [job] = await this.#call(member, signature, body);
    const result = await this.#resultOf(String(job));
    if (result === "done") return;
    await this.resetFailed(unit);
    throw new GalleyError("failed_precondition", `unable to ${verb} unit ${unit}: the job's result is ${result}`, {
      hint: `systemctl status ${unit} may say more`,
    });
  }

  #resultOf(job: string): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    const timer = setTimeout(() => resolve(`timeout after ${PATIENCE / 1000} s`), PATIENCE);
    this.#onResult = () => {
      const result = this.#results.get(job);
      if (result !== undefined) resolve(result);
    };
    this.#onResult();
    return promise.finally(() => clearTimeout(timer));
  }
}

const systemAddresses: Addresses = { own: "/run/systemd/private", bus: "/run/dbus/system_bus_socket" };

function userAddresses(env: Env): Addresses {
  const directory = env.XDG_RUNTIME_DIR || `/run/user/${process.getuid?.()}`;
  const given = /^unix:path=([^,;]+)/.exec(env.DBUS_SESSION_BUS_ADDRESS ?? "")?.[1];
  return { own: `${directory}/systemd/private`, bus: given ?? `${directory}/bus` };
}

function isNamed(failure: unknown, name: string): boolean {
  return failure instanceof DbusError && failure.errorName === `${NAME}.${name}`;
}

function failed(verb: string, unit: string, failure: unknown): GalleyError {
  if (failure instanceof GalleyError) return failure;
  const said = failure instanceof Error ? failure.message : String(failure);
  const name = failure instanceof DbusError ? ` (${failure.errorName})` : "";
  return new GalleyError("failed_precondition", `unable to ${verb} unit ${unit}: ${said}${name}`, { cause: failure });
}
