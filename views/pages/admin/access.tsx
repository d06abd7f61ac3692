// Who comes in: people with a name and a password, programs with a key.
/** @jsxImportSource preact */
import { EnterSaves, FormErrors, Input, Select } from "../../components/form.tsx";
import { clockOrDay, day } from "../../format.ts";
import type { AdminAccessProps, ShownKey, ShownUser } from "../../model.ts";
import { text } from "../../text.ts";
import { AdminFrame, Done } from "./frame.tsx";

const ROLES = ["operator", "manager", "admin"] as const;
const SCOPES = ["read", "ingest", "operate", "admin"] as const;

export function AdminAccess(props: AdminAccessProps) {
  const { shell, users, keys, done, new_key } = props;
  const words = text.access;
  return (
    <AdminFrame shell={shell} room="access" title={words.title}>
      <h1>{words.title}</h1>
      {done && <Done>{words.done[done]}</Done>}
      {new_key && <NewKey {...new_key} />}
      <section class="panel">
        <h2>{words.users}</h2>
        {users.length === 0 ? (
          <p class="hint">{words.noUsers}</p>
        ) : (
          <table class="cards">
            <thead>
              <tr>
                <th scope="col">{words.name}</th>
                <th scope="col">{words.role}</th>
                <th scope="col">{words.since}</th>
                <th scope="col">
                  <span class="only-heard">{words.change}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {users.map((user) => (
                <UserRow key={user.id} user={user} {...props} />
              ))}
            </tbody>
          </table>
        )}
        <NewUser {...props} />
      </section>
      <section class="panel">
        <h2>{words.keys}</h2>
        <p class="hint">{words.keysHint}</p>
        <table class="cards">
          <thead>
            <tr>
              <th scope="col">{words.name}</th>
              <th scope="col">{words.may}</th>
              <th scope="col">{words.since}</th>
              <th scope="col">{words.used}</th>
              <th scope="col">
                <span class="only-heard">{words.change}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {keys.map((key) => (
              <KeyRow key={key.id} api_key={key} {...props} />
            ))}
          </tbody>
        </table>
        <NewKeyForm {...props} />
      </section>
    </AdminFrame>
  );
}

function UserRow({ user, shell, forms }: AdminAccessProps & { user: ShownUser }) {
  const words = text.access;
  // Each user's fields have names of their own: ids in a page are of one each.
  const path = (field: string) => `/${user.id}/${field}`;
  const form = forms[user.id] ?? { values: { [path("role")]: [user.role] }, errors: {} };
  return (
    <tr>
      <th scope="row">{user.name}</th>
      <td data-label={words.role}>
        {words.roles[user.role]}
        {user.disabled && <strong> · {words.disabled}</strong>}
      </td>
      <td data-label={words.since}>{day(Date.parse(user.created), shell.timezone)}</td>
      <td class="wide">
        <details open={Object.keys(form.errors).length > 0}>
          <summary aria-label={words.changeOf(user.name)}>{words.change}</summary>
          <form class="stack" method="post" action={`/admin/access/users/${user.id}`}>
            <FormErrors form={form} />
            <EnterSaves />
            <Select form={form} path={path("role")} label={words.role} options={roles()} />
            <Input
              form={form}
              path={path("password")}
              label={words.newPassword}
              hint={words.newPasswordHint}
              type="password"
              autocomplete="new-password"
              maxlength={200}
            />
            <div class="buttons">
              <button type="submit" class="primary">
                {words.save}
              </button>
              <button type="submit" name="do" value={user.disabled ? "enable" : "disable"} formnovalidate>
                {user.disabled ? words.enable : words.disable}
              </button>
            </div>
          </form>
          <details>
            <summary>{words.deleteUser}</summary>
            <form class="stack" method="post" action={`/admin/access/users/${user.id}`}>
              <p>{words.deleteUserSure(user.name)}</p>
              <button type="submit" class="danger" name="do" value="delete">
                {words.deleteForGood}
              </button>
            </form>
          </details>
        </details>
      </td>
    </tr>
  );
}

const roles = () => ROLES.map((role) => ({ value: role, name: text.access.rolesLong[role] }));

function NewUser({ forms, users }: AdminAccessProps) {
  const words = text.access;
  const form = forms.user ?? { values: { "/user/role": ["operator"] }, errors: {} };
  return (
    <details open={users.length === 0 || forms.user !== undefined}>
      <summary>{words.addUser}</summary>
      <form class="stack" method="post" action="/admin/access/users">
        <FormErrors form={form} />
        <Input form={form} path="/user/name" label={words.name} required maxlength={100} autocomplete="off" />
        <Input
          form={form}
          path="/user/password"
          label={words.password}
          hint={words.passwordHint}
          type="password"
          required
          minlength={10}
          maxlength={200}
          autocomplete="new-password"
        />
        <Select form={form} path="/user/role" label={words.role} options={roles()} />
        <div class="buttons">
          <button type="submit" class="primary">
            {words.addUser}
          </button>
        </div>
      </form>
    </details>
  );
}

function KeyRow({ api_key: key, shell, forms }: AdminAccessProps & { api_key: ShownKey }) {
  const words = text.access;
  const form = forms[key.id];
  return (
    <tr>
      <th scope="row">{key.name}</th>
      <td data-label={words.may}>{key.scopes.map((scope) => words.scopes[scope] ?? scope).join(", ")}</td>
      <td data-label={words.since}>{day(Date.parse(key.created), shell.timezone)}</td>
      <td data-label={words.used}>
        {key.used_ms === null ? words.notUsed : clockOrDay(key.used_ms, shell.now_ms, shell.timezone)}
      </td>
      <td class="wide">
        <details open={form !== undefined}>
          <summary aria-label={words.revokeOf(key.name)}>{words.revoke}</summary>
          <form class="stack" method="post" action={`/admin/access/keys/${key.id}`}>
            {form && <FormErrors form={form} />}
            <p>{words.revokeSure(key.name)}</p>
            <button type="submit" class="danger" name="do" value="revoke">
              {words.revokeForGood}
            </button>
          </form>
        </details>
      </td>
    </tr>
  );
}

function NewKeyForm({ forms }: AdminAccessProps) {
  const words = text.access;
  const form = forms.key ?? { values: { "/key/scopes": ["read"] }, errors: {} };
  return (
    <details open={forms.key !== undefined}>
      <summary>{words.addKey}</summary>
      <form class="stack" method="post" action="/admin/access/keys">
        <FormErrors form={form} />
        <Input
          form={form}
          path="/key/name"
          label={words.keyName}
          hint={words.keyNameHint}
          required
          maxlength={200}
        />
        <fieldset class="boxes boxes-long" id="f-key-scopes" tabindex={-1}>
          <legend>{words.may}</legend>
          {SCOPES.map((scope) => (
            <label key={scope} class="box">
              <input
                type="checkbox"
                name="/key/scopes"
                value={scope}
                checked={form.values["/key/scopes"]?.includes(scope)}
              />
              <span>{words.scopesLong[scope]}</span>
            </label>
          ))}
        </fieldset>
        <div class="buttons">
          <button type="submit" class="primary">
            {words.addKey}
          </button>
        </div>
      </form>
    </details>
  );
}

/** Shown this once: nobody can read it again. */
function NewKey({ name, key }: { name: string; key: string }) {
  const words = text.access;
  return (
    <section class="panel new-key" role="status">
      <h2>{words.newKey(name)}</h2>
      <p>{words.newKeyOnce}</p>
      <div class="copy">
        <input id="new-key" value={key} readonly aria-label={words.newKey(name)} spellcheck={false} />
        <button type="button" class="primary" data-copy="new-key" data-copied={words.copied}>
          {words.copy}
        </button>
      </div>
    </section>
  );
}
