// The fast path of a message queue: messages that are sent and received in order, where nobody waits and nothing else is to be seen
// to. All that it needs is in one object, in public fields: of those an engine knows that they are small integers, and always the
// same functions, and it looks once where they are. What they say is kept by MessageRing, as the queue's RULES are.
//
// A claim that is negative says why it is none (memory/queue-steps.ts): the ring then does the rest.

import { E2BIG } from "../abi/errno.ts";
import { message, monitor, queue } from "../memory/layout.ts";
import { queueStepsOf } from "../memory/machine-words.ts";
import { CONTENDED, EMPTY, type QueueSteps } from "../memory/queue-steps.ts";
import { field, LINE_WORDS, type Word, type Words } from "../memory/words.ts";
import type { Monitor, MonitorUser } from "../sync/monitor.ts";
import type { Spinning } from "../sync/spin.ts";
import type { Last, MessageSlots } from "./message-slots.ts";
import { used } from "./positions.ts";

/** Looks of one turn of a spin, which takes about as long as one of another's. */
const LOOKS_A_TURN = 32;

/** The task. */
export interface PathOwner extends MonitorUser {
  /** Where it has sent to last. */
  lastSentTo: QueuePath | undefined;
}

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

  rules = -1;
  /** The longest message that it sends, in bytes; -1: none, for more than that is to be done. */
  lengthMax = -1;
  /** Whether it takes messages: what has come first is the next. */
  isOrdered = false;
  /** Messages that the slots leave room for: as many as there may be, or fewer where slots are added as needed. */
  room = 0;
  // Where the slots are, as `slots` says.
  first = 0 as Word;
  mask = 0;
  stride = 0;

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
  }

  /** The slots are others now. */
  reshape(): void {
    const { first, mask, stride } = this.slots;
    this.first = first;
    this.mask = mask;
    this.stride = stride;
  }

  /** Sends a message of up to `lengthMax` bytes: 0, LOCKED or CONTENDED. */
  send(data: Uint8Array, typeLow: number, typeHigh: number, priority: number): number {
    const { body, pid, rules, room, first, mask, stride, slots } = this;
    const { length } = data;
    const index = this.claimSlot(body, pid, rules, room, first, mask, stride, length, typeLow, typeHigh, priority) | 0;
    if (index < 0) return index;
    const slot = (first + index * stride) as Word;
    slots.copyIn(slot, data);
    if (this.publishSlot(body, pid, slot) === 0) this.producer.leaveContended(1);
    this.owner.lastSentTo = this;
    return 0;
  }

  /** The index of the first message's slot, LOCKED, CONTENDED or EMPTY. */
  claim(): number {
    if (!this.isOrdered) return CONTENDED;
    return this.claimMessage(this.body, this.pid, this.rules, this.first, this.mask, this.stride) | 0;
  }

  /** The same for one who has found none, looking for as long as that has been worth it. */
  claimSoon(spin: Spinning): number {
    const turns = this.isOrdered ? spin.begin() : 0;
    if (turns === 0) return EMPTY;
    this.owner.lastSentTo?.claimNext();
    const { body, pid, rules, first, mask, stride } = this;
    for (let turn = 0; turn < turns; turn++) {
      const index = this.awaitMessage(body, pid, rules, first, mask, stride, LOOKS_A_TURN) | 0;
      if (index === EMPTY) continue;
      spin.hit();
      return index;
    }
    spin.miss();
    return EMPTY;
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
    slots.copyInto(index, target, length);
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
