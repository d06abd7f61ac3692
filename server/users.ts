// People who sign in with a name and a password: their roles, and what may be done to them.
import { mutex } from "../domain/lib/mutex.ts";
import { badInput, inputError } from "../ingest/problem.ts";
import type { Role, Store, User } from "../ingest/store/store.ts";
import type { Scope } from "./keys.ts";
import { isGuessable, Passwords } from "./passwords.ts";
import { notFound, Problem } from "./plugins/errors.ts";

export const MIN_PASSWORD_LENGTH = 10;
/** Users of one tenant (invariant 7). */
const MAX_USERS = 1_000;

const SCOPES_OF: Record<Role, readonly Scope[]> = {
  operator: ["read", "operate"],
  manager: ["read"],
  admin: ["admin"],
};

/** A user as outsiders see it. */
export type ShownUser = { id: string; name: string; role: Role; disabled: boolean; created: string };
export type NewUser = { name: string; password: string; role: Role };
export type UserPatch = Partial<NewUser & { disabled: boolean }>;

export const scopesOf = (role: Role): readonly Scope[] => SCOPES_OF[role];

/** A name as it is looked for: however it is typed, it is the same person. */
export const loginOf = (name: string): string => name.normalize("NFKC").trim().toLowerCase();

export class Users {
  readonly #store: Store;
  readonly #passwords = new Passwords();
  readonly #by_id = new Map<string, User>();
  /** One change after the other, so that two at once cannot take the last admin away. */
  readonly #exclusive = mutex();

  /** It knows nobody before the first `refresh`. */
  constructor(store: Store) {
    this.#store = store;
  }

  /** What other processes changed meanwhile. @throws where the store cannot be read */
  refresh(): Promise<void> {
    return this.#exclusive(async () => {
      const users = await this.#store.users();
      this.#by_id.clear();
      for (const user of users) this.#by_id.set(user.id, user);
    });
  }

  list(tenant_id: string): ShownUser[] {
    const own = [...this.#by_id.values()].filter((user) => user.tenant_id === tenant_id);
    return own.sort((a, b) => a.name.localeCompare(b.name)).map(shown);
  }

  /** Whoever may sign in; a disabled user is none. */
  byId(id: string): User | undefined {
    const user = this.#by_id.get(id);
    return user?.disabled ? undefined : user;
  }

  /** Whoever has that name, see {@link loginOf}. */
  byLogin(login: string): User | undefined {
    return [...this.#by_id.values()].find((one) => one.login === login);
  }

  /** Also of one that is disabled. */
  nameOf(id: string): string | undefined {
    return this.#by_id.get(id)?.name;
  }

  /** @throws 422 for a name or password that is none, 409 where the name is taken */
  create(tenant_id: string, input: NewUser): Promise<ShownUser> {
    return this.#exclusive(async () => {
      if (this.list(tenant_id).length >= MAX_USERS) throw new Problem("too_many_users", { max: MAX_USERS });
      const named = this.#named(input.name);
      const user: User = {
        id: crypto.randomUUID(),
        tenant_id,
        ...named,
        password_hash: await this.#hash(input.password, named.login),
        role: input.role,
        disabled: false,
        created_ms: Date.now(),
      };
      await this.#put(user, false);
      return shown(user);
    });
  }

  /**
   * A new password, another role and a disabling end the user's sessions at once.
   * @param other_way_in is there an admin besides the users (an admin key)?
   * @throws 404, 422 as with `create`, 409 where nobody could administrate any more
   */
  patch(tenant_id: string, id: string, patch: UserPatch, other_way_in: () => boolean): Promise<ShownUser> {
    return this.#exclusive(async () => {
      const before = this.#get(tenant_id, id);
      const named = patch.name === undefined ? before : { ...before, ...this.#named(patch.name, id) };
      const user: User = {
        ...named,
        ...(patch.password === undefined
          ? {}
          : { password_hash: await this.#hash(patch.password, named.login) }),
        role: patch.role ?? before.role,
        disabled: patch.disabled ?? before.disabled,
      };
      if (!isAdmin(user)) this.#keepOneAdmin(before, other_way_in);
      await this.#put(user, patch.password !== undefined || user.disabled || user.role !== before.role);
      return shown(user);
    });
  }

  /** @throws 404, 409 as with `patch` */
  delete(tenant_id: string, id: string, other_way_in: () => boolean): Promise<void> {
    return this.#exclusive(async () => {
      this.#keepOneAdmin(this.#get(tenant_id, id), other_way_in);
      await this.#store.deleteUser(tenant_id, id);
      this.#by_id.delete(id);
    });
  }

  /** Is there anybody at all, disabled or not? */
  get any(): boolean {
    return this.#by_id.size > 0;
  }

  /** Is there a user who may administrate, besides this one? */
  hasAdmin(tenant_id: string, besides?: string): boolean {
    return [...this.#by_id.values()].some(
      (user) => user.tenant_id === tenant_id && isAdmin(user) && user.id !== besides,
    );
  }

  /** @returns who signs in so; takes as long for a name that nobody has */
  async bySignIn(name: string, password: string): Promise<User | undefined> {
    const user = this.byLogin(loginOf(name));
    const right = await this.#passwords.verify(password, user?.password_hash);
    // Looked at again: it may have been changed meanwhile.
    const now = user && this.byId(user.id);
    return right && now?.password_hash === user?.password_hash ? now : undefined;
  }

  isPasswordOf(id: string, password: string): Promise<boolean> {
    return this.#passwords.verify(password, this.byId(id)?.password_hash);
  }

  #get(tenant_id: string, id: string): User {
    const user = this.#by_id.get(id);
    if (user?.tenant_id !== tenant_id) throw notFound("user", id);
    return user;
  }

  #named(name: string, own_id?: string): Pick<User, "name" | "login"> {
    const login = loginOf(name);
    if (login === "") throw badInput("/name", "empty");
    const taken = [...this.#by_id.values()].some((user) => user.login === login && user.id !== own_id);
    if (taken) {
      const params = { name: name.trim() };
      throw new Problem("name_taken", params, { errors: [inputError("/name", "name_taken", params)] });
    }
    return { name: name.trim(), login };
  }

  async #hash(password: string, login: string): Promise<string> {
    if ([...password].length < MIN_PASSWORD_LENGTH)
      throw badInput("/password", "password_short", { min: MIN_PASSWORD_LENGTH });
    if (isGuessable(password, login)) throw badInput("/password", "password_guessable");
    return this.#passwords.hash(password);
  }

  #keepOneAdmin(user: User, other_way_in: () => boolean): void {
    if (!isAdmin(user) || this.hasAdmin(user.tenant_id, user.id) || other_way_in()) return;
    throw new Problem("last_admin", {});
  }

  async #put(user: User, ends_sessions: boolean): Promise<void> {
    await this.#store.putUser(user, ends_sessions);
    this.#by_id.set(user.id, user);
  }
}

const isAdmin = ({ role, disabled }: User): boolean => role === "admin" && !disabled;

const shown = ({ id, name, role, disabled, created_ms }: User): ShownUser => ({
  id,
  name,
  role,
  disabled,
  created: new Date(created_ms).toISOString(),
});
