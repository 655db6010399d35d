// Pipes against a plain array of bytes: random writes, reads and changes of capacity, on pipes whose positions begin anywhere,
// also where they wrap. A failure prints the seed and the shortest plan that fails; SEED=… runs it again.

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { EAGAIN, EBUSY } from "../src/abi/errno.ts";
import { limitDefaults } from "../src/abi/limits.ts";
import type { Opened } from "../src/kernel/opening.ts";
import type { System } from "../src/kernel/system.ts";
import { access, monitor, pipe as names } from "../src/memory/layout.ts";
import { field, LINE_WORDS, type Word } from "../src/memory/words.ts";
import type { Pipe } from "../src/objects/pipe.ts";
import { Machine, makePipe } from "./crash-fixture.ts";
import { smallLimits } from "./memory-fixture.ts";

const seed = Number(process.env.SEED ?? Date.now() | 0);

type Step =
  | { readonly do: "write"; readonly length: number; readonly atomic: boolean }
  | { readonly do: "read"; readonly length: number }
  | { readonly do: "resize"; readonly capacity: number };

/** What a pipe is: bytes in their order, and how many there may be. */
class PipeModel {
  capacity = 16;
  bytes: number[] = [];
  #next = 0;

  /** The bytes that the next write brings. */
  coming(length: number): Uint8Array {
    return Uint8Array.from({ length }, (_, i) => (this.#next + i) & 255);
  }

  write(length: number, atomic: boolean): number {
    const count = Math.min(length, this.capacity - this.bytes.length);
    if (length === 0) return 0;
    if (count === 0 || (atomic && count < length)) return EAGAIN;
    this.bytes.push(...this.coming(count));
    this.#next += count;
    return count;
  }

  read(length: number): number[] | number {
    if (length === 0) return [];
    return this.bytes.length === 0 ? EAGAIN : this.bytes.splice(0, length);
  }

  resize(capacity: number): number {
    if (capacity < this.bytes.length) return EBUSY;
    this.capacity = capacity;
    return 0;
  }
}

function startAt(system: System, bodyLine: number, position: number): void {
  for (const side of [names.PRODUCER, names.CONSUMER]) {
    for (const name of [monitor.POSITION, monitor.CACHED_OPPOSITE]) {
      system.words.set(field((bodyLine * LINE_WORDS) as Word, side + name), position);
    }
  }
}

const positions = fc.oneof(
  fc.integer({ min: -70, max: 70 }),
  fc.integer({ min: -70, max: 70 }).map((near) => (2 ** 31 + near) | 0),
  fc.integer(),
);
const lengths = fc.oneof({ weight: 4, arbitrary: fc.nat(20) }, { weight: 1, arbitrary: fc.nat(300) });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(lengths, fc.boolean()).map(([length, atomic]): Step => ({ do: "write", length, atomic })),
  },
  { weight: 4, arbitrary: lengths.map((length): Step => ({ do: "read", length })) },
  { weight: 1, arbitrary: fc.nat(8).map((power): Step => ({ do: "resize", capacity: 2 ** power })) },
);

function runOn(system: System, objectIndex: number, pipe: Pipe, some: Step, model: PipeModel): void {
  switch (some.do) {
    case "write": {
      const data = model.coming(some.length);
      assert.equal(pipe.tryWrite(data, 0, some.length, some.atomic), model.write(some.length, some.atomic));
      break;
    }
    case "read": {
      const target = new Uint8Array(some.length);
      const count = pipe.tryRead(target, 0, some.length);
      assert.deepEqual(count < 0 ? count : [...target.subarray(0, count)], model.read(some.length));
      break;
    }
    case "resize":
      assert.equal(system.resizePipe(objectIndex, some.capacity), model.resize(some.capacity));
  }
}

test("a pipe does what a plain array of bytes does, whatever its capacity becomes and wherever its positions begin", () => {
  const runs = fc.record({ position: positions, plan: fc.array(step, { minLength: 20, maxLength: 120 }) });
  fc.assert(
    fc.property(runs, ({ position, plan }) => {
      const machine = new Machine();
      const tasks = [machine.attach(), machine.attach()] as const;
      const before = tasks[0].usage().freeLines;
      const ends = makePipe(tasks[0]) as [Opened, Opened];
      const { objectIndex, generation, bodyLine } = ends[0];
      startAt(tasks[0], bodyLine, position);
      const other = tasks[1].openToken({ objectIndex, generation }, [1], access.READ | access.WRITE) as Opened;
      const model = new PipeModel();
      plan.forEach((some, i) => {
        const task = tasks[i % 2] as System; // each has a view of its own, which the other's changes outdate
        runOn(task, objectIndex, task.pipeOf(objectIndex), some, model);
        const { capacity, length } = tasks[1].pipeOf(objectIndex);
        assert.deepEqual([capacity, length], [model.capacity, model.bytes.length], `at step ${i}`);
      });
      tasks[1].close(other.descriptor);
      for (const end of ends) tasks[0].close(end.descriptor);
      assert.equal(tasks[0].usage().freeLines, before, "nothing leaked");
    }),
    { seed, includeErrorInReport: true, numRuns: 300 },
  );
});

test("a task inherits more descriptors than one transaction holds", () => {
  const many = { descriptorsMax: 256, descriptionsMax: 600, regionBytes: 2 ** 20 };
  const machine = new Machine({ ...limitDefaults, ...smallLimits, ...many });
  const parent = machine.attach();
  const [read] = makePipe(parent) as [Opened, Opened];
  for (let i = 5; i < 256; i++) assert.equal(parent.duplicate(read.descriptor, 0, i === 9), i);
  const child = machine.attach(undefined, undefined, { parentPid: parent.pid, inherit: true });
  assert.equal(child.openFile(9), undefined, "it closes on exec");
  for (const descriptor of [0, 3, 4, 5, 255]) assert.ok(child.openFile(descriptor), `descriptor ${descriptor}`);
  child.detach();
  assert.equal(parent.pipeOf(read.objectIndex).readers, 1);
});
