// Machines, keys, users and sessions: what is small, and read whole.
import type { ClientSession } from "mongodb";
import type { ApiKey, Machine, Session, User } from "../store.ts";
import type { Together } from "./committer.ts";
import type { Collections, KeyDoc, MachineDoc, UserDoc } from "./documents.ts";

export const machineDoc = ({ id, ...machine }: Machine): MachineDoc => {
  const { source, calendar, cycle_times, policy, rules, ...plain } = machine;
  const texts = Object.entries({ source, calendar, cycle_times, policy, rules });
  const config = Object.fromEntries(texts.map(([name, value]) => [name, JSON.stringify(value)]));
  return { _id: id, ...plain, config: config as MachineDoc["config"] };
};

/** What is to be set so that a machine is the one and no more the other; others may set the rest meanwhile. */
export function machineChange(before: Machine, after: Machine): Record<string, unknown> {
  const fields = ({ _id, config, ...plain }: MachineDoc) => [
    ...Object.entries(plain),
    ...Object.entries(config).map(([name, text]) => [`config.${name}`, text] as const),
  ];
  const was = new Map<string, unknown>(fields(machineDoc(before)));
  return Object.fromEntries(fields(machineDoc(after)).filter(([name, value]) => was.get(name) !== value));
}

const machineOf = ({ _id, config, ...machine }: MachineDoc): Machine => ({
  id: _id,
  source_since_ms: machine.created_ms,
  ...machine,
  ...(Object.fromEntries(Object.entries(config).map(([name, text]) => [name, JSON.parse(text)])) as Pick<
    Machine,
    keyof MachineDoc["config"]
  >),
});
const keyOf = ({ _id, ...key }: KeyDoc): ApiKey => ({ id: _id, ...key });
const userOf = ({ _id, ...user }: UserDoc): User => ({ id: _id, ...user });

/** Counts the changes of machines, keys and users, so that other processes see that there was one. */
const SETTINGS_COUNTER = "settings";

/** Told after the change: cut off in between, others read it when the next one comes, or by the minute. */
export async function settingsChanged({ counters }: Pick<Collections, "counters">): Promise<void> {
  await counters.updateOne({ _id: SETTINGS_COUNTER }, { $inc: { last: 1 } }, { upsert: true });
}

export class Settings {
  readonly #collections: Collections;
  readonly #together: Together;

  constructor(collections: Collections, together: Together) {
    this.#collections = collections;
    this.#together = together;
  }

  async version(): Promise<number> {
    return (await this.#collections.counters.findOne({ _id: SETTINGS_COUNTER }))?.last ?? 0;
  }

  async machines(): Promise<Machine[]> {
    return (await this.#collections.machines.find().sort({ name: 1 }).toArray()).map(machineOf);
  }

  async keys(): Promise<ApiKey[]> {
    return (await this.#collections.keys.find().sort({ created_ms: 1 }).toArray()).map(keyOf);
  }

  async putKey({ id, ...key }: ApiKey): Promise<void> {
    await this.#collections.keys.replaceOne({ _id: id }, key, { upsert: true });
    await settingsChanged(this.#collections);
  }

  async deleteKey(tenant_id: string, id: string): Promise<boolean> {
    const { deletedCount } = await this.#collections.keys.deleteOne({ _id: id, tenant_id });
    await this.#endSessions(id);
    await settingsChanged(this.#collections);
    return deletedCount > 0;
  }

  async users(): Promise<User[]> {
    return (await this.#collections.users.find().sort({ created_ms: 1 }).toArray()).map(userOf);
  }

  /** Without transactions the user is changed first: cut off then, whoever changed it got no answer and does it again. */
  async putUser({ id, ...user }: User, ends_sessions: boolean): Promise<void> {
    await this.#together(async (session) => {
      const options = session ? { session } : {};
      await this.#collections.users.replaceOne({ _id: id }, user, { ...options, upsert: true });
      if (ends_sessions) await this.#endSessions(id, session);
    });
    await settingsChanged(this.#collections);
  }

  async deleteUser(tenant_id: string, id: string): Promise<boolean> {
    let gone = false;
    await this.#together(async (session) => {
      const { users } = this.#collections;
      const { deletedCount } = await users.deleteOne({ _id: id, tenant_id }, session ? { session } : {});
      gone = deletedCount > 0;
      if (gone) await this.#endSessions(id, session);
    });
    await settingsChanged(this.#collections);
    return gone;
  }

  async #endSessions(holder_id: string, session?: ClientSession): Promise<void> {
    await this.#collections.sessions.deleteMany({ holder_id }, session ? { session } : {});
  }

  async session(hash: string): Promise<Session | undefined> {
    const doc = await this.#collections.sessions.findOne({ _id: hash, expires_ms: { $gte: Date.now() } });
    return doc ? { hash: doc._id, holder_id: doc.holder_id, expires_ms: doc.expires_ms } : undefined;
  }

  async putSession({ hash, ...session }: Session): Promise<void> {
    await this.#collections.sessions.insertOne({
      _id: hash,
      ...session,
      expires: new Date(session.expires_ms),
    });
  }

  async deleteSession(hash: string): Promise<boolean> {
    const { deletedCount } = await this.#collections.sessions.deleteOne({ _id: hash });
    return deletedCount > 0;
  }

  /** What a server with TTL indexes does by itself. */
  async deleteExpired(): Promise<void> {
    await this.#collections.sessions.deleteMany({ expires: { $lt: new Date() } });
  }
}
