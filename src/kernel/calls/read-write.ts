// Moving bytes: read, write (read(2), write(2), pipe(7)).
//
// The range of a call must lie in the caller's memory as a whole. As on Linux a bad one is found only when there is something to
// move: an empty or broken pipe says so first.

import { EAGAIN, EBADF, EFAULT, EINVAL, EPIPE } from "../../abi/errno.ts";
import { O_NONBLOCK, SIGEV_SIGNAL } from "../../abi/flags.ts";
import { SIGPIPE } from "../../abi/signals.ts";
import { access, kinds, queue } from "../../memory/layout.ts";
import type { Pipe } from "../../objects/pipe.ts";
import { blockUntil, FOR_EVER } from "../../sync/waiting.ts";
import type { OpenFile } from "../opening.ts";
import { isPipe } from "../readiness.ts";
import type { System } from "../system.ts";
import type { Span } from "../task-memory.ts";
import { type Argument, type Caller, int, size } from "./call.ts";
import { readSignals } from "./signal-file.ts";

/** Longer reads and writes move so much at a time (read(2)). */
const COUNT_MAX = 0x7ffff000;
/** Where the addresses of a task end: what lies beyond is EFAULT, whatever the count. */
const ADDRESS_BOUND = 2 ** 47 - 4096;

const encoder = new TextEncoder();

export function read(caller: Caller, ...[descriptor, pointerArgument, countArgument]: Argument[]): number {
  const file = caller.system.openFile(int(descriptor));
  if (!file || !(file.access & access.READ)) return EBADF;
  const pointer = size(pointerArgument);
  if (pointer + size(countArgument) > ADDRESS_BOUND) return EFAULT;
  const count = Math.min(size(countArgument), COUNT_MAX);
  if (isPipe(file)) return count === 0 ? 0 : readPipe(caller, file, pointer, count);
  if (file.hostStream >= 0) return readStream(caller, file, pointer, count);
  if (file.kind === kinds.SIGNALS) return readSignals(caller, file, pointer, count);
  return file.kind === kinds.QUEUE ? readStatus(caller, file, pointer, count) : EINVAL;
}

export function write(caller: Caller, ...[descriptor, pointerArgument, countArgument]: Argument[]): number {
  const file = caller.system.openFile(int(descriptor));
  if (!file || !(file.access & access.WRITE)) return EBADF;
  if (file.kind === kinds.QUEUE || file.kind === kinds.SYSV_QUEUE) return EINVAL;
  const pointer = size(pointerArgument);
  if (pointer + size(countArgument) > ADDRESS_BOUND) return EFAULT;
  const count = Math.min(size(countArgument), COUNT_MAX);
  if (isPipe(file)) return count === 0 ? 0 : writePipe(caller, file, pointer, count);
  return file.hostStream >= 0 ? writeStream(caller, file, pointer, count) : EINVAL;
}

function readPipe({ system, memory }: Caller, file: OpenFile, pointer: number, count: number): number {
  const pipe = system.pipeOf(file.objectIndex);
  const target = memory.span(pointer, count, true);
  const attempt = (): number =>
    target ? pipe.tryRead(target.bytes, target.start, count) : withoutPlace(pipe.writers, pipe.length);
  const first = attempt();
  if (first !== EAGAIN) return first;
  if (file.flags & O_NONBLOCK) {
    system.reaper.glance(); // a reader that never waits must still learn of its writers' death
    return EAGAIN;
  }
  return blockUntil(system, pipe.readable, 1, attempt, FOR_EVER);
}

/** What a read says that cannot put bytes anywhere: nothing is taken. `writers` was looked at before `length`. */
function withoutPlace(writers: number, length: number): number {
  if (length > 0) return EFAULT;
  return writers === 0 ? 0 : EAGAIN;
}

function writePipe({ system, memory }: Caller, file: OpenFile, pointer: number, count: number): number {
  const pipe = system.pipeOf(file.objectIndex);
  const source = memory.span(pointer, count, false);
  system.reaper.glance(); // a writer that always finds room must still learn of its readers' death
  const atomic = count <= pipe.atomicBytesMax;
  const want = atomic ? count : 1;
  for (let done = 0; ; ) {
    const attempt = (): number => (source ? writeSome(pipe, source, done, atomic) : withoutSource(pipe, want));
    let result = attempt();
    if (result === EAGAIN && !(file.flags & O_NONBLOCK)) {
      result = blockUntil(system, pipe.writable, want, attempt, FOR_EVER);
    }
    if (result === EPIPE) system.signals.raise(SIGPIPE);
    if (result < 0) return done > 0 ? done : result;
    done += result;
    if (done === count) return done;
  }
}

const writeSome = (pipe: Pipe, source: Span, done: number, atomic: boolean): number =>
  pipe.tryWrite(source.bytes, source.start + done, source.length - done, atomic);

function withoutSource(pipe: Pipe, want: number): number {
  if (pipe.readers === 0) return EPIPE;
  return pipe.writable.ready(want) ? EFAULT : EAGAIN;
}

function readStream({ memory, world }: Caller, file: OpenFile, pointer: number, count: number): number {
  if (count === 0) return 0;
  const target = memory.view(pointer, count, true);
  return target ? world.streams.read(file.hostStream, target) : EFAULT;
}

function writeStream({ memory, world }: Caller, file: OpenFile, pointer: number, count: number): number {
  if (count === 0) return 0;
  const source = memory.view(pointer, count, false);
  return source ? world.streams.write(file.hostStream, source) : EFAULT;
}

/** What of a POSIX queue's status text has not been read through this description (mq_overview(7)). */
function readStatus({ system, memory }: Caller, file: OpenFile, pointer: number, count: number): number {
  const { description } = file;
  if (description === undefined) return EINVAL;
  const position = system.descriptors.positionOf(description);
  const rest = encoder.encode(statusText(system, file.objectIndex)).subarray(position, position + count);
  if (rest.length === 0) return 0;
  const target = memory.span(pointer, count, true);
  if (!target) return EFAULT;
  target.bytes.set(rest, target.start);
  system.setPosition(description, position + rest.length);
  return rest.length;
}

function statusText(system: System, objectIndex: number): string {
  const ring = system.ringOf(objectIndex);
  const word = (name: number): number => system.words.load(ring.word(name));
  const pid = word(queue.NOTIFY_PID);
  const kind = pid === 0 ? 0 : word(queue.NOTIFY_KIND);
  const signal = pid !== 0 && kind === SIGEV_SIGNAL ? word(queue.NOTIFY_SIGNAL) : 0;
  const number = (value: number, width: number): string => String(value).padEnd(width);
  const bytes = number(ring.sumBytes(), 10);
  return `QSIZE:${bytes} NOTIFY:${number(kind, 5)} SIGNO:${number(signal, 5)} NOTIFY_PID:${number(pid, 6)}\n`;
}
