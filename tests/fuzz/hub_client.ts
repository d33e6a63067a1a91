import { connect, type Socket } from "node:net";
import { within } from "./within.ts";
import { joinBytes } from "../../lib/values/join_bytes.ts";
import type { Bytes } from "../support/amqp_bytes.ts";
import type { AmqpCarrier } from "./amqp_carrier.ts";
import type { AmqpMutator } from "./amqp_mutation.ts";
import { type AmqpFrame, codeOf, numberOf } from "./amqp_tree.ts";
import { AmqpReader } from "./amqp_wire.ts";
import type { HubStep } from "./client_script.ts";

const END = 0x17;
const ATTACH = 0x12;
const DETACH = 0x16;
const CLOSE = 0x18;
const TRANSFER = 0x14;
const DISPOSITION = 0x15;
const REDIRECT = "amqp:link:redirect";
/** What may come in place of an answer. */
const ENDS: readonly number[] = [CLOSE, END, DETACH];

/** How the client's bytes go to the hub. */
export interface HubWriting {
  /** How many bytes go at once; all that there are if 0. */
  readonly pieces: number;
  /** How the connection ends. */
  readonly end: "end" | "reset";
}

/** How long to wait for an answer of the hub, which may never come to what is wrong. */
const PATIENCE_IN_MS = 30;
/** The same where nothing is wrong. */
const LONG_PATIENCE_IN_MS = 30_000;
/** How long to wait for what comes only if there is something. */
const UNSURE_PATIENCE_IN_MS = 10;
/** How long to wait when the hub has not answered once. */
const SPENT_PATIENCE_IN_MS = 2;

/** A client of a hub that holds a conversation, whatever it says. */
export class HubClient {
  readonly #socket: Socket;
  readonly #carrier: AmqpCarrier;
  readonly #reader: AmqpReader = new AmqpReader();
  readonly #received: AmqpFrame[] = [];
  readonly #closed: Promise<void>;
  #isClosed = false;
  #hasAnswer = false;
  #waiting = (): void => {};

  constructor(port: number, carrier: AmqpCarrier) {
    this.#carrier = carrier;
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#socket.write(carrier.opening);
    this.#socket.on("data", (chunk: Uint8Array) => {
      this.#hasAnswer = true;
      for (const bytes of carrier.read(chunk).carried) {
        for (const part of this.#reader.read(bytes)) if ("nodes" in part) this.#received.push(part);
      }
      this.#waiting();
    });
    this.#socket.on("error", () => {});
    this.#closed = new Promise((resolve) => {
      this.#socket.once("close", () => {
        this.#isClosed = true;
        this.#waiting();
        resolve();
      });
    });
  }

  /** Writes what there is to say, as the mutator makes it; returns what came of it. */
  async hold(
    steps: readonly HubStep[],
    mutator: AmqpMutator,
    writing: HubWriting,
    isGood: boolean,
  ): Promise<string> {
    const pending: Bytes[] = [];
    let patienceInMs = isGood ? LONG_PATIENCE_IN_MS : PATIENCE_IN_MS;
    if (this.#carrier.opening.length > 0) await this.#until(() => this.#hasAnswer, patienceInMs);
    for (const step of steps) {
      if (this.#isClosed) break;
      if (!("code" in step)) {
        pending.push(...mutator.write(step));
        continue;
      }
      const from = this.#received.length;
      this.#write(pending.splice(0), writing.pieces);
      const isAnswered = await this.#until(
        () =>
          (step.code === DISPOSITION && this.#isRefused()) ||
          [step.code, ...ENDS].some((code) => this.#count(code, from) > 0),
        step.isSure ? patienceInMs : Math.min(patienceInMs, UNSURE_PATIENCE_IN_MS),
      );
      if (!isAnswered && !isGood) patienceInMs = SPENT_PATIENCE_IN_MS;
    }
    this.#write(pending, writing.pieces);
    if (writing.end === "reset") this.#socket.resetAndDestroy();
    else this.#socket.end();
    // The hub reads no more then, and would wait a second for the rest to be taken back.
    await this.#until(() => this.#count(CLOSE, 0) > 0, CLOSING_LIMIT_IN_MS);
    if (this.#count(CLOSE, 0) > 0) this.#socket.destroy();
    await within(this.#closed, CLOSING_LIMIT_IN_MS, "The hub has not closed a connection that its client has ended");
    return this.#outcome();
  }

  /** Whether the hub has ended the last link, on which no message is settled any more. */
  #isRefused(): boolean {
    return this.#received.map(codeOf).findLast((code) => code === ATTACH || code === DETACH) === DETACH;
  }

  #count(code: number, from: number): number {
    return this.#received.slice(from).filter((frame) => codeOf(frame) === code).length;
  }

  #write(frames: readonly Bytes[], pieces: number): void {
    if (frames.length === 0) return;
    const bytes = this.#carrier.write(joinBytes(frames.map((frame) => Uint8Array.from(frame))));
    const size = pieces === 0 ? bytes.length : Math.max(pieces, Math.ceil(bytes.length / MOST_PIECES));
    for (let at = 0; at < bytes.length; at += size) this.#socket.write(bytes.subarray(at, at + size));
  }

  /** Waits until something is true, or the connection is over; returns false if the time is over before. */
  async #until(isTrue: () => boolean, timeInMs: number): Promise<boolean> {
    const isOver = (): boolean => this.#isClosed || isTrue();
    if (isOver()) return true;
    return await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), timeInMs);
      this.#waiting = () => {
        if (!isOver()) return;
        clearTimeout(timer);
        resolve(true);
      };
    });
  }

  /** How far it has got, as far as the hub's frames tell, given how many tokens it has put at its beginning. */
  reached(tokens: number): string[] {
    const transfers = this.#count(TRANSFER, 0);
    const settled = this.#received.filter((frame) => codeOf(frame) === DISPOSITION).map(settledBy);
    const reached: string[] = [];
    if (tokens > 0 && transfers > 0) reached.push("token answered");
    if (settled.reduce((sum, count) => sum + count, 0) > tokens) reached.push("message settled by the hub");
    if (transfers > tokens) reached.push("message received");
    if (this.#received.some((frame) => codeOf(frame) === DETACH && conditionOf(frame) === REDIRECT)) {
      reached.push("told of the event hub");
    }
    return reached;
  }

  /** The first error that the hub has named. */
  #outcome(): string {
    for (const [code, what] of [[CLOSE, ""], [END, "session: "], [DETACH, "link: "]] as const) {
      for (const frame of this.#received) {
        if (codeOf(frame) !== code) continue;
        const condition = conditionOf(frame);
        if (condition !== undefined) return what + condition;
      }
    }
    return this.#count(CLOSE, 0) > 0 ? "closed" : "cut";
  }
}

/** How long the hub may keep a connection whose client has gone. */
const CLOSING_LIMIT_IN_MS = 30_000;
const MOST_PIECES = 500;

/** How many messages a disposition settles. */
function settledBy({ nodes }: AmqpFrame): number {
  const [, first, last] = nodes[0]!.items![1]!.items!;
  return last?.bytes?.length ? numberOf(last) - numberOf(first) + 1 : 1;
}

/** The condition of the error in a frame that ends something. */
function conditionOf({ nodes }: AmqpFrame): string | undefined {
  const error = nodes[0]!.items![1]!.items?.find(({ code }) => code === 0);
  const bytes = error?.items?.[1]?.items?.[0]?.bytes;
  return bytes && new TextDecoder().decode(Uint8Array.from(bytes));
}
