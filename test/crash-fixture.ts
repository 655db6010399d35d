// What the tests of crash points share: a machine of tasks that share this thread, of which one, the victim, dies at the
// write that its words refuse, and a scene of two tasks with a queue and a pipe. Other tasks then bury it and go on.

import assert from "node:assert/strict";
import { EAGAIN } from "../src/abi/errno.ts";
import type { KernelLimits } from "../src/abi/limits.ts";
import { makingPipe, makingQueue } from "../src/kernel/making.ts";
import type { Attachment, Opened } from "../src/kernel/opening.ts";
import { System } from "../src/kernel/system.ts";
import { access, type Geometry, kinds } from "../src/memory/layout.ts";
import type { Region } from "../src/memory/region.ts";
import { Words } from "../src/memory/words.ts";
import type { MessageRing } from "../src/objects/message-ring.ts";
import type { Pipe } from "../src/objects/pipe.ts";
import type { World } from "../src/sync/world.ts";
import { dies, formattedBuffer, MortalWords, silentStreams } from "./memory-fixture.ts";

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (data: Uint8Array): string => new TextDecoder().decode(data);

/** A world in which nobody sleeps: a lock that is held is held by the dead, and the look after the sleep finds out. */
export class Machine {
  readonly buffer: SharedArrayBuffer;
  readonly geometry: Geometry;
  /** What the clock of its worlds says. */
  nowMs = 10;
  readonly #alive = new Set<bigint>();
  #next = 1n;

  constructor(limits?: KernelLimits) {
    const { buffer, region } = formattedBuffer(limits);
    this.buffer = buffer;
    this.geometry = region.geometry;
  }

  world(): World {
    const identity = this.#next++;
    this.#alive.add(identity);
    return {
      identity,
      osPid: Number(identity),
      osThreadId: Number(identity),
      hostThread: Number(identity),
      uid: 0,
      gid: 0,
      cpuMask: 1,
      streams: silentStreams,
      tasks: {
        signalProcess: () => {},
        endSelf: () => {},
        exit: () => {},
        identityOf: () => undefined,
        statusOf: () => undefined,
      },
      parker: { park: () => {}, unpark: () => {} },
      doorbell: { install: () => {}, listen: () => {}, ring: () => {}, close: () => {} },
      isAlive: (other) => this.#alive.has(other),
      nowMs: () => this.nowMs,
      afterTurn: (callback) => callback(),
      relax: () => {},
    };
  }

  kill(world: World): void {
    this.#alive.delete(world.identity);
  }

  attach(
    words: Words = new Words(this.buffer),
    world = this.world(),
    attachment: Attachment = { parentPid: 0 },
  ): System {
    const region: Region = { words, geometry: this.geometry, reserve: () => 0 };
    const system = System.attach(region, world, attachment);
    assert.ok(typeof system !== "number");
    return system;
  }
}

export interface Scene {
  readonly machine: Machine;
  readonly survivor: System;
  readonly victim: System;
  readonly queue: Opened;
  readonly ring: MessageRing;
  readonly victimRing: MessageRing;
  readonly pipe: Pipe;
  readonly victimPipe: Pipe;
  readonly pipeIndex: number;
  readonly victimQueue: Opened;
}

const queueAddress = { kind: kinds.QUEUE, name: bytes("q") };
const queueShape = { depth: 4, bytesMax: 0, messageBytesMax: 64 };
const PIPE_BYTES = 16;
const MODE = 0o600;

export function openQueue(system: System): Opened {
  const opened = system.open(queueAddress, {
    access: access.READ | access.WRITE,
    create: makingQueue(system.words, queueShape, MODE),
  });
  assert.ok(typeof opened !== "number");
  return opened;
}

export function makePipe(system: System, ends = [access.READ, access.WRITE]): Opened[] {
  const opened = system.createAnonymous(kinds.PIPE, makingPipe(system.words, PIPE_BYTES, MODE), ends);
  assert.ok(typeof opened !== "number");
  return opened;
}

/** Two tasks, a queue with two messages of four, a pipe with five bytes of sixteen that the survivor has open at both ends. */
export function scene(victimWords: (buffer: SharedArrayBuffer) => Words): Scene {
  const machine = new Machine();
  const survivor = machine.attach();
  const queue = openQueue(survivor);
  const ring = survivor.messageRingAt(queue.bodyLine);
  ring.tryAppend(bytes("one"), 1);
  ring.tryAppend(bytes("two"), 1);
  const [end] = makePipe(survivor) as [Opened, Opened];
  const pipe = survivor.pipeAt(end.bodyLine);
  pipe.tryWrite(bytes("abcde"), 0, 5, true);
  const victim = machine.attach(victimWords(machine.buffer));
  const victimQueue = openQueue(victim);
  return {
    machine,
    survivor,
    victim,
    queue,
    ring,
    pipe,
    pipeIndex: end.objectIndex,
    victimRing: victim.messageRingAt(victimQueue.bodyLine),
    victimPipe: victim.pipeAt(end.bodyLine),
    victimQueue,
  };
}

/** The victim dies after so many writes from now on. */
export function sceneWithDeathAfter(writes: number, Mortal = MortalWords): Scene {
  let mortal: MortalWords | undefined;
  const made = scene((buffer) => {
    mortal = new Mortal(buffer);
    return mortal;
  });
  (mortal as MortalWords).writesLeft = writes;
  return made;
}

export function drain(ring: MessageRing): string[] {
  const found: string[] = [];
  const buffer = new Uint8Array(64);
  for (let length = ring.tryTake(buffer); length !== EAGAIN; length = ring.tryTake(buffer)) {
    assert.ok(length >= 0);
    found.push(text(buffer.subarray(0, length)));
  }
  return found;
}

export function drainPipe(pipe: Pipe): string {
  const buffer = new Uint8Array(64);
  const count = pipe.tryRead(buffer, 0, 64);
  return count === EAGAIN ? "" : text(buffer.subarray(0, count));
}

/** A third task tries to bury the victim and dies after `writes` writes; returns whether it did. */
export function undertakerDies({ machine, victim }: Pick<Scene, "machine" | "victim">, writes: number): boolean {
  const words = new MortalWords(machine.buffer);
  machine.kill(victim.world);
  const world = machine.world();
  const undertaker = machine.attach(words, world);
  words.writesLeft = writes;
  const died = dies(() => {
    undertaker.reap();
    undertaker.detach();
  });
  machine.kill(world);
  return died;
}
