// The product following a plant of simulated machines: for what it costs and how late it is.
import { machineId } from "./observations.ts";
import type { Plant, PlantJob } from "./plant.process.ts";
import { startProcess } from "./process.ts";
import { createMachines, type Product, withProduct } from "./product.ts";

/** Until collectors have caught up with the plant's beginning. */
const CONNECTED_WITHIN_MS = 60_000;

/** Starts a plant and the product on it for `use`; both are stopped afterwards. */
export async function withPlant<T>(job: PlantJob, use: (product: Product) => Promise<T>): Promise<T> {
  const plant = await startProcess<PlantJob, Plant>("plant.process.ts", job);
  try {
    return await withProduct(0, async (product) => {
      await createMachines(product.server, job.machines, (n) => ({
        kind: "mtconnect",
        url: plant.answer.urls[n],
        device: machineId(n),
      }));
      await connected(product);
      return await use(product);
    });
  } finally {
    await plant.stop();
  }
}

type Ready = { sources: { state: string }[] };

async function connected({ server }: Product): Promise<void> {
  const end = performance.now() + CONNECTED_WITHIN_MS;
  while (performance.now() < end) {
    const { body } = await server.call<Ready>("GET", "/readyz");
    if (body.sources.length > 0 && body.sources.every(({ state }) => state === "streaming")) return;
    await Bun.sleep(100);
  }
  throw new Error("the collectors do not reach all agents");
}
