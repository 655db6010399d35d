// A queue and a pipe of tasks that run machine code, as those of a thread's first region do: instruction by instruction, each access a
// step. One operation more, which only they have: who waits for an answer, looks for it under the lock.

import { MessageQueue } from "../../src/api/message-queue.ts";
import type { ObjectToken } from "../../src/kernel/opening.ts";
import type { System } from "../../src/kernel/system.ts";
import { kinds } from "../../src/memory/layout.ts";
import type { MessageRing } from "../../src/objects/message-ring.ts";
import { noSpin, type Spinning } from "../../src/sync/spin.ts";
import { inMachineCode } from "../machine/interpreted-words.ts";
import { type Family, type Operation, opened, pipeFamily, queueFamily } from "./object-families.ts";
import type { Program } from "./stepped-task.ts";
import { SteppedWords } from "./stepped-words.ts";

const SteppedMachineWords = inMachineCode(SteppedWords);
const words: NonNullable<Family<never, never>["words"]> = (buffer, stepper) => new SteppedMachineWords(buffer, stepper);

interface MachineQueue {
  readonly queue: MessageQueue;
  readonly ring: MessageRing;
}

/** One turn, whatever came of those before. */
const oneTurn: Spinning = { ...noSpin, begin: () => 1 };

/** The handle, and the ring that is in it. */
function openQueue(system: System, token: ObjectToken): MachineQueue {
  const rings: MessageRing[] = [];
  const ringAt = system.messageRingAt.bind(system);
  Object.assign(system, {
    messageRingAt: (line: number): MessageRing => {
      const ring = ringAt(line);
      rings.push(ring);
      return ring;
    },
  });
  const queue = new MessageQueue(system, opened(system, token, kinds.QUEUE), "it", () => {});
  return { queue, ring: rings[0] as MessageRing };
}

/** Receives as one that has sent a question, and has taken the last message, too. */
function receiveAnswer({ queue, ring }: MachineQueue): string {
  const { path, filled } = ring;
  path.owner.lastSentTo = path;
  path.nextTaken = ring.takenCount;
  path.quiet = 1; // the first look is the last one's step
  Object.assign(filled, { spin: oneTurn });
  const into = new Uint8Array(8);
  return new TextDecoder().decode(into.subarray(0, queue.receiveIntoSync(into)));
}

const ofQueue =
  (operation: Operation<MessageQueue>): Operation<MachineQueue> =>
  ({ queue }, program: Program) =>
    operation(queue, program);

const all = (operations: Record<string, Operation<MessageQueue>>): Record<string, Operation<MachineQueue>> =>
  Object.fromEntries(Object.entries(operations).map(([name, operation]) => [name, ofQueue(operation)]));

export const machineQueueFamily: Family<ObjectToken, MachineQueue> = {
  name: "queue in machine code",
  make: queueFamily.make,
  open: openQueue,
  before: Object.fromEntries(
    Object.entries(queueFamily.before).map(([state, before]) => [state, ({ queue }) => before(queue)]),
  ),
  operations: { ...all(queueFamily.operations), receiveAnswer },
  alternatives: all(queueFamily.alternatives ?? {}),
  observe: ({ queue }) => queueFamily.observe(queue),
  words,
};

const machinePipeFamily = { ...pipeFamily, name: "pipe in machine code", words };

// biome-ignore lint/suspicious/noExplicitAny: each family has types of its own
export const machineFamilies: readonly Family<any, any>[] = [machineQueueFamily, machinePipeFamily];
