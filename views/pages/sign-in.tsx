// The door: a name and a password, or an API key, in; a session cookie out.
/** @jsxImportSource preact */
import { Layout } from "../layout.tsx";
import type { SignInProps } from "../model.ts";
import { text } from "../text.ts";

export function SignIn(props: SignInProps) {
  const words = text.signIn;
  const { shell, error } = props;
  return (
    <Layout shell={shell} title={words.title} theme="office" scripts={[]}>
      <main id="main" class="narrow">
        <div class="sign-in panel">
          <h1>{words.title}</h1>
          <p class="hint">{words.lead}</p>
          {error && (
            <p class="notice" role="alert" id="sign-in-error">
              {words.errors[error]}
            </p>
          )}
          {props.token ? <LinkForm {...props} /> : <PasswordForm {...props} />}
          <details open={error === "wrong_key"}>
            <summary>{words.byKey}</summary>
            <KeyForm {...props} />
          </details>
          {!props.token && <p class="hint">{words.link}</p>}
        </div>
      </main>
    </Layout>
  );
}

/** The link itself changes nothing: whoever fetches it without looking must not use it up. */
function LinkForm({ token, next }: SignInProps) {
  const words = text.signIn;
  return (
    <form method="post" action="/sign-in" id="sign-in-once">
      <input type="hidden" name="next" value={next} />
      <input type="hidden" name="token" value={token} />
      <p class="hint">{words.once}</p>
      <button class="primary" type="submit" autofocus>
        {words.submit}
      </button>
    </form>
  );
}

function PasswordForm({ error, name, next }: SignInProps) {
  const words = text.signIn;
  const wrong = error === "wrong_password";
  return (
    <form method="post" action="/sign-in">
      <input type="hidden" name="next" value={next} />
      <label for="name">{words.name}</label>
      <input
        id="name"
        name="name"
        value={name}
        required
        autofocus={!wrong && error !== "wrong_key"}
        maxlength={200}
        autocomplete="username"
        autocapitalize="none"
        spellcheck={false}
      />
      <label for="password">{words.password}</label>
      <input
        id="password"
        name="password"
        type="password"
        required
        autofocus={wrong}
        maxlength={500}
        autocomplete="current-password"
        aria-invalid={wrong ? "true" : undefined}
        aria-describedby={wrong ? "sign-in-error" : undefined}
      />
      <button class="primary" type="submit">
        {words.submit}
      </button>
    </form>
  );
}

function KeyForm({ error, next }: SignInProps) {
  const words = text.signIn;
  const wrong = error === "wrong_key";
  return (
    <form method="post" action="/sign-in">
      <input type="hidden" name="next" value={next} />
      <label for="key">{words.key}</label>
      <input
        id="key"
        name="key"
        type="password"
        required
        autofocus={wrong}
        maxlength={500}
        autocomplete="off"
        spellcheck={false}
        aria-invalid={wrong ? "true" : undefined}
        aria-describedby="key-hint"
      />
      <p class="hint" id="key-hint">
        {words.keyHint}
      </p>
      <button type="submit">{words.submit}</button>
    </form>
  );
}
