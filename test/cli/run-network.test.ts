/** Flags of `run` about names, addresses and published ports. */
import { describe, expect } from "bun:test";
import { freePort } from "../harness/free-port.ts";
import { testWith } from "../harness/requirements.ts";
import { fileStore, refuseFlags, showFlags, tryFlags } from "./container-flags.ts";

const root = { root: true };
const store = fileStore();
const addresses = "ip -4 -o addr show | grep -vc ' lo ' || :";

tryFlags("the container has", store, [
  ["--hostname me", "hostname; cat /etc/hostname", "me\nme"],
  ["-h me.example --domainname example", "hostname; cat /proc/sys/kernel/domainname", "me.example\nexample"],
  ["--dns 10.9.9.9 --dns 10.9.9.8", "grep nameserver /etc/resolv.conf", "nameserver 10.9.9.9\nnameserver 10.9.9.8"],
  ["--dns-search a.example --dns-search b.example", "grep search /etc/resolv.conf", "search a.example b.example"],
  ["--dns-option timeout:3 --dns-opt attempts:1", "grep options /etc/resolv.conf", "options timeout:3 attempts:1"],
  ["--add-host other:10.1.2.3", "grep other /etc/hosts", "10.1.2.3\tother"],
  ["--add-host=six=[::9]", "grep six /etc/hosts", "::9\tsix"],
  [
    "--add-host gate:host-gateway",
    "[ $(grep gate /etc/hosts | cut -f1) = $(ip route | awk '/default/ {print $3}') ] && echo gateway",
    "gateway",
  ],
  ["--mac-address 92:d0:c6:0a:29:33", "cat /sys/class/net/eth0/address", "92:d0:c6:0a:29:33"],
  ["--network bridge", addresses, "1"],
  ["--net default", addresses, "1"],
  ["--network none", addresses, "0"],
  ["--network none --add-host a:10.0.0.1", "grep a$ /etc/hosts", "10.0.0.1\ta"],
  ["--network host", "[ -e /sys/class/net/galley0 ] && echo host", "host"],
]);

showFlags("inspect shows", store, [
  ["--expose 80 --expose 90-91/udp", "{{json .Config.ExposedPorts}}", '{"80/tcp":{},"90/udp":{},"91/udp":{}}'],
  [
    "--publish 127.0.0.1:8080:80",
    "{{json .HostConfig.PortBindings}}",
    '{"80/tcp":[{"HostIp":"127.0.0.1","HostPort":"8080"}]}',
  ],
  ["-p 80/udp", "{{json .HostConfig.PortBindings}}", '{"80/udp":[{"HostIp":"","HostPort":""}]}'],
  ["--publish-all", "{{.HostConfig.PublishAllPorts}}", "true"],
  ["--hostname me --domainname there", "{{.Config.Hostname}} {{.Config.Domainname}}", "me there"],
  [
    "--dns 10.0.0.1 --dns-search a --dns-option b",
    "{{with .HostConfig}}{{.Dns}}{{.DnsSearch}}{{.DnsOptions}}{{end}}",
    "[10.0.0.1][a][b]",
  ],
  ["--add-host a=10.0.0.1", "{{.HostConfig.ExtraHosts}}", "[a:10.0.0.1]"],
  ["--network none", "{{.HostConfig.NetworkMode}}", "none"],
]);

refuseFlags("refused:", store, [
  ["--network nosuch", "nosuch"],
  ["--network bridge --network none", "a container can be connected to one network only"],
  ["--network container:nosuch", "nosuch"],
  ["--network host --hostname-nosuch x", "unknown flag"],
  ["--network host --ip 10.0.0.1", "conflicting options: a static address and the network mode"],
  ["-p 80:80:80:80:80", "Invalid"],
  ["-p 99999:80", "99999"],
  ["-p 80-81:80", "80-81"],
  ["-p 8080:80/nosuch", "nosuch"],
  ["-p 1.2.3:80:80", "Invalid ip address: 1.2.3"],
  ["-p nosuch=1", "invalid publish option 'nosuch'"],
  ["--expose nosuch", "nosuch"],
  ["--dns nosuch", "IP address is not correctly formatted: nosuch"],
  ["--add-host nosuch", 'bad format for add-host: "nosuch"'],
  ["--add-host a:nosuch", 'invalid IP address in add-host: "nosuch"'],
  ["--mac-address nosuch", "nosuch is not a valid mac address"],
  ["--ip nosuch", "IPv4 address is not correctly formatted: nosuch"],
  ["--ip 1.2.3.4", "1.2.3.4"],
  ["--ip6 ::1", "--ip6 is not supported: networks are IPv4"],
  ["--link a:b", "--link is not supported: give the address with --add-host"],
  ["--link-local-ip 169.254.1.1", "--link-local-ip is not supported"],
  ["--network-alias a", "--network-alias is not supported"],
  ["--net-alias a", "--net-alias is not supported"],
]);

describe("ports and addresses", () => {
  testWith(root, "-p publishes on the host's address, -p of a range each of it, -P all that is exposed", async () => {
    const [one, two] = [freePort(), freePort()];
    const published = ["-p", `127.0.0.1:${one}:80`, "-p", `target=81,published=${two},protocol=udp`, "-p", "82-83"];
    const serve = "mkdir /w; echo served > /w/index.html; exec httpd -f -p 80 -h /w";
    await store().ok([
      "run",
      "-d",
      "--name",
      "web",
      "-P",
      "--expose",
      "84",
      ...published,
      "busybox",
      "sh",
      "-c",
      serve,
    ]);
    expect(await answer(`http://127.0.0.1:${one}/`)).toBe("served\n");
    const ports = (await store().ok(["port", "web"])).split("\n");
    expect(ports.slice(0, 2)).toEqual([`80/tcp -> 127.0.0.1:${one}`, `81/udp -> 0.0.0.0:${two}`]);
    for (const [index, port] of [82, 83, 84].entries()) {
      expect(ports[index + 2]).toMatch(new RegExp(`^${port}/tcp -> 0\\.0\\.0\\.0:\\d+$`));
    }
    const taken = await store().galley(["run", "--rm", "-p", `${one}:80`, "busybox", "true"]);
    expect(taken.status).toBe(125);
    expect(taken.stderr).toContain("port is already allocated");
    await store().ok(["rm", "-f", "web"]);
  });

  testWith(root, "--ip gives the address, once", async () => {
    const subnet = await store().ok(["run", "--rm", "busybox", "sh", "-c", "ip route | awk '/default/ {print $3}'"]);
    const address = subnet.replace(/\.\d+$/, ".200");
    const show = "ip -4 -o addr show eth0 | awk '{print $4}' | cut -d/ -f1";
    await store().ok(["run", "-d", "--name", "has", "--ip", address, "busybox", "sleep", "1000"]);
    expect(await store().ok(["exec", "has", "sh", "-c", show])).toBe(address);
    const second = await store().galley(["run", "--rm", "--ip", address, "busybox", "true"]);
    expect(second.status).toBe(125);
    expect(second.stderr).toContain(address);
    await store().ok(["rm", "-f", "has"]);
  });

  async function answer(url: string): Promise<string> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await (await fetch(url)).text();
      } catch (failure) {
        if (attempt === 100) throw failure;
        await Bun.sleep(20);
      }
    }
  }
});
