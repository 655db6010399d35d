// Draws calls on descriptors: what moves bytes, waits, duplicates, closes and sets.

import type { Random } from "../random.ts";
import { call, ints } from "./family.ts";
import * as is from "./flags.ts";
import { SCRATCH_BYTES } from "./mailbox.ts";
import type { Operand, Operation } from "./operation.ts";
import { DESCRIPTORS } from "./side.ts";

export const BUFFER = 16_384;
const BUFFER_BYTES = 80_000;
const PAIR = 12_288;
const COUNT = 12_304;
const POLLS = 12_320;
/** Bad pointers: null, one that no address space has, the guard behind the scratch memory. */
const BAD: readonly Operand[] = [0, -8, { at: SCRATCH_BYTES }, { at: SCRATCH_BYTES + 64 }];
const NO_DESCRIPTORS: readonly Operand[] = [-1, { descriptor: DESCRIPTORS - 2 }, { descriptor: 2000 }, -(2 ** 31)];
const CHOSEN = 24;

/** Numbers the symbols of a sequence. */
export class FileCalls {
  #made = 0;

  newSymbol(kind: string): string {
    return `${kind} ${this.#made++}`;
  }

  descriptor(random: Random, own: readonly string[]): Operand {
    return own.length === 0 || random.chance(3) ? random.pick(NO_DESCRIPTORS) : { symbol: random.pick(own) };
  }

  pipe(random: Random, task: number): Operation {
    const number = this.newSymbol("pipe");
    const made = ["reader", "writer"].map((end, i) => ({ at: PAIR + 4 * i, symbol: `${number} ${end}` }));
    const outputs = [{ at: PAIR, bytes: 8, as: "descriptors" as const }];
    const pointer: Operand = random.chance(97) ? { at: PAIR } : random.pick([...BAD, { at: SCRATCH_BYTES - 4 }]);
    const rest = pointer === 0 || !(typeof pointer === "object") ? {} : { outputs, made };
    if (random.chance(25)) return call(task, "pipe", [pointer], rest);
    const flags = random.weighted([
      [60, random.pick([0, is.O_NONBLOCK])],
      [20, random.pick([is.O_CLOEXEC, is.O_NONBLOCK | is.O_CLOEXEC])],
      [4, random.pick([1, 2, is.O_APPEND, -1 & ~is.O_EXCL, 2 ** 31, is.O_NONBLOCK | is.O_CREAT])],
    ]);
    return call(task, "pipe2", [pointer, flags], rest);
  }

  read(random: Random, task: number, descriptor: Operand): Operation {
    const count = drawCount(random);
    const pointer: Operand = random.chance(3) ? random.pick(BAD) : { at: BUFFER };
    const outputs = count > 0 ? [{ at: BUFFER, bytes: Math.min(count, BUFFER_BYTES), as: "bytes" as const }] : [];
    return call(task, "read", [descriptor, pointer, count], { outputs });
  }

  write(random: Random, task: number, descriptor: Operand): Operation {
    const count = drawCount(random);
    const pointer: Operand = random.chance(3) ? random.pick(BAD) : { at: BUFFER };
    const inputs = [{ at: BUFFER, value: random.bytes(count) }];
    return call(task, "write", [descriptor, pointer, count], { inputs });
  }

  /** Reads and writes of nothing, or far too much, whose errors come before the pipe is looked at. */
  oddMove(random: Random, task: number, descriptor: Operand): Operation {
    const name = random.pick(["read", "write"] as const);
    if (random.chance(70)) return call(task, name, [descriptor, random.pick([...BAD, { at: BUFFER }]), 0]);
    return call(task, name, [descriptor, -8, random.pick([-1, 2n ** 63n - 1n, 2n ** 47n])]);
  }

  unread(random: Random, task: number, descriptor: Operand): Operation {
    const request = random.weighted<number | bigint>([
      [90, is.FIONREAD],
      [3, 0x1234],
      [3, 0],
      [3, 0x1_0000_541bn],
    ]);
    const pointer: Operand = random.chance(95) ? { at: COUNT } : random.pick(BAD);
    const outputs = [{ at: COUNT, bytes: 4, as: "bytes" as const }];
    return call(task, "ioctl", [descriptor, request, pointer], { outputs });
  }

  poll(random: Random, task: number, own: readonly string[]): Operation {
    const items = Array.from({ length: random.below(4) }, () =>
      random.chance(8) ? random.pick([...NO_DESCRIPTORS, -1]) : this.descriptor(random, own),
    );
    const events = items.flatMap(() => [
      0,
      random.pick([1, 1, 4, 4, 5, 0, 0x41, 0x104, 0x7fff, 8, 0x10, 2]) | 0x55550000,
    ]);
    const pointer: Operand = random.chance(97) || items.length === 0 ? { at: POLLS } : random.pick(BAD);
    const count = random.chance(97) ? items.length : random.pick([5000, -1, 2 ** 31]);
    const soon = random.chance(4);
    const timeout = soon ? random.pick([1, 2]) : random.pick([0, 0, 0, -1, -1, -5]);
    return call(task, "poll", [pointer, count, timeout], {
      inputs: [
        { at: POLLS, value: ints(...events) },
        ...items.map((word, i) => ({ at: POLLS + 8 * i, value: { word } })),
      ],
      outputs: [{ at: POLLS, bytes: 8 * items.length, as: "poll" }],
      ...(soon && { returns: true }),
    });
  }

  close(task: number, descriptor: Operand): Operation {
    return call(task, "close", [descriptor]);
  }

  resize(random: Random, task: number, descriptor: Operand): Operation {
    const bytes = random.weighted([
      [60, random.pick([4096, 4096, 8192, 16_384, 65_536])],
      [10, random.pick([0, 1, 4095, 5000, 8193, 60_000])],
      [4, random.pick([-1, 2 ** 31 + 1, 2 ** 20])],
    ]);
    return call(task, "fcntl", [descriptor, is.F_SETPIPE_SZ, bytes]);
  }

  /** Status flags, which all duplicates share, and what a descriptor has for itself. */
  control(random: Random, task: number, descriptor: Operand): Operation {
    const command = random.weighted([
      [20, is.F_GETFD],
      [20, is.F_SETFD],
      [20, is.F_GETFL],
      [20, is.F_SETFL],
      [10, is.F_GETPIPE_SZ],
      [2, random.pick([99, 9999, -1])],
    ]);
    const value =
      command === is.F_SETFD
        ? random.pick([0, 1, 1, 2, 3, -1])
        : command === is.F_SETFL
          ? random.pick([
              0,
              is.O_NONBLOCK,
              is.O_NONBLOCK,
              is.O_APPEND,
              is.O_NOATIME,
              is.O_ASYNC,
              is.O_NONBLOCK | is.O_RDWR,
              0o7777,
            ])
          : random.pick([0, 0, 77]);
    return call(task, "fcntl", [descriptor, command, value]);
  }

  duplicate(random: Random, task: number, own: readonly string[]): Operation {
    const from = this.descriptor(random, own);
    const result = { names: this.newSymbol("copy"), as: "descriptor" as const };
    const kind = random.below(10);
    if (kind < 3) return call(task, "dup", [from], { result });
    if (kind < 6) {
      const least = random.weighted<Operand>([
        [80, { descriptor: random.below(CHOSEN) }],
        [8, { descriptor: DESCRIPTORS - 1 }],
        [4, { descriptor: DESCRIPTORS }],
        [4, random.pick([-1, 2 ** 30, 0xffffffff])],
      ]);
      return call(task, "fcntl", [from, random.pick([is.F_DUPFD, is.F_DUPFD_CLOEXEC]), least], { result });
    }
    const to = random.weighted<Operand>([
      [70, { descriptor: random.below(CHOSEN) }],
      [15, this.descriptor(random, own)],
      [8, from],
      [4, { descriptor: DESCRIPTORS - 1 }],
      [4, { descriptor: DESCRIPTORS }],
      [3, random.pick([-1, 2 ** 30])],
    ]);
    if (kind < 8) return call(task, "dup2", [from, to], { result });
    const flags = random.pick([0, 0, is.O_CLOEXEC, is.O_CLOEXEC, is.O_NONBLOCK, 1, is.O_CLOEXEC | 1]);
    return call(task, "dup3", [from, to, flags], { result });
  }
}

function drawCount(random: Random): number {
  return random.weighted([
    [35, 1 + random.below(100)],
    [12, 4096],
    [6, random.pick([4095, 4097, 8192, 12_288])],
    [16, 1 + random.below(5000)],
    [5, random.below(20_000)],
    [2, 65_536 + random.below(2) * 4096],
  ]);
}
