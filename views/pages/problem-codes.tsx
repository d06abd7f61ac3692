// What each problem means, for whoever was told its code: all of them, and one.
/** @jsxImportSource preact */
import {
  ANSWER_CODES,
  type Code,
  definitionOf,
  detailOf,
  INPUT_CODES,
  typeOf,
} from "../../domain/problem.ts";
import { Layout } from "../layout.tsx";
import type { ProblemCodeProps, ProblemCodesProps } from "../model.ts";
import { problemText, problemWords } from "../problem-text.ts";
import { text } from "../text.ts";

export function ProblemCodes({ shell }: ProblemCodesProps) {
  const words = text.problemCodes;
  return (
    <Layout shell={shell} title={words.title} theme="office" scripts={[]}>
      <main id="main" class="problem-codes">
        <h1>{words.title}</h1>
        <p>{words.lead}</p>
        <List title={words.answers} codes={ANSWER_CODES} />
        <List title={words.inputs} codes={INPUT_CODES} />
      </main>
    </Layout>
  );
}

function List({ title, codes }: { title: string; codes: readonly Code[] }) {
  return (
    <section class="panel">
      <h2>{title}</h2>
      <dl>
        {codes.map((code) => (
          <div key={code}>
            <dt>
              <a href={typeOf(code)}>{code}</a> <span class="hint">{definitionOf(code).status}</span>
            </dt>
            <dd>
              <Words of={problemWords(code).means} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

export function ProblemCode({ shell, code }: ProblemCodeProps) {
  const words = text.problemCodes;
  const { status, title, example } = definitionOf(code);
  const { means, todo } = problemWords(code);
  return (
    <Layout shell={shell} title={code} theme="office" scripts={[]}>
      <main id="main" class="problem-codes">
        <section class="panel">
          <p class="hint">
            {status} {title}
          </p>
          <h1>{code}</h1>
          <p class="said">{problemText({ code, params: example as never })}</p>
          <h2>{words.means}</h2>
          <p>
            <Words of={means} />
          </p>
          <h2>{words.todo}</h2>
          <p>
            <Words of={todo} />
          </p>
          <h2>{words.parameters}</h2>
          <Parameters of={example} />
          <h2>{words.told}</h2>
          <pre>{told(code)}</pre>
          <a class="button" href="/problems">
            {words.all}
          </a>
        </section>
      </main>
    </Layout>
  );
}

function Parameters({ of }: { of: object }) {
  const words = text.problemCodes;
  const all = Object.entries(of);
  if (all.length === 0) return <p>{words.none}</p>;
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">{words.parameter}</th>
          <th scope="col">{words.type}</th>
          <th scope="col">{words.example}</th>
        </tr>
      </thead>
      <tbody>
        {all.map(([name, value]) => (
          <tr key={name}>
            <th scope="row">
              <code>{name}</code>
            </th>
            <td>{words.types[typeOfValue(value)]}</td>
            <td>
              <code>{JSON.stringify(value)}</code>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const typeOfValue = (value: unknown): "list" | "number" | "text" =>
  Array.isArray(value) ? "list" : typeof value === "number" ? "number" : "text";

/** As a program gets it. */
function told(code: Code): string {
  const { status, title, example } = definitionOf(code);
  const detail = detailOf(code, example);
  const isInput = (INPUT_CODES as readonly Code[]).includes(code);
  const own = isInput
    ? { path: "/…", code, detail, ...example }
    : { type: typeOf(code), title, status, detail, code, ...example };
  return JSON.stringify(own, null, 2);
}

/** What stands between backticks is a name. */
const Words = ({ of }: { of: string }) => (
  <>{of.split("`").map((part, i) => (i % 2 === 1 ? <code key={part}>{part}</code> : part))}</>
);
