// How a rebuild keeps the door to the live tables shut where a server reads the topic: nobody reads, and nobody opens a source.
import { closeSource, type KafkaSource, openSource } from "../../../analytics-sql/kafka/source.ts";
import { type Ask, type Turn, takeTurn } from "../../../analytics-sql/schema/turn.ts";

export type Door = {
  pause(): Promise<void>;
  /** @throws Error where somebody else may have opened it */
  check(): void;
  /** Where it fails the door is as it was: call it again. */
  resume(): Promise<void>;
};

/** As long as it is shut nobody else has the turn to define: a process that starts would find no source, and open one. */
export function topicDoor(engine: Ask, kafka: KafkaSource, log: (message: string) => void): Door {
  let turn: Turn | undefined;

  /** One that was lost is another's by now, or will be: it is waited for. */
  async function taken(): Promise<Turn> {
    if (turn?.held()) return turn;
    await turn?.end();
    turn = await takeTurn(engine, log);
    return turn;
  }

  return {
    async pause() {
      await closeSource(await taken());
    },
    check() {
      if (!turn?.held())
        throw new Error("another process may have opened the source meanwhile: start it again");
    },
    /** Also where another process shut it, and died. */
    async resume() {
      const own = await taken();
      await openSource(own, kafka);
      turn = undefined;
      await own.end();
    },
  };
}
