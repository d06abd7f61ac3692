// The service worker: the HMI opens without the network, with the screen as it was last seen, marked as kept.
// It answers for HMI pages and their files alone: the API, dashboards, /sql and sign-in go to the network as ever.
import { forgetLastSeen } from "./last-seen.ts";

/** What the HMI needs, by hashed path; the bundler sets it. */
declare const HMI_ASSETS: readonly string[];

/** TypeScript has these in a library that excludes the pages' own. */
type WorkEvent = Event & { waitUntil(work: Promise<unknown>): void };
type RequestEvent = WorkEvent & {
  request: Request & { isReloadNavigation: boolean };
  respondWith(answer: Promise<Response>): void;
};
type PageMessage = WorkEvent & { data: { keep?: string } };
type Worker = {
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
  addEventListener(name: "install" | "activate", listener: (event: WorkEvent) => void): void;
  addEventListener(name: "fetch", listener: (event: RequestEvent) => void): void;
  addEventListener(name: "message", listener: (event: PageMessage) => void): void;
};
const worker = globalThis as unknown as Worker;

const ASSETS = "mtc-assets";
/** HMI pages of whoever is signed in, the one seen last at the end. */
const PAGES = "mtc-pages";
const OFFLINE = "mtc-offline";
const OFFLINE_PATH = "/offline";
/** Other machines' pages are forgotten, the longest unseen first. */
const MAX_PAGES = 60;
/** A page that takes longer is shown as it was; what comes later is kept for the next time. */
const PATIENCE_MS = 4_000;
/** Whoever loads a page anew wants it new: only where there is surely no answer they get what they had. */
const PATIENCE_RELOAD_MS = 20_000;
/** A proxy's word for a server that is away. */
const AWAY = [502, 503, 504];
/** Nothing of these is kept; but a kiosk without keyboard finds its way back from them. */
const OFFICE = /^\/(dashboard|admin|account)\b/;
const AT_THE_DOOR = ["/sign-in", "/sign-out", "/language"];

worker.addEventListener("install", (event) => {
  event.waitUntil(Promise.all([keepAssets(), keepOffline()]).then(() => worker.skipWaiting()));
});

worker.addEventListener("activate", (event) => {
  event.waitUntil(worker.clients.claim().then(renew));
});

worker.addEventListener("message", (event) => {
  const { keep: url } = event.data;
  if (url !== undefined && isHmi(new URL(url).pathname)) event.waitUntil(refresh(url).catch(() => {}));
});

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== location.origin) return;
  const isRead = request.method === "GET";
  if (isRead && pathname.startsWith("/assets/")) event.respondWith(asset(request));
  else if (request.mode !== "navigate") return;
  else if (AT_THE_DOOR.includes(pathname)) event.respondWith(door(request, pathname));
  else if (isRead && isHmi(pathname)) event.respondWith(screen(event));
  else if (isRead && OFFICE.test(pathname)) event.respondWith(fetch(request).catch(offline));
  else if (isRead && pathname === "/")
    event.respondWith(fetch(request).catch(() => Response.redirect("/hmi")));
});

/** The wall and machines' pages; not the fragments below them. */
const isHmi = (path: string): boolean => /^\/hmi(\/[^/]+)?$/.test(path) && path !== "/hmi/figures";

/** Files of this version and of pages kept from the one before: a name never changes its content. */
async function asset(request: Request): Promise<Response> {
  const files = await caches.open(ASSETS);
  return (await files.match(request.url)) ?? fetch(request);
}

/** From the network if it answers soon; else as it was kept, else the note that there is no connection. */
async function screen(event: RequestEvent): Promise<Response> {
  const { request } = event;
  const fresh = fetch(request).then(async (response) => {
    await keep(request.url, response.clone());
    return response;
  });
  event.waitUntil(fresh.catch(() => {}));
  const kept = () => keptPage(request.url);
  try {
    const answer = await Promise.race([fresh, late(request.isReloadNavigation)]);
    if (answer && !AWAY.includes(answer.status)) return answer;
    return (await kept()) ?? answer ?? (await fresh);
  } catch {
    return (await kept()) ?? offline();
  }
}

const late = (isReload: boolean): Promise<undefined> =>
  new Promise((resolve) => setTimeout(() => resolve(undefined), isReload ? PATIENCE_RELOAD_MS : PATIENCE_MS));

/** Marked, so that from its first paint on it does not look live. */
async function keptPage(url: string): Promise<Response | undefined> {
  const pages = await caches.open(PAGES);
  // Of a hall's wall that was not seen, the whole plant's.
  const found = (await pages.match(url)) ?? (await pages.match(new URL(url).pathname));
  if (!found) return undefined;
  const html = (await found.text()).replace("<html ", '<html data-kept data-link="lost" ');
  return new Response(html, { headers: headersOf(found) });
}

/** The body is unpacked already. */
function headersOf({ headers }: Response): Headers {
  const own = new Headers(headers);
  own.delete("content-encoding");
  own.delete("content-length");
  return own;
}

/** Keeps a page; forgets all of them where whoever saw them is no longer signed in. */
async function keep(url: string, response: Response): Promise<void> {
  if (response.type === "opaqueredirect" || response.redirected || response.status === 401) return forget();
  const pages = await caches.open(PAGES);
  if (response.status === 404 || response.status === 403) return void (await pages.delete(url));
  if (!response.ok) return;
  // Deleted first, so that it stands at the end.
  await pages.delete(url);
  await pages.put(url, response);
  const known = await pages.keys();
  for (const old of known.slice(0, Math.max(0, known.length - MAX_PAGES))) await pages.delete(old);
}

/** @throws where the server has no answer to give just now */
async function refresh(url: string): Promise<void> {
  const response = await fetch(url, { credentials: "same-origin", cache: "no-store" });
  if (response.status >= 500) throw new Error(`${response.status}`);
  await keep(url, response);
}

/** Whoever comes or goes, or reads in another language, sees no page of before. Leaving needs no network for that. */
async function door(request: Request, path: string): Promise<Response> {
  if (path === "/sign-out") await forget();
  try {
    const answer = await fetch(request);
    await forget();
    if (path === "/language") await keepOffline().catch(() => {});
    return answer;
  } catch {
    return offline();
  }
}

async function forget(): Promise<void> {
  await Promise.all([caches.delete(PAGES), forgetLastSeen().catch(() => {})]);
}

async function keepAssets(): Promise<void> {
  const files = await caches.open(ASSETS);
  const known = new Set((await files.keys()).map(({ url }) => new URL(url).pathname));
  await files.addAll(HMI_ASSETS.filter((path) => !known.has(path)));
}

/** In the reader's language. */
async function keepOffline(): Promise<void> {
  await (await caches.open(OFFLINE)).add(new Request(OFFLINE_PATH, { cache: "no-store" }));
}

async function offline(): Promise<Response> {
  const page = await (await caches.open(OFFLINE)).match(OFFLINE_PATH);
  return page ? new Response(page.body, { headers: headersOf(page), status: 503 }) : Response.error();
}

/** After an update: pages anew first, then files that none of them needs any more go. Without network all stay. */
async function renew(): Promise<void> {
  try {
    const pages = await caches.open(PAGES);
    for (const { url } of await pages.keys()) await refresh(url);
    await keepOffline();
  } catch {
    return;
  }
  const files = await caches.open(ASSETS);
  const needed = new Set(HMI_ASSETS);
  for (const { url } of await files.keys()) if (!needed.has(new URL(url).pathname)) await files.delete(url);
}
