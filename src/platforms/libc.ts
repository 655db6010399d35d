// The C library, through koffi: the few calls that Node does not offer. koffi is an optional dependency.

import { createRequire } from "node:module";

type Koffi = typeof import("koffi");
type Native = (...args: unknown[]) => number;

export interface Libc {
  /** mmap(2): shared, of an open file, for reading and (by default) writing. Returns the address, or a negative errno. */
  mapShared(descriptor: number, bytes: number, offset?: number, writable?: boolean): number;
  /** mmap(2), MAP_FIXED: shared, of an open file, over memory that this process has. Returns the address, or a negative errno. */
  mapOver(memory: ArrayBufferLike, descriptor: number, bytes: number): number;
  /** mmap(2), MAP_FIXED and anonymous: gives a mapping's memory back, while views of it stay harmless. */
  unmapToZeros(address: number, bytes: number): void;
  /** An ArrayBuffer over mapped memory. */
  view(address: number, bytes: number): ArrayBuffer;
  /** futex(2), FUTEX_WAIT across processes, with a relative time-out. Returns for any reason. */
  futexWait(address: number, expected: number, milliseconds: number): void;
  futexWake(address: number, count: number): void;
  /** fallocate(2): 0 or a negative errno. */
  reserve(descriptor: number, from: number, bytes: number): number;
  /** linkat(2) of an open file without a name: 0 or a negative errno. */
  nameFile(descriptor: number, path: string): number;
  /**
   * A pipe without a name, open for reading and writing by one descriptor (pipe2(2), and open(2) of it in /proc/self/fd):
   * the descriptor, or a negative errno. Made and closed here and not by node:fs, which would close it once more when a
   * worker thread ends.
   */
  openPipe(): number;
  /** sched_yield(2). */
  giveWay(): void;
  /** write(2) of one byte; the result does not matter. */
  poke(descriptor: number): void;
}

const SYS_FUTEX = 202;
const FUTEX_WAIT = 0;
const FUTEX_WAKE = 1;
const PROT_READ = 1;
const PROT_READ_WRITE = 3;
const MAP_SHARED = 0x1;
const MAP_PRIVATE = 0x2;
const MAP_FIXED = 0x10;
const MAP_ANONYMOUS = 0x20;
const MAP_NORESERVE = 0x4000;
const AT_FDCWD = -100;
const AT_SYMLINK_FOLLOW = 0x400;
const O_RDWR = 2;
const O_CLOEXEC_NONBLOCK = 0o2000000 | 0o4000;

let loaded: Libc | string | undefined;

/** The library, or why it cannot be had. */
export function libc(): Libc | string {
  loaded ??= load();
  return loaded;
}

function load(): Libc | string {
  if (process.platform !== "linux" || process.arch !== "x64") {
    return `kernels between processes need Linux on x86-64, this is ${process.platform} on ${process.arch}`;
  }
  try {
    const koffi = createRequire(import.meta.url)("koffi") as Koffi;
    return bind(koffi);
  } catch (error) {
    const why = error instanceof Error ? error.message.split("\n")[0] : String(error);
    return `kernels between processes need the optional dependency koffi: npm install koffi (${why})`;
  }
}

function bind(koffi: Koffi): Libc {
  const library = koffi.load(null as unknown as string);
  const native = (prototype: string): Native => library.func(prototype) as unknown as Native;
  const mmap = native(
    "intptr_t mmap(uintptr_t address, size_t bytes, int protection, int flags, int fd, int64_t offset)",
  );
  const syscall = native("long syscall(long number, uintptr_t address, int operation, int value, uintptr_t timeout)");
  const fallocate = native("int fallocate(int fd, int mode, int64_t offset, int64_t bytes)");
  const linkat = native("int linkat(int fromDirectory, const char *from, int toDirectory, const char *to, int flags)");
  const pipe2 = native("int pipe2(_Out_ int *descriptors, int flags)");
  const open = native("int open(const char *path, int flags)");
  const close = native("int close(int fd)");
  const schedYield = native("int sched_yield()");
  const write = native("long write(int fd, const char *bytes, size_t count)");

  const timespecPointer = koffi.alloc("int64_t", 2);
  const timespecAddress = Number(koffi.address(timespecPointer));
  let timespecMs = 0; // what it holds: most waits are of the same slice
  const parts = new BigInt64Array(koffi.view(timespecPointer, 16));

  const errnoOr = (result: number): number => (result < 0 ? -koffi.errno() : result);
  return {
    mapShared: (descriptor, bytes, offset = 0, writable = true) => {
      const protection = writable ? PROT_READ_WRITE : PROT_READ;
      return errnoOr(Number(mmap(0, bytes, protection, MAP_SHARED, descriptor, offset)));
    },
    mapOver: (memory, descriptor, bytes) => {
      const address = Number(koffi.address(new Uint8Array(memory) as never));
      return errnoOr(Number(mmap(address, bytes, PROT_READ_WRITE, MAP_SHARED | MAP_FIXED, descriptor, 0)));
    },
    unmapToZeros: (address, bytes) => {
      mmap(address, bytes, PROT_READ_WRITE, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    },
    view: (address, bytes) => koffi.view(BigInt(address) as never, bytes) as ArrayBuffer,
    futexWait: (address, expected, milliseconds) => {
      if (milliseconds !== timespecMs) {
        timespecMs = milliseconds;
        parts[0] = BigInt(Math.trunc(milliseconds / 1000));
        parts[1] = BigInt(Math.trunc((milliseconds % 1000) * 1e6));
      }
      syscall(SYS_FUTEX, address, FUTEX_WAIT, expected, timespecAddress);
    },
    futexWake: (address, count) => {
      syscall(SYS_FUTEX, address, FUTEX_WAKE, count, 0);
    },
    reserve: (descriptor, from, bytes) => errnoOr(fallocate(descriptor, 0, from, bytes)),
    nameFile: (descriptor, path) =>
      errnoOr(linkat(AT_FDCWD, `/proc/self/fd/${descriptor}`, AT_FDCWD, path, AT_SYMLINK_FOLLOW)),
    openPipe: () => {
      const ends = new Int32Array(2);
      const made = errnoOr(pipe2(ends, O_CLOEXEC_NONBLOCK));
      if (made < 0) return made;
      const both = errnoOr(open(`/proc/self/fd/${ends[0]}`, O_CLOEXEC_NONBLOCK | O_RDWR));
      for (const end of ends) close(end);
      return both;
    },
    giveWay: () => {
      schedYield();
    },
    poke: (descriptor) => {
      write(descriptor, "!", 1);
    },
  };
}
