// The steps of a send and a receive as functions of WebAssembly: the same accesses in the same order as plain-queue-steps.ts, but that a
// position and the lock before it, which are 64 bits, change at once where nobody else wants the lock. And those of a send, and of a
// receive, with the copy of a short message in between: the same again, in one function each.

import { LANE_BYTES } from "./lanes.ts";
import { message, messageStates, monitor, queue } from "./layout.ts";
import { CONTENDED, EMPTY, LOCKED, LONG, TAKEN_LOCKED } from "./queue-steps.ts";
import { STAGED_BYTES_MAX } from "./staging.ts";
import {
  add,
  and,
  atomicCompareExchange,
  atomicExchanged64,
  atomicLoad,
  atomicStore,
  type Code,
  copyLane,
  defined,
  differ,
  drop,
  equal,
  isAbove,
  isAtLeast,
  isLess,
  joined,
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
  whenElse,
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
const RESERVED_ROOM = bytes(queue.RESERVED_ROOM);
const RESERVED_MESSAGE = bytes(queue.RESERVED_MESSAGE);
const HEAD = bytes(queue.HEAD);
const LENGTH = bytes(message.LENGTH);
const SENT = bytes(message.SENT);
const DATA = bytes(message.DATA);
/** TYPE to PRIORITY: two lanes. */
const ABOUT = bytes(message.TYPE);

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

/** The lanes of the longest message that is staged, and those that are copied without asking for each. */
const LANES_MAX = STAGED_BYTES_MAX / LANE_BYTES;
const AT_ONCE = 8;

/**
 * Copies the bytes of a message from one slot, or what looks like one, to another: in whole lanes, as slots are made of, and without a
 * loop, in which the engine would look each time whether it is to stop.
 */
const copied = (to: Code, from: Code, length: Code): Code => {
  const lane = (i: number): Code => copyLane(DATA + i * LANE_BYTES, to, DATA + i * LANE_BYTES, from);
  const each = (i: number, end: number): Code =>
    i < end ? when(isLess(number(i * LANE_BYTES), length), lane(i), each(i + 1, end)) : [];
  return whenElse(
    isLess(length, number(AT_ONCE * LANE_BYTES)),
    each(0, AT_ONCE),
    [...Array.from({ length: AT_ONCE }, (_, i) => lane(i)), each(AT_ONCE, LANES_MAX)].flat(),
  );
};

const slotParameters = ["body", "pid", "rules", "room", "first", "mask", "stride"] as const;
const messageParameters = ["length", "typeLow", "typeHigh", "priority"] as const;
type SlotName = (typeof slotParameters)[number] | (typeof messageParameters)[number] | "tail" | "slot";

/**
 * `claimSlot`, where `body` and `first` are in bytes by now. The line that a message begins in is the one that its receiver looks at: it is
 * asked for here, and comes while the bytes are copied.
 */
const slotClaimed = (variables: Readonly<Record<SlotName, Variable>>): Code[] => {
  const { body, pid, rules, room, first, mask, stride, length, typeLow, typeHigh, priority, tail, slot } = variables;
  return [
    lock(PRODUCER_LOCK, body, pid),
    set(tail, load(TAIL, body)),
    when(differ(load(RULES, body), rules), returned(number(LOCKED))),
    when(differ(load(LAST_PRIORITY, body), priority), returned(number(LOCKED))),
    when(
      isAtLeast(subtract(tail, load(CACHED_TAKEN, body)), room),
      when(load(RESERVED_ROOM, body), returned(number(LOCKED))),
      store(CACHED_TAKEN, body, atomicLoad(TAKEN, body)),
      when(isAtLeast(shiftLeft(subtract(tail, load(CACHED_TAKEN, body)), 1), room), returned(number(LOCKED))),
    ),
    set(slot, slotOf(first, and(tail, mask), stride)),
    store(LENGTH, slot, length),
    store(bytes(message.STATE), slot, number(messageStates.LIVE)),
    store(bytes(message.TYPE), slot, typeLow),
    store(bytes(message.TYPE + 1), slot, typeHigh),
    store(bytes(message.SENDER), slot, pid),
    store(bytes(message.PRIORITY), slot, priority),
  ];
};

const claimSlot = defined(
  "claimSlot",
  { parameters: [...slotParameters, ...messageParameters], locals: ["tail", "slot"], results: 1 },
  (variables) => [
    inBytes(variables.body),
    inBytes(variables.first),
    ...slotClaimed(variables),
    and(variables.tail, variables.mask),
  ],
);

/** Whether a lock is given back together with the position behind it, which is one more then. */
const unlockedCounting = (lockAt: number, body: Code, pid: Code, before: Code): Code =>
  atomicExchanged64(lockAt, body, joined(pid, before), joined(number(0), plusOne(before)));

/** `publishSlot`, where `body` and `slot` are in bytes by now. */
const slotPublished = (body: Variable, pid: Variable, slot: Variable, tail: Variable): Code[] => [
  atomicStore(SENT, slot, sentAs(tail)),
  when(unlockedCounting(PRODUCER_LOCK, body, pid, tail), returned(number(1))),
  atomicStore(TAIL, body, plusOne(tail)),
  number(0),
];

const sendStaged = defined(
  "sendStaged",
  {
    parameters: ["staged", ...slotParameters, ...messageParameters],
    locals: ["tail", "slot"],
    results: 1,
  },
  (variables) => {
    const { staged, body, pid, first, length, tail, slot } = variables;
    return [
      inBytes(staged),
      inBytes(body),
      inBytes(first),
      ...slotClaimed(variables),
      copied(slot, staged, length),
      ...slotPublished(body, pid, slot, tail),
    ];
  },
);

const publishSlot = defined(
  "publishSlot",
  { parameters: ["body", "pid", "slot"], locals: ["tail"], results: 1 },
  ({ body, pid, slot, tail }) => [
    inBytes(body),
    inBytes(slot),
    set(tail, load(TAIL, body)),
    ...slotPublished(body, pid, slot, tail),
  ],
);

const claimParameters = ["body", "pid", "rules", "first", "mask", "stride"] as const;
type ClaimVariables = Readonly<Record<(typeof claimParameters)[number] | "taken" | "slot", Variable>>;

/** The beginning of `claimMessage`, where `body` and `first` are in bytes by now: the slot that the first message comes in. */
const slotLocked = ({ body, pid, rules, first, mask, stride, taken, slot }: ClaimVariables): Code[] => [
  lock(CONSUMER_LOCK, body, pid),
  when(differ(load(RULES, body), rules), returned(number(LOCKED))),
  when(or(load(MIXED, body), load(RESERVED_MESSAGE, body)), returned(number(LOCKED))),
  set(taken, load(TAKEN, body)),
  set(slot, slotOf(first, and(taken, mask), stride)),
];

/** Unlocks where there was no message. */
const leftEmpty = ({ body, pid }: Pick<ClaimVariables, "body" | "pid">): Code[] => [
  when(unlocked(CONSUMER_LOCK, body, pid), returned(number(EMPTY))),
  returned(number(LOCKED)),
];

/** The same up to where there is one: its slot. */
const messageClaimed = (variables: ClaimVariables): Code[] => [
  ...slotLocked(variables),
  when(differ(atomicLoad(SENT, variables.slot), sentAs(variables.taken)), ...leftEmpty(variables)),
];

const claimMessage = defined(
  "claimMessage",
  { parameters: claimParameters, locals: ["taken", "slot"], results: 1 },
  (variables) => [
    inBytes(variables.body),
    inBytes(variables.first),
    ...messageClaimed(variables),
    and(variables.taken, variables.mask),
  ],
);

/** `releaseMessage`, where `body` is in bytes by now; `taken` were taken before. */
const messageReleased = (body: Variable, pid: Variable, taken: Variable, released: Code): Code[] => [
  store(HEAD, body, plusOne(taken)),
  when(unlockedCounting(CONSUMER_LOCK, body, pid, taken), returned(released)),
  atomicStore(TAKEN, body, plusOne(taken)),
];

const releaseMessage = defined(
  "releaseMessage",
  { parameters: ["body", "pid"], locals: ["taken"], results: 1 },
  ({ body, pid, taken }) => [
    inBytes(body),
    set(taken, load(TAKEN, body)),
    ...messageReleased(body, pid, taken, number(1)),
    number(0),
  ],
);

type LookVariables = ClaimVariables & Readonly<Record<"turns", Variable>>;

/** `awaitMessage`, where `body` and `first` are in bytes by now: does what `claimed` does once there is one. */
const looked = (
  { body, rules, first, mask, stride, turns, taken, slot }: LookVariables,
  {
    before = [],
    claimed,
    between = [],
  }: Readonly<Record<"claimed", Code[]> & Partial<Record<"before" | "between", Code>>>,
): Code[] => [
  repeatWhile(
    isLess(number(0), turns),
    before,
    set(taken, atomicLoad(TAKEN, body)),
    set(slot, slotOf(first, and(taken, mask), stride)),
    when(
      equal(atomicLoad(SENT, slot), sentAs(taken)),
      when(isLess(number(LINE_WORDS), stride), drop(atomicLoad(bytes(LINE_WORDS), slot))),
      ...claimed,
    ),
    when(differ(atomicLoad(RULES, body), rules), returned(number(CONTENDED))),
    set(turns, subtract(turns, number(1))),
    between,
  ),
  number(EMPTY),
];

const awaitMessage = defined(
  "awaitMessage",
  { parameters: [...claimParameters, "turns"], locals: ["taken", "slot"], results: 1 },
  (variables) => [
    inBytes(variables.body),
    inBytes(variables.first),
    ...looked(variables, { claimed: [...messageClaimed(variables), returned(and(variables.taken, variables.mask))] }),
  ],
);

const receiveParameters = ["staged", ...claimParameters, "most"] as const;
const receiveLocals = ["taken", "slot", "length"] as const;
type ReceiveVariables = Readonly<Record<(typeof receiveParameters)[number] | (typeof receiveLocals)[number], Variable>>;

/** `receiveStaged`, where `staged`, `body` and `first` are in bytes by now. */
const messageStaged = (variables: ReceiveVariables): Code[] => [
  ...messageClaimed(variables),
  ...claimedStaged(variables),
];

/** The rest of it, once the message is claimed. */
const claimedStaged = ({ staged, body, pid, most, taken, slot, length }: ReceiveVariables): Code[] => [
  set(length, load(LENGTH, slot)),
  when(isAbove(length, most), returned(number(LONG))),
  copyLane(ABOUT, staged, ABOUT, slot),
  copyLane(ABOUT + LANE_BYTES, staged, ABOUT + LANE_BYTES, slot),
  copied(staged, slot, length),
  ...messageReleased(body, pid, taken, length),
  returned(subtract(number(TAKEN_LOCKED), length)),
];

const receiveStaged = defined(
  "receiveStaged",
  { parameters: receiveParameters, locals: receiveLocals, results: 1 },
  (variables) => [
    inBytes(variables.staged),
    inBytes(variables.body),
    inBytes(variables.first),
    ...messageStaged(variables),
    number(LOCKED), // never: a function ends with its result
  ],
);

/** So many turns of an empty loop. */
const idle = (turns: Variable): Code =>
  when(isLess(number(0), turns), repeatWhile(isLess(number(0), turns), set(turns, subtract(turns, number(1)))));

const awaitStaged = defined(
  "awaitStaged",
  { parameters: [...receiveParameters, "quiet", "gap", "turns"], locals: receiveLocals, results: 1 },
  (variables) => [
    inBytes(variables.staged),
    inBytes(variables.body),
    inBytes(variables.first),
    ...looked(variables, {
      before: idle(variables.quiet),
      claimed: [store(LENGTH, variables.staged, variables.turns), ...messageStaged(variables)],
      between: set(variables.quiet, variables.gap),
    }),
  ],
);

const expectStaged = defined(
  "expectStaged",
  { parameters: [...receiveParameters, "quiet", "gap", "turns"], locals: [...receiveLocals, "second"], results: 1 },
  (variables) => {
    const { staged, body, pid, first, stride, taken, slot, second, quiet, gap, turns } = variables;
    return [
      inBytes(staged),
      inBytes(body),
      inBytes(first),
      ...slotLocked(variables),
      set(second, slot),
      when(isLess(number(LINE_WORDS), stride), set(second, add(slot, number(bytes(LINE_WORDS))))),
      repeatWhile(
        isLess(number(0), turns),
        idle(quiet),
        drop(atomicLoad(0, second)),
        when(equal(atomicLoad(SENT, slot), sentAs(taken)), store(LENGTH, staged, turns), ...claimedStaged(variables)),
        when(differ(atomicLoad(CONSUMER_LOCK, body), pid), returned(number(LOCKED))),
        set(turns, subtract(turns, number(1))),
        set(quiet, gap),
      ),
      ...leftEmpty(variables),
      number(LOCKED), // never: a function ends with its result
    ];
  },
);

export const queueFunctions: readonly WasmFunction[] = [
  claimSlot,
  publishSlot,
  claimMessage,
  releaseMessage,
  awaitMessage,
  sendStaged,
  receiveStaged,
  awaitStaged,
  expectStaged,
];
