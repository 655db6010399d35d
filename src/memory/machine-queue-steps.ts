// The steps of a send and a receive as functions of WebAssembly: the same accesses in the same order as plain-queue-steps.ts.

import { message, messageStates, monitor, queue } from "./layout.ts";
import { CONTENDED, EMPTY, LOCKED } from "./queue-steps.ts";
import {
  add,
  and,
  atomicCompareExchange,
  atomicLoad,
  atomicStore,
  type Code,
  defined,
  differ,
  drop,
  equal,
  isAtLeast,
  isLess,
  load,
  multiply,
  number,
  or,
  repeatWhile,
  returned,
  set,
  shiftLeft,
  store,
  subtract,
  type Variable,
  type WasmFunction,
  when,
} from "./wasm-module.ts";
import { LINE_WORDS, WORD_BYTES } from "./words.ts";

const bytes = (words: number): number => words * WORD_BYTES;

const PRODUCER_LOCK = bytes(queue.PRODUCER + monitor.LOCK);
const TAIL = bytes(queue.PRODUCER + monitor.POSITION);
const CACHED_TAKEN = bytes(queue.PRODUCER + monitor.CACHED_OPPOSITE);
const CONSUMER_LOCK = bytes(queue.CONSUMER + monitor.LOCK);
const TAKEN = bytes(queue.CONSUMER + monitor.POSITION);
const RULES = bytes(queue.RULES);
const LAST_PRIORITY = bytes(queue.LAST_PRIORITY);
const MIXED = bytes(queue.MIXED);
const RESERVED_MESSAGE = bytes(queue.RESERVED_MESSAGE);
const HEAD = bytes(queue.HEAD);
const SENT = bytes(message.SENT);

/** Makes a variable that is in words one in bytes. */
const inBytes = (variable: Variable): Code => set(variable, shiftLeft(variable, 2));
const plusOne = (value: Code): Code => add(value, number(1));
const sentAs = (position: Code): Code => or(shiftLeft(position, 1), number(1));
/** The slot of an index, where `first` is in bytes by now, and `stride` in words. */
const slotOf = (first: Code, index: Code, stride: Code): Code => add(first, shiftLeft(multiply(index, stride), 2));
const lock = (offset: number, body: Code, pid: Code): Code =>
  when(atomicCompareExchange(offset, body, number(0), pid), returned(number(CONTENDED)));
const unlocked = (offset: number, body: Code, pid: Code): Code =>
  equal(atomicCompareExchange(offset, body, pid, number(0)), pid);

// The line that a message begins in is the one that its receiver looks at: it is asked for here, and comes while the bytes are copied.
const claimSlot = defined(
  "claimSlot",
  {
    parameters: [
      ...(["body", "pid", "rules", "room", "first", "mask", "stride"] as const),
      ...(["length", "typeLow", "typeHigh", "priority"] as const),
    ],
    locals: ["tail", "index", "slot"],
    results: 1,
  },
  ({ body, pid, rules, room, first, mask, stride, length, typeLow, typeHigh, priority, tail, index, slot }) => [
    inBytes(body),
    inBytes(first),
    lock(PRODUCER_LOCK, body, pid),
    set(tail, load(TAIL, body)),
    when(differ(load(RULES, body), rules), returned(number(LOCKED))),
    when(differ(load(LAST_PRIORITY, body), priority), returned(number(LOCKED))),
    when(isAtLeast(subtract(tail, load(CACHED_TAKEN, body)), room), returned(number(LOCKED))),
    set(index, and(tail, mask)),
    set(slot, slotOf(first, index, stride)),
    store(bytes(message.LENGTH), slot, length),
    store(bytes(message.STATE), slot, number(messageStates.LIVE)),
    store(bytes(message.TYPE), slot, typeLow),
    store(bytes(message.TYPE + 1), slot, typeHigh),
    store(bytes(message.SENDER), slot, pid),
    store(bytes(message.PRIORITY), slot, priority),
    index,
  ],
);

const publishSlot = defined(
  "publishSlot",
  { parameters: ["body", "pid", "slot"], locals: ["tail"], results: 1 },
  ({ body, pid, slot, tail }) => [
    inBytes(body),
    inBytes(slot),
    set(tail, load(TAIL, body)),
    atomicStore(SENT, slot, sentAs(tail)),
    atomicStore(TAIL, body, plusOne(tail)),
    unlocked(PRODUCER_LOCK, body, pid),
  ],
);

/** `claimMessage`, where `body` and `first` are in bytes by now. */
const messageClaimed = ({ body, pid, rules, first, mask, stride, taken, index }: ClaimVariables): Code[] => [
  lock(CONSUMER_LOCK, body, pid),
  when(differ(load(RULES, body), rules), returned(number(LOCKED))),
  when(or(load(MIXED, body), load(RESERVED_MESSAGE, body)), returned(number(LOCKED))),
  set(taken, load(TAKEN, body)),
  set(index, and(taken, mask)),
  when(equal(atomicLoad(SENT, slotOf(first, index, stride)), sentAs(taken)), returned(index)),
  when(unlocked(CONSUMER_LOCK, body, pid), returned(number(EMPTY))),
  returned(number(LOCKED)),
];

type ClaimVariables = Readonly<Record<(typeof claimParameters)[number] | "taken" | "index", Variable>>;
const claimParameters = ["body", "pid", "rules", "first", "mask", "stride"] as const;

const claimMessage = defined(
  "claimMessage",
  { parameters: claimParameters, locals: ["taken", "index"], results: 1 },
  (variables) => [inBytes(variables.body), inBytes(variables.first), ...messageClaimed(variables), number(LOCKED)],
);

const releaseMessage = defined(
  "releaseMessage",
  { parameters: ["body", "pid"], locals: ["after"], results: 1 },
  ({ body, pid, after }) => [
    inBytes(body),
    set(after, plusOne(load(TAKEN, body))),
    atomicStore(TAKEN, body, after),
    store(HEAD, body, after),
    unlocked(CONSUMER_LOCK, body, pid),
  ],
);

const awaitMessage = defined(
  "awaitMessage",
  { parameters: [...claimParameters, "turns"], locals: ["taken", "index", "slot"], results: 1 },
  (variables) => {
    const { body, rules, first, mask, stride, turns, taken, slot } = variables;
    return [
      inBytes(body),
      inBytes(first),
      repeatWhile(
        isLess(number(0), turns),
        set(taken, atomicLoad(TAKEN, body)),
        set(slot, slotOf(first, and(taken, mask), stride)),
        when(
          equal(atomicLoad(SENT, slot), sentAs(taken)),
          when(isLess(number(LINE_WORDS), stride), drop(atomicLoad(bytes(LINE_WORDS), slot))),
          ...messageClaimed(variables),
        ),
        when(differ(atomicLoad(RULES, body), rules), returned(number(CONTENDED))),
        set(turns, subtract(turns, number(1))),
      ),
      number(EMPTY),
    ];
  },
);

export const queueFunctions: readonly WasmFunction[] = [
  claimSlot,
  publishSlot,
  claimMessage,
  releaseMessage,
  awaitMessage,
];
