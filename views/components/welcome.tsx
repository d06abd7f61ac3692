// The greeting of a plant without machines: the three steps to the first figures, and the demo one click away.
/** @jsxImportSource preact */
import type { Shell } from "../model.ts";
import { text } from "../text.ts";

/** Where each step is taken; the last one is here. */
const PLACES = ["/admin/add", "/admin/machines"];

export function Welcome({ shell }: { shell: Shell }) {
  const { title, lead, steps, askAdmin, demo } = text.welcome;
  const { admin } = shell.may;
  return (
    <section class="welcome">
      <h1>{title}</h1>
      <p class="lead">{lead}</p>
      <ol>
        {steps.map((step, i) => (
          <li key={step.title}>
            <h2>{step.title}</h2>
            <p>{step.body}</p>
            {admin && PLACES[i] && (
              <a class={i === 0 ? "button primary" : "button"} href={PLACES[i]}>
                {step.link}
              </a>
            )}
          </li>
        ))}
      </ol>
      {admin && (
        <p class="welcome-users">
          {text.welcome.users} <a href="/admin/access">{text.access.title}</a>
        </p>
      )}
      {admin ? (
        <form class="welcome-demo" method="post" action="/admin/demo">
          <h2>{demo}</h2>
          <p>{text.machines.demoNone}</p>
          <input type="hidden" name="/next" value="/hmi" />
          <button type="submit" name="do" value="start">
            {text.machines.startDemo}
          </button>
        </form>
      ) : (
        <p class="notice">{askAdmin}</p>
      )}
    </section>
  );
}
