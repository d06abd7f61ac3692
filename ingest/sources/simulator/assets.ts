// The assets an agent holds: the newest first, the oldest dropped over the limit, removed ones kept as removed.

/** Assets an agent keeps. */
export const ASSET_BUFFER = 1024;

export type Asset = {
  asset_id: string;
  /** The element: CuttingTool, File, Fixture … */
  type: string;
  device_uuid: string;
  timestamp_us: number;
  removed: boolean;
  /** Further attributes of the element: serialNumber, toolId … */
  attributes: Record<string, string>;
  /** What the element holds, as XML. */
  body: string;
};

/** Which assets a client asks for; nothing is all that are not removed. */
export type AssetFilter = {
  type?: string | null;
  device_uuid?: string | undefined;
  removed?: boolean;
  count?: number | undefined;
};

export class Assets {
  /** In order of their last change. */
  readonly #by_id = new Map<string, Asset>();

  /** Those that are not removed. */
  get count(): number {
    return [...this.#by_id.values()].filter(({ removed }) => !removed).length;
  }

  /** How many of a device there are of each type. */
  countByType(device_uuid: string): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const asset of this.#by_id.values())
      if (asset.device_uuid === device_uuid)
        counts[asset.type] = (counts[asset.type] ?? 0) + (asset.removed ? 0 : 1);
    return counts;
  }

  get(id: string): Asset | undefined {
    return this.#by_id.get(id);
  }

  put(asset: Asset): void {
    this.#by_id.delete(asset.asset_id);
    this.#by_id.set(asset.asset_id, asset);
    const [oldest] = this.#by_id.keys();
    if (this.#by_id.size > ASSET_BUFFER && oldest !== undefined) this.#by_id.delete(oldest);
  }

  /** The newest first. */
  list({ type, device_uuid, removed = false, count = ASSET_BUFFER }: AssetFilter): Asset[] {
    return [...this.#by_id.values()]
      .reverse()
      .filter(
        (asset) =>
          (!type || asset.type === type) &&
          (device_uuid === undefined || asset.device_uuid === device_uuid) &&
          (removed || !asset.removed),
      )
      .slice(0, count);
  }
}
