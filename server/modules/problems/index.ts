// /problems: what each code of a problem means. Where the `type` of every error leads (SPEC 11.3).
import { Elysia } from "elysia";
import { isCode } from "../../../domain/problem.ts";
import { ProblemCode, ProblemCodes, Problem as ProblemPage, renderPage } from "../../../views/index.ts";
import type { Figures } from "../pages/figures.ts";
import { html, shellFor } from "../pages/page.ts";

/** Open to all: none of it says anything of the plant. */
export const problemsModule = (figures: Figures) =>
  new Elysia({ detail: { hide: true } })
    .get("/problems", ({ request }) =>
      html(request, renderPage(ProblemCodes, { shell: shellFor(request, figures, undefined) })),
    )
    .get("/problems/:code", ({ request, params: { code } }) => {
      const shell = shellFor(request, figures, undefined);
      if (isCode(code)) return html(request, renderPage(ProblemCode, { shell, code }));
      const told = { code: "not_found", params: { kind: "problem", id: code } } as const;
      return html(request, renderPage(ProblemPage, { shell, problem: "not_found", told }), 404);
    });
