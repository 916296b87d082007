import type { Schema } from "../state/database.ts";

/**
 * The network's tables. Addresses of containers are unsigned 32-bit numbers; a port is published on `host_address` (text,
 * 0.0.0.0 for all). A lease is there from the attachment until it is released, whether the container runs or not.
 */
export const networkSchema: Schema = {
  component: "network",
  steps: [
    `CREATE TABLE network_state (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE leases (
      container TEXT PRIMARY KEY,
      address INTEGER NOT NULL UNIQUE,
      mac TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE published_ports (
      protocol TEXT NOT NULL,
      host_port INTEGER NOT NULL,
      host_address TEXT NOT NULL,
      container_port INTEGER NOT NULL,
      container TEXT NOT NULL REFERENCES leases (container),
      PRIMARY KEY (protocol, host_port, host_address)
    ) WITHOUT ROWID;
    CREATE INDEX published_ports_container ON published_ports (container);`,
  ],
};
