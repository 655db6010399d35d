// The handlers as Linux calls them, and their log, in pages of the task's own.

import {
  ENTRIES_MAX,
  ENTRY_BYTES,
  entry,
  HANDLER_PAGES,
  HANDLER_PAGES_BYTES,
  LOG,
  LOG_ENTRIES,
  RESTORER,
  WITH_INFO,
  WITHOUT_INFO,
} from "./handlers.ts";
import { linuxCall, mapAt } from "./native.ts";

const SYS_RT_SIGPROCMASK = 14;
const SYS_RT_SIGRETURN = 15;
const SYS_GETPID = 39;

const word = (value: number): number[] => [...new Uint8Array(Int32Array.of(value).buffer)];
const long = (value: number): number[] => [...new Uint8Array(BigInt64Array.of(BigInt(value)).buffer)];

/** Takes an entry of the log, at r9, by one instruction: a handler may be interrupted by another. Jumps over `length` bytes if full. */
const takeEntry = (length: number): number[] => [
  ...[0x49, 0xb8, ...long(LOG)], // mov r8, LOG
  ...[0xb8, ...word(1)], // mov eax, 1
  ...[0xf0, 0x41, 0x0f, 0xc1, 0x00], // lock xadd [r8], eax
  ...[0x3d, ...word(ENTRIES_MAX)], // cmp eax, ENTRIES_MAX
  ...[0x73, length], // jae …
  ...[0xc1, 0xe0, Math.log2(ENTRY_BYTES)], // shl eax, …
  ...[0x4d, 0x8d, 0x4c, 0x00, LOG_ENTRIES - LOG], // lea r9, [r8 + rax + …]
];
const TAKEN_BYTES = 8;

const logSignal = [0x41, 0x89, 0x39]; // mov [r9], edi
const logInfo = [
  ...[0x8b, 0x46, 8, 0x41, 0x89, 0x41, entry.CODE], // mov eax, [rsi + 8]; mov [r9 + CODE], eax
  ...[0x48, 0x8b, 0x46, 24, 0x49, 0x89, 0x41, entry.VALUE], // mov rax, [rsi + 24]; mov [r9 + VALUE], rax
  ...[0x8b, 0x46, 16, 0x41, 0x89, 0x41, entry.PID], // mov eax, [rsi + 16]; mov [r9 + PID], eax
];
/** rt_sigprocmask(0, NULL, r9 + MASK, 8) */
const logMask = [
  ...[0x31, 0xff, 0x31, 0xf6, 0x49, 0x8d, 0x51, entry.MASK], // xor edi, edi; xor esi, esi; lea rdx, [r9 + MASK]
  ...[0x41, 0xba, ...word(8), 0xb8, ...word(SYS_RT_SIGPROCMASK), 0x0f, 0x05], // mov r10d, 8; mov eax, …; syscall
];
const RETURN = 0xc3;

function handler(...parts: number[][]): number[] {
  const body = parts.flat();
  return [...takeEntry(TAKEN_BYTES + body.length), ...body, RETURN];
}

const restorer = [0x48, 0xc7, 0xc0, ...word(SYS_RT_SIGRETURN), 0x0f, 0x05]; // mov rax, …; syscall

export class LinuxHandlers {
  readonly #bytes = mapAt(HANDLER_PAGES, HANDLER_PAGES_BYTES);
  readonly #count = new Int32Array(this.#bytes.buffer, this.#bytes.byteOffset + (LOG - HANDLER_PAGES), 1);

  constructor() {
    const put = (at: number, code: readonly number[]): void => this.#bytes.set(code, at - HANDLER_PAGES);
    put(WITH_INFO, handler(logSignal, logInfo, logMask));
    put(WITHOUT_INFO, handler(logSignal, logMask));
    put(RESTORER, restorer);
  }

  /** Lets handlers run that are due: they do at the return of any call. */
  deliver(): number {
    linuxCall(SYS_GETPID);
    return 0;
  }

  /** Moves the log out; returns how many entries it had. */
  takeLog(target: Uint8Array): number {
    this.deliver();
    const count = Atomics.exchange(this.#count, 0, 0);
    const start = LOG_ENTRIES - HANDLER_PAGES;
    const entries = this.#bytes.subarray(start, start + Math.min(count, ENTRIES_MAX) * ENTRY_BYTES);
    target.set(entries);
    entries.fill(0);
    return count;
  }
}
