// An agent that answers with recorded documents, one after another, as it once did; its probe is made of what they hold.

export type RecordedAgent = {
  url: string;
  /** Goes on to the next document. */
  next(): void;
  stop(): Promise<void>;
};

type Page = { text: string; created: string; instance: string; first: number; next: number; empty: string };

const number = (text: string, name: string): number => Number(new RegExp(`${name}="(\\d+)"`).exec(text)?.[1]);

function pageOf(text: string): Page {
  const sequences = [...text.matchAll(/ sequence="(\d+)"/g)].map(([, sequence]) => Number(sequence));
  return {
    text,
    created: /creationTime="([^"]*)"/.exec(text)?.[1] ?? "",
    instance: /instanceId="(\d+)"/.exec(text)?.[1] ?? "",
    first: Math.min(...sequences),
    next: number(text, "nextSequence"),
    empty: text.replace(/<Streams>.*<\/Streams>/s, "<Streams/>"),
  };
}

/** Serves the first document until `next`; an agent's buffer holds no more than the document that is served. */
export function serveRecorded(documents: string[]): RecordedAgent {
  const pages = documents.map(pageOf);
  const devices = devicesOf(documents);
  let at = 0;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      const { pathname, searchParams } = new URL(request.url);
      const page = pages[at] as Page;
      const xml = (body: string): Response => new Response(body, { headers: { "content-type": "text/xml" } });
      // The buffer that is left begins with the document.
      const bounded = (text: string): string =>
        text.replace(/firstSequence="\d+"/, `firstSequence="${page.first}"`);
      if (pathname.endsWith("/probe"))
        return xml(`${headOf("Devices", page)}<Devices>${devices}</Devices></MTConnectDevices>`);
      if (pathname.endsWith("/current")) return xml(bounded(page.empty));
      const from = Number(searchParams.get("from") ?? page.first);
      if (from < page.first || from > page.next) {
        const error = `<Errors><Error errorCode="OUT_OF_RANGE">'from' must be between ${page.first} and ${page.next}</Error></Errors>`;
        return xml(`${headOf("Error", page)}${error}</MTConnectError>`);
      }
      return xml(bounded(from === page.first ? page.text : page.empty));
    },
  });
  return {
    url: server.url.origin,
    next: () => {
      at += 1;
    },
    stop: () => server.stop(true),
  };
}

const headOf = (kind: string, { created, instance }: Page): string =>
  `<?xml version="1.0" encoding="UTF-8"?><MTConnect${kind} xmlns="urn:mtconnect.org:MTConnect${kind}:1.3">` +
  `<Header creationTime="${created}" sender="recorded" instanceId="${instance}" version="1.3.0.17" bufferSize="131072"/>`;

/** All devices of the documents with every data item that they ever said something of. */
function devicesOf(texts: string[]): string {
  const all = new Map<
    string,
    { head: string; components: Map<string, { tag: string; head: string; items: Map<string, string> }> }
  >();
  for (const [, name = "", uuid = "", streams = ""] of texts
    .join("")
    .matchAll(/<DeviceStream name="(\w+)" uuid="(\w+)">(.*?)<\/DeviceStream>/gs)) {
    const device = all.get(uuid) ?? {
      head: `id="${name}" name="${name}" uuid="${uuid}"`,
      components: new Map(),
    };
    all.set(uuid, device);
    for (const [, tag = "", own = "", id = "", body = ""] of streams.matchAll(
      /<ComponentStream component="(\w+)" name="([^"]+)" componentId="([^"]+)">(.*?)<\/ComponentStream>/gs,
    )) {
      const component = device.components.get(id) ?? {
        tag,
        head: `id="${id}" name="${own}"`,
        items: new Map(),
      };
      device.components.set(id, component);
      for (const [item_id, item] of itemsOf(body)) component.items.set(item_id, item);
    }
  }
  return [...all.values()]
    .map(({ head, components }) => {
      const parts = [...components.values()].map(({ tag, head: of, items }) => {
        const list = `<DataItems>${[...items.values()].join("")}</DataItems>`;
        return tag === "Device" ? list : `<Components><${tag} ${of}>${list}</${tag}></Components>`;
      });
      return `<Device ${head}>${parts.join("").replaceAll("</Components><Components>", "")}</Device>`;
    })
    .join("");
}

function itemsOf(component: string): Map<string, string> {
  const items = new Map<string, string>();
  for (const [, category = "", list = ""] of component.matchAll(
    /<(Samples|Events|Condition)>(.*?)<\/\1>/gs,
  )) {
    for (const [, tag = "", attributes = ""] of list.matchAll(/<(\w+) ([^>]*dataItemId="[^>]*)>/g)) {
      const of = (name: string): string | undefined =>
        new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1];
      const type =
        category === "Condition" ? of("type") : tag.replaceAll(/(?<!^)([A-Z])/g, "_$1").toUpperCase();
      const kind = { Samples: "SAMPLE", Events: "EVENT", Condition: "CONDITION" }[category];
      const more = ["name", "subType"]
        .flatMap((name) => (of(name) ? [`${name}="${of(name)}"`] : []))
        .join(" ");
      items.set(
        of("dataItemId") ?? "",
        `<DataItem category="${kind}" id="${of("dataItemId")}" type="${type}" ${more}/>`,
      );
    }
  }
  return items;
}
