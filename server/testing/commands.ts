// For tests: the program's commands, as they are typed.
const ROOT = new URL("../..", import.meta.url).pathname;

export type Ran = { code: number; output: string };

export type Running = {
  kill(): void;
  ended: Promise<Ran>;
};

/** `bun run <name>` in its environment. */
export function begin(name: string, args: string[], env: Record<string, string>): Running {
  const child = Bun.spawn([process.execPath, `server/${name}.ts`, ...args], {
    cwd: ROOT,
    env: { ...process.env, MTC_MONGO_URL: undefined, ...env },
    stdout: "pipe",
    stderr: "pipe",
  });
  const texts = [new Response(child.stdout).text(), new Response(child.stderr).text()];
  return {
    kill: () => child.kill("SIGKILL"),
    ended: (async () => {
      const [code, ...said] = await Promise.all([child.exited, ...texts]);
      return { code, output: said.join("") };
    })(),
  };
}

export const run = (name: string, args: string[], env: Record<string, string>): Promise<Ran> =>
  begin(name, args, env).ended;
