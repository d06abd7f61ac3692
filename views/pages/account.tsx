// Who is signed in, and their password.
/** @jsxImportSource preact */
import { FormErrors, Input } from "../components/form.tsx";
import { Layout } from "../layout.tsx";
import type { AccountProps } from "../model.ts";
import { text } from "../text.ts";

export function Account({ shell, kind, role, form, changed }: AccountProps) {
  const words = text.account;
  return (
    <Layout shell={shell} title={words.title} theme="office" here="account" scripts={[]}>
      <main id="main" class="narrow">
        <section class="panel stack">
          <h1>{shell.user}</h1>
          {role && <p class="hint">{text.access.rolesLong[role]}</p>}
          {changed && (
            <p class="done" role="status">
              {words.changed}
            </p>
          )}
          {kind === "key" ? (
            <p>{words.isKey}</p>
          ) : (
            <form class="stack" method="post" action="/account">
              <h2>{words.password}</h2>
              <FormErrors form={form} />
              <input type="hidden" name="username" autocomplete="username" value={shell.user ?? ""} />
              <Input
                form={form}
                path="/current"
                label={words.current}
                type="password"
                required
                maxlength={500}
                autocomplete="current-password"
              />
              <Input
                form={form}
                path="/password"
                label={words.new}
                hint={text.access.passwordHint}
                type="password"
                required
                minlength={10}
                maxlength={200}
                autocomplete="new-password"
              />
              <p class="hint">{words.endsOthers}</p>
              <button type="submit" class="primary">
                {words.change}
              </button>
            </form>
          )}
          {shell.may.admin && <a href="/admin/access">{text.access.title}</a>}
          <form method="post" action="/sign-out">
            <button type="submit">{text.nav.signOut}</button>
          </form>
        </section>
      </main>
    </Layout>
  );
}
