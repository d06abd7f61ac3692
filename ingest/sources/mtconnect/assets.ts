// Fetches assets beside the stream: all of them at first contact, then each that the agent says has changed.

import { Backoff, type BackoffOptions } from "../../../domain/lib/backoff.ts";
import { sleep } from "../../../domain/lib/sleep.ts";
import type { AssetData } from "../../event.ts";
import { UNAVAILABLE } from "../../signals.ts";
import type { AssetRecord, Sink } from "../source.ts";
import { cut } from "../text.ts";
import { type Asset, MAX_ASSET_ID_LENGTH } from "./asset-document.ts";
import { type AgentClient, AgentError } from "./client.ts";
import { type DataItem, type Device, type DeviceStream, itemsOf } from "./document.ts";

/** What is recorded in one transaction. */
const MAX_COMMIT_BYTES = 1024 * 1024;
const MAX_COMMIT_ASSETS = 500;
/** More changes than this are not kept one by one: all assets are asked for instead. */
const MAX_WANTED = 1_000;
/** An asset that cannot be had is given up until the agent tells of it again. */
const MAX_ATTEMPTS = 8;

/** Of a device, by the data item's id: which tell of assets, and of what. */
const told = new WeakMap<Device, Map<string, DataItem["type"]>>();
const tellingOf = (device: Device): Map<string, string> =>
  told.getOrInsertComputed(
    device,
    () =>
      new Map(
        device.data_items
          .filter(({ type }) => type === "ASSET_CHANGED" || type === "ASSET_REMOVED")
          .map(({ id, type }) => [id, type]),
      ),
  );

/** What an AssetChanged or AssetRemoved observation tells. */
export type AssetChange = { machine_id: string; asset_id: string; ts_us: number; removed: boolean };

/** The changes of assets that a document tells of one device, in observations from `floor` up. */
export function assetChanges(
  machine_id: string,
  device: Device,
  streams: DeviceStream[],
  floor: number,
): AssetChange[] {
  const changes: AssetChange[] = [];
  const items = itemsOf(device, streams);
  if (!items) return changes;
  const telling = tellingOf(device);
  const types = items.ids.map((id) => telling.get(id));
  if (types.every((type) => type === undefined)) return changes;
  for (let i = 0; i < items.length; i++) {
    const type = types[items.id[i] as number];
    if (type === undefined) continue;
    const asset_id = items.words[(items.word[i] as number) - 1];
    const [sequence, ts_us] = [items.sequence[i] as number, items.ts_us[i] as number];
    if (!(sequence >= floor) || !asset_id || asset_id === UNAVAILABLE) continue;
    const removed = type === "ASSET_REMOVED";
    changes.push({ machine_id, asset_id: cut(asset_id, MAX_ASSET_ID_LENGTH), ts_us: ts_us || 0, removed });
  }
  return changes;
}

type Options = { client: AgentClient; sink: Sink; signal: AbortSignal; backoff: BackoffOptions };
type Followed = { machine_id: string; device: Device };

/** Fetches one thing at a time, however slowly the agent answers; nobody waits for it. */
export class AssetFollower {
  readonly #options: Options;
  readonly #backoff: Backoff;
  #followed: Followed[] = [];
  /** The agent has but one device: an asset that names none is its. */
  #is_alone = false;
  #wants_all = false;
  readonly #wanted = new Map<string, AssetChange & { attempts: number }>();
  #working: Promise<void> | undefined;

  constructor(options: Options) {
    this.#options = options;
    this.#backoff = new Backoff(options.backoff);
  }

  /** Whose assets to record from now on. */
  follow(followed: Followed[], is_alone: boolean): void {
    this.#followed = followed;
    this.#is_alone = is_alone;
  }

  /** Asks for every asset the agent holds: at first contact, and where observations of changes were lost. */
  wantAll(): void {
    this.#wants_all = true;
    this.#wanted.clear();
    this.#work();
  }

  want(changes: AssetChange[]): void {
    for (const change of changes) {
      // The last change counts: told last, fetched last.
      this.#wanted.delete(change.asset_id);
      this.#wanted.set(change.asset_id, { ...change, attempts: 0 });
    }
    if (this.#wanted.size > MAX_WANTED) this.wantAll();
    else if (changes.length > 0) this.#work();
  }

  /** Resolves when nothing is under way; call after the signal was aborted. */
  async stop(): Promise<void> {
    await this.#working;
  }

  #work(): void {
    this.#working ??= this.#fetchAll().finally(() => {
      this.#working = undefined;
    });
  }

  /** Never rejects: what fails is tried again later, and is no loss of contact. */
  async #fetchAll(): Promise<void> {
    const { signal } = this.#options;
    let failures = 0;
    while (!signal.aborted) {
      const [next] = this.#wanted.values();
      if (!this.#wants_all && !next) return;
      try {
        if (this.#wants_all) await this.#fetchEvery();
        else if (next) await this.#fetch(next);
        this.#backoff.reset();
        failures = 0;
      } catch {
        if (!this.#wants_all && next) this.#postpone(next);
        else if (++failures >= MAX_ATTEMPTS) this.#wants_all = false;
        await sleep(this.#backoff.next_ms(), signal);
      }
    }
  }

  async #fetchEvery(): Promise<void> {
    // Cleared first: what is told meanwhile may be missing in the answer.
    this.#wants_all = false;
    try {
      const assets = await this.#options.client.allAssets();
      await this.#record(assets, undefined);
    } catch (error) {
      // An agent that knows no assets says so; anything else may pass.
      if (error instanceof AgentError) return;
      this.#wants_all = true;
      throw error;
    }
  }

  async #fetch(change: AssetChange): Promise<void> {
    const assets = await this.#assetsOf(change);
    await this.#record(assets, change);
    if (this.#wanted.get(change.asset_id) === change) this.#wanted.delete(change.asset_id);
  }

  /** Agents forget what was removed, sooner or later: then the observation is all that is known. */
  async #assetsOf({ asset_id, ts_us, removed }: AssetChange): Promise<Asset[]> {
    try {
      return (await this.#options.client.asset(asset_id)).filter((asset) => asset.asset_id === asset_id);
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      return removed
        ? [{ asset_id, type: "", ts_us, removed, device_uuid: "", document: "", omitted_bytes: 0 }]
        : [];
    }
  }

  #postpone(change: AssetChange): void {
    const wanted = this.#wanted.get(change.asset_id);
    if (wanted !== change) return;
    this.#wanted.delete(change.asset_id);
    if (++wanted.attempts < MAX_ATTEMPTS) this.#wanted.set(change.asset_id, wanted);
  }

  /** One for each machine that the asset belongs to. */
  #records(asset: Asset, change: AssetChange | undefined): AssetRecord[] {
    const { asset_id, type, device_uuid, document, omitted_bytes } = asset;
    const owners = this.#followed
      .filter(({ device }) => device_uuid === device.uuid || (device_uuid === "" && this.#is_alone))
      .map(({ machine_id }) => machine_id);
    if (owners.length === 0 && change) owners.push(change.machine_id);
    const removed = asset.removed || change?.removed === true;
    // Some agents leave a removed asset with the time it had before.
    const ts_us = change?.removed ? Math.max(asset.ts_us, change.ts_us) : asset.ts_us || (change?.ts_us ?? 0);
    const data: AssetData["asset"] = { asset_id, type, ts_us, removed, document, omitted_bytes };
    const hash = new Bun.CryptoHasher("sha256")
      .update(JSON.stringify([type, removed, document, ...(omitted_bytes > 0 ? [omitted_bytes] : [])]))
      .digest("hex");
    const dedupe_key = `asset:${data.asset_id}:${ts_us}:${hash.slice(0, 32)}`;
    return owners.map((machine_id) => ({ machine_id, asset: data, dedupe_key }));
  }

  /** A group is made when the one before is on the disk: others have their turn meanwhile. */
  async #record(assets: Asset[], change: AssetChange | undefined): Promise<void> {
    let group: AssetRecord[] = [];
    let size_bytes = 0;
    for (const asset of assets) {
      group.push(...this.#records(asset, change));
      size_bytes += asset.document.length;
      if (size_bytes < MAX_COMMIT_BYTES && group.length < MAX_COMMIT_ASSETS) continue;
      await this.#options.sink.assets(group);
      [group, size_bytes] = [[], 0];
    }
    if (group.length > 0) await this.#options.sink.assets(group);
  }
}
