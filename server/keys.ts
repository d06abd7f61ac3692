// API keys, users' sessions and the one-time sign-in link: who is asking, and what they may do.
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { mutex } from "../domain/lib/mutex.ts";
import { type ApiKey, DiskFull, type Store } from "../ingest/store/store.ts";
import { type Config, ConfigError, MIN_KEY_LENGTH } from "./config.ts";
import { Problem } from "./plugins/errors.ts";
import { type ShownUser, scopesOf, type UserPatch, Users } from "./users.ts";

export const SCOPES = ["read", "ingest", "operate", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

/** Who is asking: a key or a user, by an id and a name. `session` is set where a cookie said so. */
export type Caller = {
  tenant_id: string;
  id: string;
  name: string;
  kind: "key" | "user";
  scopes: readonly string[];
  session: boolean;
  /** Does it still hold: the key is there, the user is as it signed in? */
  holds: () => boolean;
};

/** Told of requests; what it throws is the answer. */
export type Door = {
  onRequest(caller: Caller): void;
  /** A key that nobody has. */
  onWrongKey(request: Request): void;
  /** For the security log. @param who a key's or a user's name, where one is known */
  refused(request: Request, why: string, who?: string): void;
};

const DEFAULT_TENANT = "default";
const SESSION_MS = 30 * 24 * 3_600_000;
const SIGN_IN_MS = 60 * 60_000;

const sha256 = (text: string): string => new Bun.CryptoHasher("sha256").update(text).digest("hex");
/** How the ids of keys begin that the settings gave. */
const SETTING = "setting-";
/** The year 9999. */
const FOR_EVER_MS = 253_370_764_800_000;
/** That a key was taken away is kept with the sessions, under a name that no session's cookie comes to. */
const revokedHash = (hash: string): string => `revoked:${hash}`;
/** How long a browser is known. */
const KNOWN_MS = 180 * 24 * 3_600_000;
const knownHash = (token: string): string => `known:${sha256(token)}`;
/** A link is kept with the sessions, under a name that no session's cookie comes to. */
const linkHash = (token: string): string => `link:${sha256(token)}`;
const secret = (bytes: number): string =>
  Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString("base64url");

/** Admin may do everything. */
export const allows = (caller: Caller, scope: Scope): boolean =>
  caller.scopes.includes("admin") || caller.scopes.includes(scope);

/**
 * The key in its file, which is made with a new one where it is missing.
 * @returns undefined where it holds none, as after a full disk: that must not become a key that everybody has
 * @throws ConfigError for that where there is no other key
 */
async function keyInFile(file: string, has_others: boolean): Promise<string | undefined> {
  if (!existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true });
    try {
      writeFileSync(file, `mtc_${secret(32)}\n`, { mode: 0o600 });
    } catch (error) {
      // Half a key would be one, to the next start.
      rmSync(file, { force: true });
      if (has_others) return undefined;
      throw new ConfigError(`${file}: no key can be written there: ${(error as Error).message}`);
    }
  }
  const key = (await Bun.file(file).text()).trim();
  if (key.length >= MIN_KEY_LENGTH) return key;
  if (has_others) return undefined;
  throw new ConfigError(`${file} holds no key; remove it, and a new one is made`);
}

export class Keys {
  readonly #store: Store;
  readonly users: Users;
  /** By the hash of the whole key: looking a hash up leaks nothing of the key by its timing. */
  readonly #by_hash = new Map<string, ApiKey>();
  /** A change while the keys are read would be forgotten, and a key that was taken away come back. */
  readonly #exclusive = mutex();
  /** When each key was last used, since the start; ms since 1970. */
  readonly #used = new Map<string, number>();
  /** What is told of whoever asks; it is set where the program is put together. */
  door: Door = { onRequest: () => {}, onWrongKey: () => {}, refused: () => {} };

  private constructor(store: Store, users: Users) {
    this.#store = store;
    this.users = users;
  }

  /** What other processes changed meanwhile, of users as well. @throws where the store cannot be read */
  async refresh(): Promise<void> {
    await this.#exclusive(async () => {
      const keys = await this.#store.keys();
      this.#by_hash.clear();
      for (const key of keys) this.#by_hash.set(key.hash, key);
    });
    await this.users.refresh();
  }

  /** Loads the keys; the first start takes the admin key from its file or makes one (mode 0600). */
  static async open(store: Store, config: Config): Promise<Keys> {
    const keys = new Keys(store, new Users(store));
    await keys.refresh();
    // Nobody asks a process that serves nothing.
    if (!config.roles.includes("api")) return keys;
    const key = config.admin_key ?? (await keyInFile(config.admin_key_file, keys.#by_hash.size > 0));
    if (key === undefined) return keys;
    try {
      await keys.#admit(key);
      // Of several processes each may have made a file of its own: only a key that was given is everybody's.
      if (config.admin_key !== undefined || config.profile === "embedded") await keys.#endFormer(key);
    } catch (error) {
      // A full disk takes no other key than it has; the next start tries again.
      if (!(error instanceof DiskFull)) throw error;
    }
    return keys;
  }

  /** The settings' admin key, unless an admin took it away. */
  async #admit(key: string): Promise<void> {
    const hash = sha256(key);
    const known = this.#by_hash.get(hash);
    if (known?.id.startsWith(SETTING) || (await this.#store.session(revokedHash(hash)))) return;
    // An earlier version did not note that it came from there.
    if (known) await this.#store.deleteKey(known.tenant_id, known.id);
    await this.create(DEFAULT_TENANT, "admin", ["admin"], key, `${SETTING}${hash.slice(0, 32)}`);
  }

  /** What the settings said before holds no more, nor do its sessions. */
  async #endFormer(key: string): Promise<void> {
    const hash = sha256(key);
    for (const former of [...this.#by_hash.values()]) {
      if (!former.id.startsWith(SETTING) || former.hash === hash) continue;
      this.#by_hash.delete(former.hash);
      await this.#store.deleteKey(former.tenant_id, former.id);
    }
  }

  /** Makes a key. @returns its record and the key itself, which is shown this once only */
  async create(
    tenant_id: string,
    name: string,
    scopes: readonly Scope[],
    key = `mtc_${secret(32)}`,
    id: string = crypto.randomUUID(),
  ): Promise<{ record: ApiKey; key: string }> {
    const record: ApiKey = {
      id,
      tenant_id,
      name,
      hash: sha256(key),
      scopes: [...scopes],
      created_ms: Date.now(),
    };
    await this.#exclusive(async () => {
      await this.#store.putKey(record);
      this.#by_hash.set(record.hash, record);
    });
    return { record, key };
  }

  /** @returns when a key was last used since the start, ms since 1970 */
  usedAt(id: string): number | undefined {
    return this.#used.get(id);
  }

  list(tenant_id: string): Omit<ApiKey, "hash">[] {
    return [...this.#by_hash.values()]
      .filter((key) => key.tenant_id === tenant_id)
      .map(({ hash: _, ...key }) => key);
  }

  /** @throws 409 for the last admin key where no user is admin: nobody could make another */
  delete(tenant_id: string, id: string): Promise<boolean> {
    return this.#exclusive(async () => {
      const key = this.#byId(id);
      if (key?.tenant_id !== tenant_id) return this.#store.deleteKey(tenant_id, id);
      const other_way_in = this.hasAdminKey(tenant_id, id) || this.users.hasAdmin(tenant_id);
      if (key.scopes.includes("admin") && !other_way_in) throw new Problem("last_admin", {});
      // First: a key that is gone but not noted would come back with the next start.
      if (id.startsWith(SETTING)) await this.#revoke(key.hash);
      this.#by_hash.delete(key.hash);
      this.#used.delete(id);
      return this.#store.deleteKey(tenant_id, id);
    });
  }

  /** Notes that the settings' key was taken away. */
  async #revoke(key_hash: string): Promise<void> {
    const hash = revokedHash(key_hash);
    if (!(await this.#store.session(hash)))
      await this.#store.putSession({ hash, holder_id: "", expires_ms: FOR_EVER_MS });
  }

  /** @returns who holds this API key, if anyone */
  byKey(key: string): Caller | undefined {
    const record = this.#by_hash.get(sha256(key));
    if (record) this.#used.set(record.id, Date.now());
    return record && this.#callerOfKey(record, false);
  }

  #callerOfKey({ tenant_id, id, name, scopes }: ApiKey, session: boolean): Caller {
    const holds = () => this.#byId(id) !== undefined;
    return { tenant_id, id, name, kind: "key", scopes, session, holds };
  }

  /** What a key or a user is called; its id where it is gone. */
  nameOf(id: string): string {
    return this.#byId(id)?.name ?? this.users.nameOf(id) ?? id;
  }

  /** Is there a key that may administrate, besides this one? */
  hasAdminKey(tenant_id: string, besides?: string): boolean {
    return [...this.#by_hash.values()].some(
      (key) => key.tenant_id === tenant_id && key.scopes.includes("admin") && key.id !== besides,
    );
  }

  /** @throws as {@link Users.patch} */
  patchUser(tenant_id: string, id: string, patch: UserPatch): Promise<ShownUser> {
    return this.users.patch(tenant_id, id, patch, () => this.hasAdminKey(tenant_id));
  }

  /** @throws as {@link Users.delete} */
  deleteUser(tenant_id: string, id: string): Promise<void> {
    return this.users.delete(tenant_id, id, () => this.hasAdminKey(tenant_id));
  }

  #byId(id: string): ApiKey | undefined {
    for (const key of this.#by_hash.values()) if (key.id === id) return key;
    return undefined;
  }

  async bySession(token: string): Promise<Caller | undefined> {
    const session = await this.#store.session(sha256(token));
    if (!session) return undefined;
    const key = this.#byId(session.holder_id);
    if (key) return this.#callerOfKey(key, true);
    const user = this.users.byId(session.holder_id);
    if (!user) return undefined;
    const { tenant_id, id, name, role } = user;
    const holds = (): boolean => {
      const now = this.users.byId(id);
      return now?.password_hash === user.password_hash && now.role === role;
    };
    return { tenant_id, id, name, kind: "user", scopes: scopesOf(role), session: true, holds };
  }

  /**
   * A token for a sign-in link: works once, for an hour, as the admin key, at whichever process.
   * @returns undefined where there is no admin key
   */
  async linkToken(): Promise<string | undefined> {
    const admin = [...this.#by_hash.values()].find((key) => key.scopes.includes("admin"));
    if (!admin) return undefined;
    const token = secret(24);
    const expires_ms = Date.now() + SIGN_IN_MS;
    await this.#store.putSession({ hash: linkHash(token), holder_id: admin.id, expires_ms });
    return token;
  }

  /** Uses a sign-in link's token up. @returns whose session it is for, or undefined where it holds no more */
  async useLink(token: string): Promise<string | undefined> {
    const hash = linkHash(token);
    const link = await this.#store.session(hash);
    // Whoever takes it away has it: it may be followed at several processes at once.
    return link && (await this.#store.deleteSession(hash)) ? link.holder_id : undefined;
  }

  /**
   * A browser that a user signed in from: who guesses the user's password elsewhere does not shut it out.
   * @returns a token for its cookie, which ends as sessions do, with another password or role
   */
  async knownBrowser(user_id: string): Promise<string> {
    const token = secret(24);
    const expires_ms = Date.now() + KNOWN_MS;
    await this.#store.putSession({ hash: knownHash(token), holder_id: user_id, expires_ms });
    return token;
  }

  /** Whether a user of that name signed in from there. */
  async isKnownBrowser(token: string, login: string): Promise<boolean> {
    const known = await this.#store.session(knownHash(token));
    return known !== undefined && this.users.byId(known.holder_id)?.login === login;
  }

  /** @returns the token of a new session of a key or a user */
  async openSession(holder_id: string): Promise<string> {
    const token = secret(32);
    await this.#store.putSession({ hash: sha256(token), holder_id, expires_ms: Date.now() + SESSION_MS });
    return token;
  }

  async signOut(token: string): Promise<void> {
    await this.#store.deleteSession(sha256(token));
  }
}
