// The greeting of a plant without machines: the three steps to the first figures.
/** @jsxImportSource preact */
import { text } from "../text.ts";

export function Welcome({ origin }: { origin: string }) {
  const { title, lead, steps } = text.welcome;
  return (
    <section class="welcome">
      <h1>{title}</h1>
      <p class="lead">{lead}</p>
      <ol>
        {steps.map((step) => (
          <li key={step.title}>
            <h2>{step.title}</h2>
            <p>{step.body}</p>
            {step.code && <pre>{step.code(origin)}</pre>}
          </li>
        ))}
      </ol>
    </section>
  );
}
