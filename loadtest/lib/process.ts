// A process seen from outside (CPU, memory), our own helper processes, and the one clock all of them share.
import { readFileSync } from "node:fs";
import { family, residentOf } from "../../server/testing/engine-process.ts";

/** Linux counts CPU time in ticks of 10 ms. */
const TICKS_PER_S = 100;

/** ms since 1970, to the µs; processes on one machine agree on it. */
export const clock_ms = (): number => performance.timeOrigin + performance.now();

/** User and system time so far of a process and of those that it started and that still run, as the engine's. */
export const cpu_s = (pid: number): number =>
  family(pid).reduce((sum, one) => sum + cpuOf_s(`/proc/${one}/stat`), 0);

/** Of that, the first thread's: the event loop's, which runs all of the program that is JavaScript but the store's thread. */
export const eventLoopCpu_s = (pid: number): number => cpuOf_s(`/proc/${pid}/task/${pid}/stat`);

function cpuOf_s(file: string): number {
  const stat = readFileSync(file, "utf8");
  // The name, in brackets, may hold spaces; utime and stime are the 12th and 13th field after it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
}

/** Resident memory of a process and of those that it started. */
export const rss_bytes = (pid: number): number => family(pid).reduce((sum, one) => sum + residentOf(one), 0);

/**
 * Runs one of the `*.process.ts` beside this file with a job, and waits for its answer.
 * @throws with what it said on stderr where it fails
 */
export async function runProcess<Job, Answer>(file: string, job: Job): Promise<Answer> {
  const child = Bun.spawn([process.execPath, `${import.meta.dir}/${file}`, JSON.stringify(job)], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const [answer, code] = await Promise.all([new Response(child.stdout).text(), child.exited]);
  if (code !== 0) throw new Error(`${file} ended with ${code}`);
  return JSON.parse(answer) as Answer;
}

/**
 * Starts one of the `*.process.ts` that goes on until it is stopped, and waits for the one line it says when it is ready.
 * @throws where it ends before
 */
export async function startProcess<Job, Answer>(
  file: string,
  job: Job,
): Promise<{ answer: Answer; stop(): Promise<void> }> {
  const child = Bun.spawn([process.execPath, `${import.meta.dir}/${file}`, JSON.stringify(job)], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const decoder = new TextDecoder();
  let said = "";
  for await (const chunk of child.stdout) {
    said += decoder.decode(chunk, { stream: true });
    if (said.includes("\n")) break;
  }
  if (!said.includes("\n")) throw new Error(`${file} ended with ${await child.exited}`);
  return { answer: JSON.parse(said) as Answer, stop: () => stopProcess(child) };
}

/** The job a `*.process.ts` was started with. */
export const jobOf = <Job>(): Job => JSON.parse(process.argv[2] ?? "") as Job;

/** Ends a process that was started here, by its own id. */
export async function stopProcess(child: Bun.Subprocess): Promise<void> {
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), 20_000);
  await child.exited;
  clearTimeout(late);
}
