// A source is tried before a machine is made of it: asked once, within seconds, and what it tells is shown.

import type { TrialFailure } from "../../domain/problem.ts";
import { RefusedAddress } from "./addresses.ts";
import { ReadError } from "./modbus/connection.ts";
import { AgentError } from "./mtconnect/client.ts";
import { ContactError, Refused, Silence, Unreadable } from "./mtconnect/exchange.ts";
import { cut } from "./text.ts";

/** All of a trial, connection and answers, takes no longer. */
export const TRIAL_MS = 5_000;

/** A trial failed; `message` has the details, as the network or the device told them. */
export class TrialError extends Error {
  override readonly name = "TrialError";
  readonly kind: TrialFailure;
  constructor(kind: TrialFailure, message: string) {
    super(cut(message));
    this.kind = kind;
  }
}

const CODES: Record<string, TrialFailure> = {
  ENOTFOUND: "no_host",
  EAI_AGAIN: "no_host",
  EAI_FAIL: "no_host",
  ECONNREFUSED: "refused",
  ETIMEDOUT: "timeout",
};

/** What a trial's error means. @param out_of_time the trial was ended by its clock */
export function trialError(error: unknown, out_of_time: boolean): TrialError {
  const { message, cause } = error as Error;
  const kind = (): TrialFailure => {
    if (error instanceof RefusedAddress || cause instanceof RefusedAddress) return "address";
    if (out_of_time || error instanceof Silence) return "timeout";
    if (error instanceof AgentError) return "agent_error";
    if (error instanceof ReadError) return READ_KINDS[error.kind];
    const code = ((cause ?? error) as NodeJS.ErrnoException).code ?? "";
    if (CODES[code]) return CODES[code];
    if (error instanceof Refused) return "status";
    if (error instanceof Unreadable || (error instanceof ContactError && cause === undefined))
      return "not_agent";
    return "broken";
  };
  return new TrialError(kind(), message);
}

const READ_KINDS = {
  silent: "no_unit",
  refused: "not_modbus",
  failed: "no_unit",
  broken: "not_modbus",
} as const;
