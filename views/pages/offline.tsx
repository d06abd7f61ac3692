// What a kiosk shows where it has neither a connection nor the page as it was.
/** @jsxImportSource preact */
import { Layout } from "../layout.tsx";
import type { OfflineProps } from "../model.ts";
import { text } from "../text.ts";

export function Offline({ shell }: OfflineProps) {
  return (
    <Layout shell={shell} title={text.offline.title} theme="hmi" scripts={[]}>
      <main id="main" class="narrow">
        <section class="problem panel">
          <h1>{text.offline.title}</h1>
          <p>{text.offline.body}</p>
          <a class="button primary" href="/hmi">
            {text.offline.wall}
          </a>
        </section>
      </main>
    </Layout>
  );
}
