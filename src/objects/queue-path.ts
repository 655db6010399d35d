// The fast path of a message queue: messages that are sent and received in order, where nobody waits and nothing else is to be seen
// to. All that it needs is in one object, in public fields: of those an engine knows that they are small integers, and always the
// same functions, and it looks once where they are. What they say is kept by MessageRing, as the queue's RULES are.
//
// A claim that is negative says why it is none (memory/queue-steps.ts): the ring then does the rest.
//
// Short messages are staged where that is worth it (memory/staging.ts): a send, and a receive, are then one step each.

import { E2BIG } from "../abi/errno.ts";
import { Lanes } from "../memory/lanes.ts";
import { message, monitor, queue } from "../memory/layout.ts";
import { queueStepsOf, stagedStepsOf } from "../memory/machine-words.ts";
import {
  CONTENDED,
  EMPTY,
  LONG,
  noStagedSteps,
  type QueueSteps,
  type StagedSteps,
  TAKEN_LOCKED,
} from "../memory/queue-steps.ts";
import { STAGED_BYTES_MAX, type Staging } from "../memory/staging.ts";
import { field, LINE_WORDS, type Word, type Words } from "../memory/words.ts";
import type { Monitor, MonitorUser } from "../sync/monitor.ts";
import type { Spinning } from "../sync/spin.ts";
import type { Last, MessageSlots } from "./message-slots.ts";
import { used } from "./positions.ts";

/** Looks of one turn of a spin, which takes about as long as one of another's. */
const LOOKS_A_TURN = 32;

// What is staged is looked for at intervals: who looks without a pause slows down the sender whose line that is.

/** Turns of an empty loop between two looks. */
const LOOK_GAP = 16;
/** The same as LOOKS_A_TURN. */
const SPACED_LOOKS_A_TURN = 6;

// And an answer is not looked for at once. One look in three is too early in the long run: a longer time without one would cost more than
// it saves. It has a limit, for each of two that answer each other would else wait a little longer than the other, again and again.

/** How much longer not to look, once a look was too early, and the longest time, in turns of an empty loop: a tenth of a microsecond. */
const QUIET_STEP = 2;
const QUIET_MAX = 128;
/** An answer that takes so many looks more, about a microsecond, is one that nobody can foresee. */
const FORESEEN_LOOKS = 54;

/** The task. */
export interface PathOwner extends MonitorUser {
  /** Where it has sent to last, since it last waited for a message. */
  lastSentTo: QueuePath | undefined;
  readonly staging: Staging;
}

/** A claim of a message, of whatever length. */
const longOf = (claimed: number): number => (claimed >= 0 ? LONG : claimed);

export class QueuePath {
  readonly owner: PathOwner;
  readonly words: Words;
  readonly pid: number;
  readonly body: Word;
  readonly slots: MessageSlots;
  readonly producer: Monitor;
  readonly consumer: Monitor;
  readonly claimSlot: QueueSteps["claimSlot"];
  readonly publishSlot: QueueSteps["publishSlot"];
  readonly claimMessage: QueueSteps["claimMessage"];
  readonly releaseMessage: QueueSteps["releaseMessage"];
  readonly awaitMessage: QueueSteps["awaitMessage"];
  readonly staging: Staging;
  readonly sendStaged: StagedSteps["sendStaged"];
  readonly receiveStaged: StagedSteps["receiveStaged"];
  readonly awaitStaged: StagedSteps["awaitStaged"];
  readonly expectStaged: StagedSteps["expectStaged"];
  /** Of what is sent, and of what is received into. */
  readonly sources = new Lanes();
  readonly targets = new Lanes();

  rules = -1;
  /** The longest message that it sends, in bytes; -1: none, for more than that is to be done. The longest that it stages to send. */
  lengthMax = -1;
  stagedMax = -1;
  /** Whether it takes messages: what has come first is the next. The longest that it stages to take; -1: none. */
  isOrdered = false;
  takenMax = -1;
  /** How long not to look for an answer, in turns of an empty loop: learned, from how long the last ones took. */
  quiet = 0;
  /** How many messages will have been taken once this path has taken the one that it waits for. */
  nextTaken = -1;
  /** Before the last answer came; -1 once that is learned: while the next one is waited for, when there is time. */
  looksInVain = -1;
  /** Messages that the slots leave room for: as many as there may be, or fewer where slots are added as needed. */
  room = 0;
  // Where the slots are, as `slots` says.
  first = 0 as Word;
  mask = 0;
  stride = 0;
  /** The longest message that may be staged, as long as a slot at most; -1: none. */
  readonly #stagedBytesMax: number;

  constructor(owner: PathOwner, body: Word, slots: MessageSlots, producer: Monitor, consumer: Monitor) {
    const steps = queueStepsOf(owner.words);
    this.owner = owner;
    this.words = owner.words;
    this.pid = owner.pid;
    this.body = body;
    this.slots = slots;
    this.producer = producer;
    this.consumer = consumer;
    this.claimSlot = steps.claimSlot;
    this.publishSlot = steps.publishSlot;
    this.claimMessage = steps.claimMessage;
    this.releaseMessage = steps.releaseMessage;
    this.awaitMessage = steps.awaitMessage;
    const staged = stagedStepsOf(owner.words);
    this.#stagedBytesMax = staged === noStagedSteps ? -1 : Math.min(STAGED_BYTES_MAX, slots.messageBytesMax);
    this.staging = owner.staging;
    this.sendStaged = staged.sendStaged;
    this.receiveStaged = staged.receiveStaged;
    this.awaitStaged = staged.awaitStaged;
    this.expectStaged = staged.expectStaged;
  }

  /** Other rules hold now: it may send messages of up to `lengthMax` bytes, -1: none; and take them, or not. */
  allow(rules: number, lengthMax: number, isOrdered: boolean): void {
    this.rules = rules;
    this.lengthMax = lengthMax;
    this.stagedMax = Math.min(lengthMax, this.#stagedBytesMax);
    this.isOrdered = isOrdered;
    this.takenMax = isOrdered ? this.#stagedBytesMax : -1;
  }

  /** The slots are others now. */
  reshape(): void {
    const { first, mask, stride } = this.slots;
    this.first = first;
    this.mask = mask;
    this.stride = stride;
  }

  /** Sends a message: 0, LOCKED or CONTENDED. */
  send(data: Uint8Array, typeLow: number, typeHigh: number, priority: number): number {
    const { length } = data;
    if (length > this.stagedMax) return this.#sendLong(data, typeLow, typeHigh, priority);
    const { staging, body, pid, rules, room, first, mask, stride } = this;
    staging.put(data, this.sources.of(data));
    const at = staging.at;
    const sent =
      this.sendStaged(at, body, pid, rules, room, first, mask, stride, length, typeLow, typeHigh, priority) | 0;
    if (sent < 0) return sent;
    if (sent === 0) this.producer.leaveContended(1);
    this.owner.lastSentTo = this;
    return 0;
  }

  /** The same of one that is not staged. */
  #sendLong(data: Uint8Array, typeLow: number, typeHigh: number, priority: number): number {
    const { body, pid, rules, room, first, mask, stride, slots } = this;
    const { length } = data;
    if (length > this.lengthMax) return CONTENDED;
    const index = this.claimSlot(body, pid, rules, room, first, mask, stride, length, typeLow, typeHigh, priority) | 0;
    if (index < 0) return index;
    const slot = (first + index * stride) as Word;
    slots.copyIn(slot, data, this.sources.of(data));
    if (this.publishSlot(body, pid, slot) === 0) this.producer.leaveContended(1);
    this.owner.lastSentTo = this;
    return 0;
  }

  /** Takes the first message into `target`: its length, E2BIG where it is longer, and stays; LOCKED, CONTENDED or EMPTY. */
  receive(target: Uint8Array, last: Last): number {
    if (this.takenMax < 0) return this.#receiveLong(target, last);
    return this.receiveAs(this.takeFirst(this.mostFor(target)), target, last);
  }

  /** The same where it is not staged. */
  #receiveLong(target: Uint8Array, last: Last): number {
    const index = this.#claim();
    return index >= 0 ? this.take(index, target, last) : index;
  }

  /** The longest message that is staged for who wants it there. */
  mostFor(target: Uint8Array): number {
    const { length } = target;
    return length < this.takenMax ? length : this.takenMax;
  }

  /** What came of `takeFirst` or `takeSoon`, for who wants the message in `target`. */
  receiveAs(taken: number, target: Uint8Array, last: Last): number {
    if (taken < 0) return taken === LONG ? this.take(this.firstIndex(), target, last) : taken;
    this.tell(last);
    this.staging.get(target, taken, this.targets.of(target));
    return taken;
  }

  /** Takes the first message where it has at most that many bytes, and stages it: its length, LONG, LOCKED, CONTENDED or EMPTY. */
  takeFirst(most: number): number {
    if (most < 0) return longOf(this.#claim());
    const { staging, body, pid, rules, first, mask, stride } = this;
    const taken = this.receiveStaged(staging.at, body, pid, rules, first, mask, stride, most) | 0;
    return taken >= 0 ? taken : this.#leaveTaken(taken);
  }

  /** Whether who waits for a message, which is an answer then, does best not to look for it at once: `takeSoon` does the rest. */
  get isQuiet(): boolean {
    return this.quiet > 0 && this.owner.lastSentTo !== undefined;
  }

  /**
   * The same for one who waits, looking for as long as that has been worth it. Where `isQuiet` says so it is the first look of all, and
   * comes only when an answer is about to: a look takes the line that it comes in away from its sender's CPU.
   */
  takeSoon(spin: Spinning, most: number): number {
    const turns = this.isOrdered ? spin.begin() : 0;
    if (turns === 0) return this.isQuiet ? this.#takeAtOnce(most) : EMPTY;
    const isAnswer = this.#beginAnswer();
    if (most < 0) return this.#takeLongSoon(spin, turns);
    const { staging, body, pid, rules, first, mask, stride } = this;
    let before = isAnswer ? this.quiet : 0;
    if (isAnswer && this.#isAlone()) {
      const looks = SPACED_LOOKS_A_TURN;
      const taken =
        this.expectStaged(staging.at, body, pid, rules, first, mask, stride, most, before, LOOK_GAP, looks) | 0;
      if (taken !== EMPTY && taken !== CONTENDED) {
        spin.hit();
        this.looksInVain = taken >= 0 ? looks - staging.looksLeft : -1;
        return taken >= 0 ? taken : this.#leaveTaken(taken);
      }
      before = LOOK_GAP;
    }
    for (let turn = 1; turn <= turns; turn++) {
      const looks = SPACED_LOOKS_A_TURN;
      const taken =
        this.awaitStaged(staging.at, body, pid, rules, first, mask, stride, most, before, LOOK_GAP, looks) | 0;
      if (taken !== EMPTY) {
        spin.hit();
        this.looksInVain = isAnswer ? turn * looks - staging.looksLeft : -1;
        return taken >= 0 ? taken : this.#leaveTaken(taken);
      }
      before = LOOK_GAP;
    }
    return this.#found(EMPTY, spin);
  }

  /** Whether nobody else has taken a message since this path last waited for one, and took it. */
  #isAlone(): boolean {
    const taken = this.words.load(field(this.body, queue.CONSUMER + monitor.POSITION));
    const { nextTaken } = this;
    this.nextTaken = (taken + 1) | 0;
    return taken === nextTaken;
  }

  #takeLongSoon(spin: Spinning, turns: number): number {
    const { body, pid, rules, first, mask, stride } = this;
    let index = EMPTY;
    for (let turn = 0; turn < turns && index === EMPTY; turn++) {
      index = this.awaitMessage(body, pid, rules, first, mask, stride, LOOKS_A_TURN) | 0;
    }
    return longOf(this.#found(index, spin));
  }

  #found(claimed: number, spin: Spinning): number {
    if (claimed === EMPTY) {
      this.quiet = 0;
      spin.miss();
    } else spin.hit();
    return claimed;
  }

  /** Whether it has sent a message since it last waited for one, so that what comes may be the answer: then it prepares the next one. */
  #beginAnswer(): boolean {
    const { owner } = this;
    const { lastSentTo } = owner;
    if (lastSentTo === undefined) return false;
    owner.lastSentTo = undefined;
    lastSentTo.claimNext();
    if (this.looksInVain >= 0) this.#learn(this.looksInVain);
    this.looksInVain = -1;
    return true;
  }

  #takeAtOnce(most: number): number {
    this.quiet = 0;
    return this.takeFirst(most);
  }

  /** The last answer was there after so many looks in vain. */
  #learn(looks: number): void {
    const { quiet } = this;
    if (looks === 0) this.quiet = quiet > 0 ? quiet - 1 : 0;
    else if (looks <= FORESEEN_LOOKS) this.quiet = quiet < QUIET_MAX ? quiet + QUIET_STEP : quiet;
    else this.quiet = quiet >> 1;
  }

  /** The index of the first message's slot, of whatever length; LOCKED, CONTENDED or EMPTY. */
  #claim(): number {
    if (!this.isOrdered) return CONTENDED;
    return this.claimMessage(this.body, this.pid, this.rules, this.first, this.mask, this.stride) | 0;
  }

  /** Unlocks where a message was taken and others wait: its length. */
  #leaveTaken(taken: number): number {
    if (taken > TAKEN_LOCKED) return taken;
    this.consumer.leaveContended(1);
    return TAKEN_LOCKED - taken;
  }

  /** What else the message was that was staged last. */
  tell(last: Last): void {
    const { about } = this.staging;
    const { lanes } = last;
    lanes[0] = about[0] as bigint;
    lanes[1] = about[1] as bigint;
  }

  /** Under the consumer lock: the index of the first message's slot. */
  firstIndex(): number {
    return this.words.get(field(this.body, queue.CONSUMER + monitor.POSITION)) & this.mask;
  }

  /** The next message may well be as long as this one: those that are too long are not asked to be staged. */
  expect(length: number): void {
    this.takenMax = this.isOrdered && length <= this.#stagedBytesMax ? this.#stagedBytesMax : -1;
  }

  /** Takes the message that was claimed, and unlocks: its length, or E2BIG where it is longer than `target`, and stays. */
  take(index: number, target: Uint8Array, last: Last): number {
    const { slots, first, stride } = this;
    const slot = (first + index * stride) as Word;
    const length = slots.lengthIn(slot);
    if (length > target.length) {
      this.consumer.leave(0);
      return E2BIG;
    }
    this.expect(length);
    slots.copyInto(index, target, length, this.targets.of(target));
    this.words.getTwoLanes((slot + message.TYPE) as Word, last.lanes);
    this.release();
    return length;
  }

  /** Takes the message that was claimed, whose bytes are copied, and unlocks. */
  release(): void {
    if (this.releaseMessage(this.body, this.pid) === 0) this.consumer.leaveContended(1);
  }

  /**
   * Brings the slot that the next message will be written to into this CPU's cache, its own alone, for one who has sent a question and
   * now waits for the answer: so that its next send need not wait for the receiver's CPU to give the lines up. Changes nothing.
   */
  claimNext(): void {
    const { words, body } = this;
    const tail = words.load(field(body, queue.PRODUCER + monitor.POSITION));
    const taken = words.load(field(body, queue.PRODUCER + monitor.CACHED_OPPOSITE));
    if (used(taken, tail) >= this.room) return;
    const slot = field(this.first, (tail & this.mask) * this.stride);
    words.compareExchange(slot, 0, 0);
    if (this.stride > LINE_WORDS) words.compareExchange(field(slot, LINE_WORDS), 0, 0);
  }
}
