// Which addresses a source may have: machines stand in private networks, but never where only the host itself answers.
import { lookup as lookupAll } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { detailOf } from "../../domain/problem.ts";

/**
 * Private networks and loopback are what a plant means. Link-local addresses are not: clouds serve their credentials
 * there. Nor are multicast, broadcast and "this host", which no machine has.
 */
const REFUSED = new BlockList();
for (const [net, bits] of [
  ["0.0.0.0", 8],
  ["169.254.0.0", 16],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
  // Alibaba Cloud's metadata.
  ["100.100.100.200", 32],
  // Azure's, which is a public address by its number.
  ["168.63.129.16", 32],
] as const) {
  REFUSED.addSubnet(net, bits, "ipv4");
}
for (const [net, bits] of [
  ["::", 128],
  ["fe80::", 10],
  ["ff00::", 8],
  // AWS's metadata; link-local and metadata through NAT64.
  ["fd00:ec2::254", 128],
  ["64:ff9b::a9fe:0", 112],
  ["64:ff9b::a83f:8110", 128],
  ["64:ff9b::6464:64c8", 128],
] as const) {
  REFUSED.addSubnet(net, bits, "ipv6");
}

/** The address is none that a source may have. */
export class RefusedAddress extends Error {
  override readonly name = "RefusedAddress";
  readonly address: string;
  constructor(address: string) {
    super(detailOf("reserved_address", { address }));
    this.address = address;
  }
}

/** An address, or a name as it stands in a URL, brackets and all. @throws RefusedAddress; a name is checked by its lookup */
export function checkAddress(host: string): void {
  const address = host.replace(/^\[|\]$/g, "");
  const version = isIP(address);
  if (version !== 0 && REFUSED.check(address, version === 4 ? "ipv4" : "ipv6"))
    throw new RefusedAddress(address);
}

/**
 * For `net.connect` and `http.request`: what the name resolves to is checked, and just that is connected to. So no
 * second look-up can lead elsewhere.
 */
export const lookupChecked: LookupFunction = (host, options, done) => {
  lookupAll(host, { ...options, all: true }, (error, found) => {
    try {
      if (error) throw error;
      for (const { address } of found) checkAddress(address);
    } catch (refused) {
      done(refused as Error, "", 0);
      return;
    }
    const [first] = found;
    if (options.all) done(null, found);
    else done(null, first?.address ?? "", first?.family);
  });
};
