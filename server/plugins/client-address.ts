// Whose failures count together: the address that a request comes from.
import { isIP } from "node:net";

type Server = { requestIP(request: Request): { address: string } | null } | null;

/**
 * Of the one who connects. Behind proxies that is a proxy, so where the settings say how many there are, it is what the
 * outermost of them wrote into X-Forwarded-For; whatever stands before that may be anybody's invention.
 * @param proxies how many there are, each of which appends whom it saw
 */
export function clientAddress(server: Server, request: Request, proxies: number): string {
  const peer = server?.requestIP(request)?.address ?? "";
  const seen = (request.headers.get("x-forwarded-for") ?? "").split(",");
  const told = proxies > 0 ? bare(seen.at(-proxies) ?? "") : "";
  return network(isIP(told) ? told : peer);
}

/** Some proxies write the port as well. */
const bare = (address: string): string =>
  /^\[(.+)\](:\d+)?$/.exec(address.trim())?.[1] ?? address.trim().replace(/^([\d.]+):\d+$/, "$1");

/** Who has one IPv6 address has all of its /64. */
function network(address: string): string {
  const mapped = /^::ffff:([\d.]+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (isIP(address) !== 6) return address;
  const [head = "", tail] = address.split("%")[0]?.split("::") ?? [];
  const groups = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  if (tail !== undefined) {
    // An IPv4 address at the end takes the place of two groups.
    const size = groups.length + after.length + (tail.includes(".") ? 1 : 0);
    groups.push(...Array<string>(Math.max(0, 8 - size)).fill("0"), ...after);
  }
  const shown = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${shown.join(":")}::/64`;
}
