// Finds every page of the program by its own links: one of each kind, so that none is forgotten.
import type { Page } from "playwright-core";

/** Where a person begins. */
const STARTS = ["/hmi", "/dashboard"];
const BOUND = 60;

/**
 * The kind of a page: its path with names of machines and the like as `:id`.
 * `/dashboard/mill-1/explain` is `/dashboard/:id/explain`.
 */
export function kindOf(path: string, ids: readonly string[]): string {
  const known = new Set(ids);
  return path
    .split("/")
    .map((part) => (known.has(decodeURIComponent(part)) ? ":id" : part))
    .join("/");
}

/**
 * Follows links within the site, breadth first, signed in as the page's context is.
 * @param ids what counts as `:id` in a path
 * @returns of each kind of page the first address found: path and query; and links that led nowhere
 */
export async function crawl(
  page: Page,
  origin: string,
  ids: readonly string[],
): Promise<{ pages: Map<string, string>; broken: string[] }> {
  const found = new Map<string, string>();
  const broken: string[] = [];
  const waiting = [...STARTS];
  while (waiting.length > 0 && found.size < BOUND) {
    const address = waiting.shift() as string;
    const kind = kindOf(new URL(address, origin).pathname, ids);
    if (found.has(kind)) continue;
    const answer = await page.goto(origin + address);
    const type = answer?.headers()["content-type"] ?? "";
    if (!answer?.ok()) broken.push(`${address}: ${answer?.status()}`);
    if (!answer?.ok() || !type.startsWith("text/html")) continue;
    found.set(kindOf(new URL(page.url()).pathname, ids), address);
    found.set(kind, address);
    for (const next of await page.evaluate(links)) waiting.push(next);
  }
  return { pages: found, broken };
}

/** Runs in the page: what its links lead to, without files to keep and other sites. */
function links(): string[] {
  return [...document.querySelectorAll<HTMLAnchorElement>("a[href]:not([download])")]
    .map(({ href }) => new URL(href))
    .filter((url) => url.origin === location.origin && !/^\/(api|sql|assets|sign-in)\b/.test(url.pathname))
    .map((url) => url.pathname + url.search);
}
