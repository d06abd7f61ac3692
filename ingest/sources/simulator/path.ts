// The part of XPath that clients put in `path=`: steps by element name with tests on attributes.
import type { ComponentModel, DataItemModel } from "./model.ts";

/** A component of the device model or, last in a chain, a data item. */
type Named = { element: string; attributes: Record<string, string | undefined> };
type Step = { anywhere: boolean; name: string; test: (node: Named) => boolean };

/**
 * Compiles paths like `//Axes//DataItem[@type="LOAD" or @type="ANGLE"]`, joined by `|`.
 * @returns whether a data item is meant by the path (itself, or a component above it); undefined for what
 *   is no path or more of XPath than this simulator speaks
 */
export function compilePath(
  path: string,
): ((chain: ComponentModel[], item: DataItemModel) => boolean) | undefined {
  const alternatives = path.split("|").map((part) => parseSteps(part.trim()));
  if (alternatives.some((steps) => steps === undefined)) return undefined;
  return (chain, item) => {
    const nodes = nodesOf(chain, item);
    return alternatives.some((steps) => steps && matches(steps, 0, nodes, 0));
  };
}

const STEP = /^(\/\/?)(?:[A-Za-z]\w*:)?(\*|[A-Za-z]\w*)(?:\[([^[\]]*)\])?/;
const TEST = /^@([A-Za-z]\w*)\s*=\s*(?:"([^"]*)"|'([^']*)')$/;

function parseSteps(path: string): Step[] | undefined {
  const steps: Step[] = [];
  let rest = path;
  while (rest !== "") {
    const match = STEP.exec(rest);
    if (!match) return undefined;
    const test = parseTest(match[3]);
    if (!test) return undefined;
    steps.push({ anywhere: match[1] === "//", name: match[2] ?? "*", test });
    rest = rest.slice(match[0].length);
  }
  return steps.length > 0 ? steps : undefined;
}

/** `@a="x" and @b="y" or @c="z"`: `and` binds closer than `or`. */
function parseTest(predicate: string | undefined): ((node: Named) => boolean) | undefined {
  if (predicate === undefined) return () => true;
  const any = predicate
    .split(/\s+or\s+/)
    .map((all) => all.split(/\s+and\s+/).map((t) => TEST.exec(t.trim())));
  if (any.some((all) => all.some((test) => test === null))) return undefined;
  return (node) =>
    any.some((all) => all.every((t) => node.attributes[t?.[1] ?? ""] === (t?.[2] ?? t?.[3] ?? "")));
}

function nodesOf(chain: ComponentModel[], item: DataItemModel): Named[] {
  const components = chain.map(({ element, id, name, attributes, ...rest }) => ({
    element,
    attributes: { ...attributes, id, name, uuid: "uuid" in rest ? String(rest.uuid) : undefined },
  }));
  const { attributes, constraints: _, source: __, ...own } = item;
  return [...components, { element: "DataItem", attributes: { ...attributes, ...own } }];
}

/** Elements that only hold others: a path may name them, the chain leaves them out. */
const HOLDERS = new Set(["MTConnectDevices", "Devices", "Components", "DataItems"]);

function matches(steps: Step[], step: number, nodes: Named[], node: number): boolean {
  const wanted = steps[step];
  if (!wanted) return true;
  if (HOLDERS.has(wanted.name)) return matches(steps, step + 1, nodes, node);
  const last = wanted.anywhere ? nodes.length - 1 : node;
  for (let i = node; i <= last; i++) {
    const here = nodes[i];
    const named = here && (wanted.name === "*" || wanted.name === here.element);
    if (named && wanted.test(here) && matches(steps, step + 1, nodes, i + 1)) return true;
  }
  return false;
}
