// A page that could not be shown, said in a sentence, with a way back.
/** @jsxImportSource preact */
import { definitionOf, typeOf } from "../../domain/problem.ts";
import { Layout } from "../layout.tsx";
import type { ProblemProps } from "../model.ts";
import { problemText } from "../problem-text.ts";
import { text } from "../text.ts";

export function Problem({ shell, problem, told }: ProblemProps) {
  const { status } = definitionOf(problem);
  const known = text.problems[status as keyof typeof text.problems];
  const { title, body } = known ?? text.problems.other;
  return (
    <Layout shell={shell} title={title} theme="office" scripts={[]}>
      <main id="main" class="narrow">
        <section class="problem panel">
          <p class="hint">{text.status(status)}</p>
          <h1>{title}</h1>
          <p>{known || problem === "internal" ? body : problemText(told)}</p>
          <a href={typeOf(told.code)}>{text.problemCodes.more}</a>
          <a class="button primary" href="/hmi">
            {text.home}
          </a>
        </section>
      </main>
    </Layout>
  );
}
