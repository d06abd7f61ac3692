// The image's health check: ends with 0 where this container's process says on /readyz that it is ready.
const answer = await fetch(`http://127.0.0.1:${process.env.MTC_PORT ?? 3000}/readyz`, {
  signal: AbortSignal.timeout(4_000),
}).catch(() => undefined);
process.exit(answer?.ok ? 0 : 1);

export {};
