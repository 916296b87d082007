/** containers-registries.conf(5), as it is in force: all of its files read and joined. */
export interface RegistriesConf {
  /** Sorted by prefix; each prefix is there once. */
  readonly rules: readonly RegistryRule[];
  /** Hosts where short names are looked for, in this order; `undefined` where no file says anything of them. */
  readonly searched?: readonly string[];
  readonly shortNames: ShortNameMode;
  /** Full repositories by short name; an empty one takes an alias of an earlier file away. */
  readonly aliases: Readonly<Record<string, Alias>>;
  /** Names of credential helpers in the order they are asked; `containers-auth.json` stands for the files of logins. */
  readonly helpers: readonly string[];
}

/** What is done with a short name that several registries may hold, and no alias knows. */
export type ShortNameMode = "enforcing" | "permissive" | "disabled";

/** A full repository and the file that gives it. */
export interface Alias {
  readonly repository: string;
  readonly file: string;
}

/** Where images really are whose names begin with {@link RegistryRule.prefix}. */
export interface RegistryRule extends Endpoint {
  /** `host[:port][/path]`, or `*.example.com`, which stands for every host below it. */
  readonly prefix: string;
  readonly blocked: boolean;
  readonly digestsOnly: boolean;
  readonly mirrors: readonly Mirror[];
  /** The file that says so. */
  readonly file: string;
}

/** A place that takes the prefix's place in a name. */
export interface Endpoint {
  /** Empty (with a wildcard prefix only): names stay as they are. */
  readonly location: string;
  /** Certificates are not checked, and plain HTTP is taken. */
  readonly insecure: boolean;
}

/** A place that is tried before the one that a name leads to. */
export interface Mirror extends Endpoint {
  readonly pulls: "all" | "digest-only" | "tag-only";
}

/** The helper name that means the files of logins. */
export const AUTH_FILES = "containers-auth.json";

/** What is in force where no file says anything. */
export const noRegistriesConf: RegistriesConf = {
  rules: [],
  shortNames: "permissive",
  aliases: {},
  helpers: [AUTH_FILES],
};
