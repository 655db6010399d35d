// The steps of a send and a receive, access by access.

import { message, messageStates, monitor, queue } from "./layout.ts";
import { CONTENDED, EMPTY, LOCKED, type QueueSteps, sentAs } from "./queue-steps.ts";
import { field, LINE_WORDS, type Words } from "./words.ts";

const { LOCK, POSITION, CACHED_OPPOSITE } = monitor;

export class PlainQueueSteps implements QueueSteps {
  readonly #words: Words;

  constructor(words: Words) {
    this.#words = words;
  }

  readonly claimSlot: QueueSteps["claimSlot"] = (
    body,
    pid,
    rules,
    room,
    first,
    mask,
    stride,
    length,
    typeLow,
    typeHigh,
    priority,
  ) => {
    const words = this.#words;
    const producer = field(body, queue.PRODUCER);
    if (words.compareExchange(field(producer, LOCK), 0, pid) !== 0) return CONTENDED;
    const tail = words.get(field(producer, POSITION));
    if (words.get(field(body, queue.RULES)) !== rules) return LOCKED;
    if (words.get(field(body, queue.LAST_PRIORITY)) !== priority) return LOCKED;
    if (((tail - words.get(field(producer, CACHED_OPPOSITE))) | 0) >= room) {
      if (words.get(field(body, queue.RESERVED_ROOM)) !== 0) return LOCKED;
      const taken = words.load(field(body, queue.CONSUMER + POSITION));
      words.set(field(producer, CACHED_OPPOSITE), taken);
      if ((tail - taken) << 1 >= room) return LOCKED;
    }
    const index = tail & mask;
    words.setSix(field(first, index * stride), length, messageStates.LIVE, typeLow, typeHigh, pid, priority); // LENGTH to PRIORITY
    return index;
  };

  readonly publishSlot: QueueSteps["publishSlot"] = (body, pid, slot) => {
    const words = this.#words;
    const producer = field(body, queue.PRODUCER);
    const tail = words.get(field(producer, POSITION));
    words.store(field(slot, message.SENT), sentAs(tail)); // PUBLISHES the message → observed in claimMessage()
    words.store(field(producer, POSITION), (tail + 1) | 0); // counts it; a death before: whoever takes the lock over does
    return +(words.compareExchange(field(producer, LOCK), pid, 0) === pid);
  };

  readonly claimMessage: QueueSteps["claimMessage"] = (body, pid, rules, first, mask, stride) => {
    const words = this.#words;
    const lock = field(body, queue.CONSUMER + LOCK);
    if (words.compareExchange(lock, 0, pid) !== 0) return CONTENDED;
    if (words.get(field(body, queue.RULES)) !== rules) return LOCKED;
    if ((words.get(field(body, queue.MIXED)) | words.get(field(body, queue.RESERVED_MESSAGE))) !== 0) return LOCKED;
    const taken = words.get(field(body, queue.CONSUMER + POSITION));
    const index = taken & mask;
    if (words.load(field(first, index * stride + message.SENT)) === sentAs(taken)) return index;
    return words.compareExchange(lock, pid, 0) === pid ? EMPTY : LOCKED;
  };

  readonly releaseMessage: QueueSteps["releaseMessage"] = (body, pid) => {
    const words = this.#words;
    const after = (words.get(field(body, queue.CONSUMER + POSITION)) + 1) | 0;
    words.set(field(body, queue.HEAD), after); // takes it: a death before the next store is repaired as one behind it
    words.store(field(body, queue.CONSUMER + POSITION), after); // PUBLISHES the room → observed by the senders
    return +(words.compareExchange(field(body, queue.CONSUMER + LOCK), pid, 0) === pid);
  };

  readonly awaitMessage: QueueSteps["awaitMessage"] = (body, pid, rules, first, mask, stride, turns) => {
    const words = this.#words;
    for (let left = turns; left > 0; left--) {
      const taken = words.load(field(body, queue.CONSUMER + POSITION));
      const slot = field(first, (taken & mask) * stride);
      if (words.load(field(slot, message.SENT)) === sentAs(taken)) {
        if (stride > LINE_WORDS) words.load(field(slot, LINE_WORDS)); // it comes while the first line is looked at
        return this.claimMessage(body, pid, rules, first, mask, stride);
      }
      if (words.load(field(body, queue.RULES)) !== rules) return CONTENDED;
    }
    return EMPTY;
  };
}
