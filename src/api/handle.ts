// What every public handle has: the descriptor that it owns, closing, and the refusal to work once closed.

import { EAGAIN, EBADF } from "../abi/errno.ts";
import type { ObjectToken, Opened } from "../kernel/opening.ts";
import type { System } from "../kernel/system.ts";
import type { Word, Words } from "../memory/words.ts";
import { type Attempt, blockUntil, type Condition } from "../sync/waiting.ts";
import { deliverAtEnd, sleepThroughSignals } from "./delivering.ts";
import { INSPECT, type Inspect, shown } from "./inspecting.ts";
import { failureOf } from "./ipc-error.ts";
import { countdown, type SyncWaitOptions, signalOf, timeoutOf, type WaitOptions } from "./options.ts";

/** For what is built on a handle: what errors call it. */
export let labelOf: (handle: Handle) => string;

/** What every handle has: a descriptor of this task's table (open(2)), and an end, by `close` or `using` (close(2)). */
export abstract class Handle implements Disposable {
  static {
    labelOf = (handle) => handle.#label;
  }

  protected readonly system: System;
  readonly #words: Words;
  readonly #pendingSignals: Word;
  readonly #opened: Opened;
  readonly #label: string;
  readonly #onClose: (handle: Handle) => void;
  #closed = false;

  /** Made by Kernel. `label` is what errors call it, such as 'queue "jobs"'. @internal */
  constructor(system: System, opened: Opened, label: string, onClose: (handle: Handle) => void) {
    this.system = system;
    this.#words = system.words;
    this.#pendingSignals = system.pendingSignals;
    this.#opened = opened;
    this.#label = label;
    this.#onClose = onClose;
  }

  /** True once closed, by `close` or by closing the kernel. */
  get closed(): boolean {
    return this.#closed;
  }

  /** The descriptor in this task's table. */
  get descriptor(): number {
    return this.#opened.descriptor;
  }

  /** What errors call it. */
  protected get label(): string {
    return this.#label;
  }

  /** What its token is made of. */
  protected get objectToken(): ObjectToken {
    return { objectIndex: this.#opened.objectIndex, generation: this.#opened.generation };
  }

  /** Gives the descriptor back. Promises that still wait on this handle are rejected with EBADF. Closing again does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.system.awaits.cancelAll(this);
    this.system.close(this.#opened.descriptor);
    this.#onClose(this);
  }

  /** As `close`: for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** What `console.log` shows of it: 'Mutex(mutex "accounts") { descriptor: 3, owner: 1 }'. @internal */
  [INSPECT](depth: number, options: object, inspect: Inspect): string {
    const facts = this.#closed ? { closed: true } : { descriptor: this.descriptor, ...this.facts };
    return shown(this.constructor, this.#label, facts, [depth, options, inspect]);
  }

  /** What is to be shown of it while it is open. */
  protected get facts(): object {
    return {};
  }

  /** Using a closed handle is a programmer's mistake. */
  protected checkOpen(syscall: string): void {
    if (this.#closed) throw new TypeError(`${syscall} ${this.#label}: the handle is closed; open it again`);
  }

  /** Tries, and waits asleep where the try says EAGAIN; throws what else went wrong. `hasSpun`: it has looked out for a while already. */
  protected finishSync(
    syscall: string,
    condition: Condition,
    want: number,
    attempt: Attempt,
    options: SyncWaitOptions | undefined,
    hasSpun = false,
  ): number {
    timeoutOf(options, syscall, this.#label);
    const left = countdown(options);
    let result = attempt(false);
    if (result === EAGAIN) {
      const sleep = (): number =>
        blockUntil(this.system, condition, want, attempt, timeoutOf(left(), syscall, this.#label), hasSpun);
      result = this.sleepThroughSignals(syscall, sleep);
    } else {
      this.deliverAtEnd();
    }
    return this.checked(syscall, result);
  }

  /** The end of a call that did not wait: handlers run of signals that have come meanwhile. Returns its result. */
  protected atEnd<T>(result: T): T {
    this.deliverAtEnd();
    return result;
  }

  /** The same look as that of the function, from fields of its own: on the way of the fastest calls each object between costs. */
  protected deliverAtEnd(): void {
    if (this.#words.isAnySet(this.#pendingSignals)) deliverAtEnd(this.system);
  }

  /**
   * Lets the handlers run that a sleep was interrupted for. Returns whether the call is to go on: not where another task interrupted
   * it, or a handler that wants it to end.
   */
  protected goesOn(syscall: string): boolean {
    const { ran, restart } = this.system.signals.deliver();
    this.#checkStillOpen(syscall);
    return ran && restart;
  }

  /** Sleeps, and lets handlers run meanwhile; EBADF where one of them has closed this. */
  protected sleepThroughSignals(syscall: string, sleep: () => number): number {
    return sleepThroughSignals(this.system, sleep, () => this.#checkStillOpen(syscall));
  }

  /** A handler may have closed it: the object may be gone. */
  #checkStillOpen(syscall: string): void {
    if (this.#closed) throw failureOf(EBADF, syscall, this.#label);
  }

  /** As `finishSync`, waiting as a promise. */
  protected async finish(
    syscall: string,
    condition: Condition,
    want: number,
    attempt: Attempt,
    options: WaitOptions | undefined,
  ): Promise<number> {
    const timeoutMs = timeoutOf(options, syscall, this.#label);
    const signal = signalOf(options, syscall, this.#label);
    signal?.throwIfAborted();
    const { awaits } = this.system;
    const first = attempt(false);
    const result =
      first === EAGAIN
        ? await awaits.until(this, condition, want, attempt, timeoutMs, signal)
        : await awaits.letOthersRun(this.atEnd(first));
    return this.checked(syscall, result);
  }

  /** A result, or the error that it stands for. */
  protected checked(syscall: string, result: number): number {
    if (result < 0) throw failureOf(result, syscall, this.#label);
    return result;
  }
}
