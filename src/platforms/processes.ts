// The world of processes: a mapped file, futex(2), and for promises a pipe that the event loop polls.

import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { Socket } from "node:net";
import { type Offset, offsetOf, type Word, type Words } from "../memory/words.ts";
import type { Doorbell, Parker, World } from "../sync/world.ts";
import { hostFacts } from "./host.ts";
import { type Libc, libc } from "./libc.ts";
import type { MappedRegion } from "./region-file.ts";

export function processWorld(region: MappedRegion): World {
  const library = libc();
  if (typeof library === "string") throw new Error(library); // a region is mapped, so the library is there
  return {
    ...hostFacts(),
    parker: new FutexParker(library, region.address),
    doorbell: new PipeDoorbell(library, region.words),
    giveWay: () => library.giveWay(),
  };
}

class FutexParker implements Parker {
  readonly #libc: Libc;
  readonly #address: number;

  constructor(library: Libc, address: number) {
    this.#libc = library;
    this.#address = address;
  }

  park(word: Word, expected: number, milliseconds: number): void {
    this.#libc.futexWait(this.#at(word), expected, milliseconds);
  }

  unpark(word: Word, count: number): void {
    this.#libc.futexWake(this.#at(word), count);
  }

  #at(word: Word): number {
    return this.#address + (offsetOf(word) as Offset);
  }
}

/**
 * A pipe without a name: nothing to clean up after a death. Others reach it through /proc/<pid>/fd, and write only after
 * they have seen that what they opened is the pipe of that inode: the descriptor's number may be another file's by now.
 */
class PipeDoorbell implements Doorbell {
  readonly #libc: Libc;
  readonly #words: Words;
  readonly #known = new Map<Word, { inode: number; osPid: number; descriptor: number }>();
  #socket: Socket | undefined;

  constructor(library: Libc, words: Words) {
    this.#libc = library;
    this.#words = words;
  }

  install(_bell: Word, descriptorWord: Word, inodeWord: Word, onRing: () => void): void {
    // One descriptor that reads and writes: the pipe never ends, and the socket's own clean-up closes all of it.
    const both = this.#libc.openPipe();
    if (both < 0) return; // out of descriptors: the look every 100 ms remains
    this.#words.store(descriptorWord, both);
    this.#words.store(inodeWord, inodeOf(both));
    this.#socket = new Socket({ fd: both, readable: true, writable: false });
    this.#socket.on("data", onRing);
    this.#socket.on("error", () => {});
    this.#socket.unref();
  }

  listen(): void {} // the socket always does

  ring(bell: Word, osPid: number, descriptor: number, inode: number): void {
    let known = this.#known.get(bell);
    if (known && (known.inode !== inode || known.osPid !== osPid)) {
      closeSync(known.descriptor);
      this.#known.delete(bell);
      known = undefined;
    }
    if (!known) {
      const opened = openBell(osPid, descriptor, inode);
      if (opened === undefined) return;
      known = { inode, osPid, descriptor: opened };
      this.#known.set(bell, known);
    }
    this.#libc.poke(known.descriptor);
  }

  close(): void {
    this.#socket?.destroy();
    for (const { descriptor } of this.#known.values()) closeSync(descriptor);
    this.#known.clear();
  }
}

/** 0 where it cannot be found out: then nobody rings, and the look every 100 ms remains. */
function inodeOf(descriptor: number): number {
  try {
    return fstatSync(descriptor).ino | 0;
  } catch {
    return 0;
  }
}

function openBell(osPid: number, descriptor: number, inode: number): number | undefined {
  let opened: number | undefined;
  try {
    opened = openSync(`/proc/${osPid}/fd/${descriptor}`, constants.O_WRONLY | constants.O_NONBLOCK);
    const stat = fstatSync(opened);
    if (stat.isFIFO() && (stat.ino | 0) === inode) return opened;
  } catch {
    // the task is gone: the reaper will find it
  }
  if (opened !== undefined) closeSync(opened);
  return undefined;
}
