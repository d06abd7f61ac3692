// A page that could not be shown, said in a sentence, with a way back.
/** @jsxImportSource preact */
import { Layout } from "../layout.tsx";
import type { ProblemProps } from "../model.ts";
import { text } from "../text.ts";

export function Problem({ shell, status, detail }: ProblemProps) {
  const known = text.problems[status as keyof typeof text.problems];
  const { title, body } = known ?? text.problems.other;
  return (
    <Layout shell={shell} title={title} theme="office" scripts={[]}>
      <main id="main" class="narrow">
        <section class="problem panel">
          <p class="hint">{text.status(status)}</p>
          <h1>{title}</h1>
          <p>{known ? body : (detail ?? body)}</p>
          <a class="button primary" href="/hmi">
            {text.home}
          </a>
        </section>
      </main>
    </Layout>
  );
}
