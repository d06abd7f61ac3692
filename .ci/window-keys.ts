// Finds or installs a screen of X without a monitor, and what presses its keys as a keyboard would.
import { existsSync } from "node:fs";
import { installDebian } from "./debian.ts";

const PROGRAMS = ["/usr/bin/Xvfb", "/usr/bin/xdotool"];

const areThere = (): boolean => PROGRAMS.every((path) => existsSync(path));

/** @returns where they are, or a word on why they are not; then what needs them skips by name */
export function provideWindowKeys(): string {
  const refused = areThere() ? "" : installDebian("xvfb", "xdotool");
  return areThere() ? PROGRAMS.join(", ") : refused || "not there after installing them";
}

/** A screen that programs open their windows on. */
export type Screen = {
  /** What `DISPLAY` is for them. */
  display: string;
  /** Types into the window that has the focus, a pause between two keys; `Return` and the like by their names. */
  type(text: string, pause_ms: number): Promise<void>;
  press(key: string): Promise<void>;
  close(): Promise<void>;
};

/** @returns undefined where there is none to be had */
export async function openScreen(): Promise<Screen | undefined> {
  if (!areThere()) {
    console.warn("skipped: key events of the system need Xvfb and xdotool");
    return undefined;
  }
  const child = Bun.spawn(
    ["/usr/bin/Xvfb", "-displayfd", "1", "-screen", "0", "1920x1080x24", "-nolisten", "tcp"],
    {
      stdout: "pipe",
      stderr: "ignore",
    },
  );
  const { value } = await child.stdout.getReader().read();
  const display = `:${new TextDecoder().decode(value).trim()}`;
  const xdotool = async (...args: string[]): Promise<void> => {
    const env = { ...process.env, DISPLAY: display };
    const code = await Bun.spawn(["/usr/bin/xdotool", ...args], { env, stdout: "ignore" }).exited;
    if (code !== 0) throw new Error(`xdotool ${args[0]}: ${code}`);
  };
  return {
    display,
    type: (text, pause_ms) => xdotool("type", "--delay", String(pause_ms), text),
    press: (key) => xdotool("key", key),
    async close() {
      child.kill();
      await child.exited;
    },
  };
}
