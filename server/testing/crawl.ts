// Finds every page of the program by its own links: one of each kind, so that none is forgotten.

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
 * Follows links within the site, breadth first, as HTML and without a browser: a page's fragments are asked for as htmx does.
 * @param cookie the session's, as `name=value`
 * @param ids what counts as `:id` in a path
 * @returns of each kind of page the first address found: path and query; and links that led nowhere
 */
export async function crawl(
  origin: string,
  cookie: string,
  ids: readonly string[],
): Promise<{ pages: Map<string, string>; broken: string[] }> {
  const found = new Map<string, string>();
  const broken: string[] = [];
  const waiting = [...STARTS];
  const get = (url: string, headers = {}) =>
    fetch(url, { headers: { cookie, accept: "text/html", ...headers } });
  while (waiting.length > 0 && found.size < BOUND) {
    const address = waiting.shift() as string;
    const kind = kindOf(new URL(address, origin).pathname, ids);
    if (found.has(kind)) continue;
    const answer = await get(origin + address);
    if (!answer.ok) broken.push(`${address}: ${answer.status}`);
    if (!answer.ok || !isHtml(answer)) continue;
    found.set(kindOf(new URL(answer.url).pathname, ids), address);
    found.set(kind, address);
    const { links, fragments } = await within(answer, answer.url);
    waiting.push(...links);
    for (const fragment of fragments) {
      const part = await get(fragment, { "hx-request": "true", "hx-current-url": answer.url });
      if (!part.ok) broken.push(`${fragment} in ${address}: ${part.status}`);
      else if (isHtml(part)) waiting.push(...(await within(part, answer.url)).links);
    }
  }
  return { pages: found, broken };
}

const isHtml = ({ headers }: Response): boolean =>
  headers.get("content-type")?.startsWith("text/html") ?? false;

/** @returns what it leads to, without files to keep and other sites, as paths; and the fragments it fetches by itself, as URLs */
async function within(answer: Response, base: string): Promise<{ links: string[]; fragments: string[] }> {
  const links: string[] = [];
  const fragments: string[] = [];
  await new HTMLRewriter()
    .on("a[href]:not([download])", {
      element(link) {
        // An attribute comes as it is written.
        const url = new URL((link.getAttribute("href") ?? "").replaceAll("&amp;", "&"), base);
        const isOwn = url.origin === new URL(base).origin;
        if (isOwn && !/^\/(api|sql|assets|sign-in)\b/.test(url.pathname))
          links.push(url.pathname + url.search);
      },
    })
    .on('[hx-get][hx-trigger*="load"], [hx-get][hx-trigger*="revealed"], [hx-get][hx-trigger*="intersect"]', {
      element(part) {
        fragments.push(new URL((part.getAttribute("hx-get") ?? "").replaceAll("&amp;", "&"), base).href);
      },
    })
    .transform(answer)
    .text();
  return { links, fragments };
}
