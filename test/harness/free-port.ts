/**
 * A TCP port of the loopback address that nothing listens on. Another process can take it before the caller does, so
 * who starts a server with it tries again.
 */
export function freePort(): number {
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  try {
    return probe.port;
  } finally {
    probe.stop(true);
  }
}
