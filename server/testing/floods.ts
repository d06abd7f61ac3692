// For tests: who takes more than a share: live streams without end, reports by the hundred, keys and passwords that are guesses.
import { signIn } from "./server.ts";

/** Beyond a key's share of live streams. */
export const STREAMS = 110;
/** Beyond a key's share of reports under way. */
export const REPORTS = 150;
/** Beyond the failures that an address has at once. */
export const GUESSES = 14;

const statusOf = async (answer: Promise<Response>): Promise<Response> => {
  const given = await answer;
  await given.arrayBuffer();
  return given;
};

/** Opens live streams, more than a key's share, and keeps them until `signal`. */
export const openStreams = (origin: string, key: string, signal: AbortSignal): Promise<Response[]> =>
  Promise.all(
    Array.from({ length: STREAMS }, () =>
      fetch(`${origin}/api/v1/stream`, { headers: { "x-api-key": key }, signal }),
    ),
  );

/** Asks for reports, more than a key's share, all at once. */
export const floodReports = (origin: string, key: string, machine: string): Promise<Response>[] =>
  Array.from({ length: REPORTS }, (_, i) =>
    statusOf(fetch(`${origin}/api/v1/machines/${machine}/gaps?n=${i}`, { headers: { "x-api-key": key } })),
  );

/** Asks with keys that nobody has. */
export const guessKeys = (origin: string): Promise<Response[]> =>
  Promise.all(
    Array.from({ length: GUESSES }, (_, i) =>
      statusOf(fetch(`${origin}/api/v1/machines`, { headers: { "x-api-key": `wrong-key-${i}` } })),
    ),
  );

/** Signs in with keys that nobody has, and with passwords that are not that user's. */
export const guessSignIns = (origin: string, name: string): Promise<Response[]> =>
  Promise.all(
    Array.from({ length: GUESSES }, (_, i) =>
      statusOf(
        signIn(
          origin,
          i % 2 ? { key: `wrong-key-${i}-0123456789` } : { name, password: `guess-of-mine-${i}` },
        ),
      ),
    ),
  );
