// Linux's own system calls, raw: the number and its arguments, and what the kernel answers.

import { createRequire } from "node:module";

type Koffi = typeof import("koffi");

const koffi = createRequire(import.meta.url)("koffi") as Koffi;
const library = koffi.load(null as unknown as string);
const call = library.func(
  "int64_t syscall(long number, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e, int64_t f)",
) as unknown as (...args: (number | bigint)[]) => number | bigint;
const memcpy = library.func("intptr_t memcpy(intptr_t to, intptr_t from, size_t bytes)") as unknown as (
  ...args: (number | bigint)[]
) => unknown;
const dlsym = library.func("intptr_t dlsym(intptr_t handle, const char *name)") as unknown as (
  handle: number,
  name: string,
) => number | bigint;
const sigaction = library.func("int sigaction(int signal, const uint8_t *action, uint8_t *before)") as unknown as (
  ...args: unknown[]
) => number;

const SIGUSR1 = 10;
const SYS_TGKILL = 234;
const SIGACTION_BYTES = 152;

/** A result from 0 up, or a negative errno. */
export function linuxCall(number: number, args: readonly bigint[]): bigint {
  const [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n, f = 0n] = args;
  const result = BigInt(call(number, a, b, c, d, e, f));
  return result === -1n ? BigInt(-koffi.errno()) : result;
}

export function copyMemory(to: bigint, from: bigint, bytes: number): void {
  memcpy(to, from, bytes);
}

/** Lets SIGUSR1 interrupt calls (EINTR): its handler is a function of libc that does nothing to us, and restarts nothing. */
export function interruptible(): void {
  const action = Buffer.alloc(SIGACTION_BYTES);
  action.writeBigInt64LE(BigInt(dlsym(0, "abs")), 0);
  if (sigaction(SIGUSR1, action, null) !== 0) throw new Error("sigaction failed");
}

export function interruptThread(pid: number, thread: number): void {
  linuxCall(SYS_TGKILL, [BigInt(pid), BigInt(thread), BigInt(SIGUSR1)]);
}
