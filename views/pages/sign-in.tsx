// The door: an API key in, a session cookie out.
/** @jsxImportSource preact */
import { Layout } from "../layout.tsx";
import type { SignInProps } from "../model.ts";
import { text } from "../text.ts";

export function SignIn({ shell, error, next }: SignInProps) {
  const words = text.signIn;
  return (
    <Layout shell={shell} title={words.title} theme="office" scripts={[]}>
      <main id="main" class="narrow">
        <form class="sign-in panel" method="post" action="/sign-in">
          <h1>{words.title}</h1>
          <p class="hint">{words.lead}</p>
          {error && (
            <p class="notice" role="alert">
              {words.errors[error]}
            </p>
          )}
          <input type="hidden" name="next" value={next} />
          <label for="key">{words.key}</label>
          <input
            id="key"
            name="key"
            type="password"
            required
            autofocus
            autocomplete="current-password"
            spellcheck={false}
            aria-invalid={error === "wrong_key" ? "true" : undefined}
            aria-describedby="key-hint"
          />
          <p class="hint" id="key-hint">
            {words.keyHint}
          </p>
          <button class="primary" type="submit">
            {words.submit}
          </button>
          <p class="hint">{words.link}</p>
        </form>
      </main>
    </Layout>
  );
}
