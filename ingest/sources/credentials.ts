// A source's password is shown to nobody: what stands in its place, and how it comes back.
import { badInput } from "../problem.ts";
import type { MachineSource } from "./model.ts";

const MASK = "***";

/** The address with its credentials, where it has any. */
function withCredentials(text: string): URL | undefined {
  const url = URL.parse(text);
  return url && (url.username !== "" || url.password !== "") ? url : undefined;
}

/** An address as it may be shown: `user:***@` for a password, `***@` where there is but one word, which may be a token. */
export function maskedUrl(text: string): string {
  const url = withCredentials(text);
  if (!url) return text;
  if (url.password === "") url.username = MASK;
  else url.password = MASK;
  // An address without a path gets none.
  return url.href.replace(/\/$/, text.endsWith("/") ? "/" : "");
}

/** An address for whoever may not even know the user: `/readyz` asks for no key. */
export function withoutCredentials(text: string): string {
  const url = withCredentials(text);
  if (!url) return text;
  url.username = url.password = "";
  return url.href.replace(/\/$/, text.endsWith("/") ? "/" : "");
}

export const maskedSource = (source: MachineSource): MachineSource =>
  source.kind === "mtconnect" ? { ...source, url: maskedUrl(source.url) } : source;

/**
 * A source as somebody sends it back who was shown it masked: the password is the one it had. It goes nowhere else: of
 * another host, scheme or user the password is not known.
 * @throws BadInput at `/source/url` where a mask stands for nothing that is known
 */
export function unmaskedSource(source: MachineSource, before: MachineSource | undefined): MachineSource {
  if (source.kind !== "mtconnect") return source;
  const url = withCredentials(source.url);
  if (!url || (url.password !== MASK && !(url.password === "" && url.username === MASK))) return source;
  const known = before?.kind === "mtconnect" ? withCredentials(before.url) : undefined;
  const masked = known && withCredentials(maskedUrl(known.href));
  const same =
    known &&
    masked?.origin === url.origin &&
    masked.username === url.username &&
    masked.password === url.password;
  if (!same) throw badInput("/source/url", "password_masked");
  url.username = known.username;
  url.password = known.password;
  return { ...source, url: url.href.replace(/\/$/, source.url.endsWith("/") ? "/" : "") };
}
