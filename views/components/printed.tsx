// The foot of a report: where it is found again; on paper also when it was made.
/** @jsxImportSource preact */
import { clockSeconds, day } from "../format.ts";
import type { Asked, Shell } from "../model.ts";
import { text } from "../text.ts";
import { fixedPath } from "./asked.ts";

/** On paper only. @param path leads to the same figures later as well */
export function Printed({ shell, path }: { shell: Shell; path: string }) {
  const made = `${day(shell.now_ms, shell.timezone)} ${clockSeconds(shell.now_ms, shell.timezone)}`;
  return (
    <p class="printed">
      {shell.plant} · {text.report.made(made, shell.timezone)}
      <br />
      {shell.origin + path}
    </p>
  );
}

/** "Today" is another day tomorrow: the link to send on is the one with the days in it. */
export function Foot({ shell, asked }: { shell: Shell; asked: Asked }) {
  const path = fixedPath(asked);
  return (
    <>
      <p class="fixed-link">
        <a class="why" href={path}>
          {text.report.fixed}
        </a>
      </p>
      <Printed shell={shell} path={path} />
    </>
  );
}
