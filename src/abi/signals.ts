// The signals (signal(7), the mission's "Signal Types"), by their numbers on x86-64, and what happens where nobody says otherwise.

export type SignalAction = "terminate" | "core" | "ignore" | "stop" | "continue";

interface SignalRow {
  readonly number: number;
  readonly action: SignalAction;
  readonly description: string;
}

const row = (number: number, action: SignalAction, description: string): SignalRow => ({ number, action, description });

export const signals = {
  SIGHUP: row(1, "terminate", "Hangup"),
  SIGINT: row(2, "terminate", "Interrupt (Ctrl+C)"),
  SIGQUIT: row(3, "core", "Quit"),
  SIGILL: row(4, "core", "Illegal instruction"),
  SIGTRAP: row(5, "core", "Trace/breakpoint trap"),
  SIGABRT: row(6, "core", "Abort"),
  SIGBUS: row(7, "core", "Bus error"),
  SIGFPE: row(8, "core", "Floating point exception"),
  SIGKILL: row(9, "terminate", "Kill (cannot be caught)"),
  SIGUSR1: row(10, "terminate", "User-defined signal 1"),
  SIGSEGV: row(11, "core", "Segmentation fault"),
  SIGUSR2: row(12, "terminate", "User-defined signal 2"),
  SIGPIPE: row(13, "terminate", "Broken pipe"),
  SIGALRM: row(14, "terminate", "Alarm clock"),
  SIGTERM: row(15, "terminate", "Termination"),
  SIGSTKFLT: row(16, "terminate", "Stack fault on coprocessor (unused)"),
  SIGCHLD: row(17, "ignore", "Child stopped or terminated"),
  SIGCONT: row(18, "continue", "Continue"),
  SIGSTOP: row(19, "stop", "Stop (cannot be caught)"),
  SIGTSTP: row(20, "stop", "Terminal stop"),
  SIGTTIN: row(21, "stop", "Terminal input for background process"),
  SIGTTOU: row(22, "stop", "Terminal output for background process"),
  SIGURG: row(23, "ignore", "Urgent condition on socket"),
  SIGXCPU: row(24, "core", "CPU time limit exceeded"),
  SIGXFSZ: row(25, "core", "File size limit exceeded"),
  SIGVTALRM: row(26, "terminate", "Virtual alarm clock"),
  SIGPROF: row(27, "terminate", "Profiling timer expired"),
  SIGWINCH: row(28, "ignore", "Window resize signal"),
  SIGIO: row(29, "terminate", "I/O now possible"),
  SIGPWR: row(30, "terminate", "Power failure"),
  SIGSYS: row(31, "core", "Bad system call"),
} as const;

/** The name of a signal from 1 to 31, as signal(7) has it. */
export type SignalName = keyof typeof signals;

export const SIGKILL = signals.SIGKILL.number;
export const SIGPIPE = signals.SIGPIPE.number;
export const SIGALRM = signals.SIGALRM.number;
export const SIGCHLD = signals.SIGCHLD.number;
export const SIGCONT = signals.SIGCONT.number;
export const SIGSTOP = signals.SIGSTOP.number;
/** From here on they are real-time: each one that is sent is queued, with its value. */
export const SIGRTMIN = 32;
export const SIGNAL_MAX = 64;

const actions = new Map<number, SignalAction>(Object.values(signals).map(({ number, action }) => [number, action]));

/** What a signal does to a task that has said nothing about it. */
export const defaultAction = (signal: number): SignalAction => actions.get(signal) ?? "terminate";

export const isStop = (signal: number): boolean => defaultAction(signal) === "stop";

/** Whether nothing comes of a signal that nobody asks for. SIGCONT continues a task by being sent, not by being delivered. */
export function isIgnoredByDefault(signal: number): boolean {
  const action = defaultAction(signal);
  return action === "ignore" || action === "continue";
}

/** The name of a signal; real-time ones count from SIGRTMIN. */
export const signalName = (signal: number): string => names[signal - 1] ?? realTimeName(signal);

/** Of those from 1 on, in their order. */
const names = Object.keys(signals);

const realTimeName = (signal: number): string => (signal === SIGRTMIN ? "SIGRTMIN" : `SIGRTMIN+${signal - SIGRTMIN}`);

// A set of signals is a bigint: signal s is bit s - 1.

/** Made once: arithmetic with bigints allocates. Those behind SIGNAL_MAX are for numbers that are refused later. */
const BITS = Array.from({ length: 256 }, (_, signal) => (signal === 0 ? 0n : 1n << BigInt(signal - 1)));

export const bitOf = (signal: number): bigint => BITS[signal] ?? 1n << BigInt(signal - 1);
export const NO_SIGNALS = 0n;
export const ALL_SIGNALS = 2n ** 64n - 1n;
/** What can be neither blocked, caught nor ignored. */
export const UNBLOCKABLE = bitOf(SIGKILL) | bitOf(SIGSTOP);

/** Where a signal comes from (sigaction(2), si_code). */
export const SI_USER = 0;
export const SI_KERNEL = 0x80;
export const SI_QUEUE = -1;
export const SI_MESGQ = -3;
export const SI_TKILL = -6;

export const SIG_DFL = 0;
export const SIG_IGN = 1;
export const SIG_BLOCK = 0;
export const SIG_UNBLOCK = 1;
export const SIG_SETMASK = 2;
export const SA_NOCLDSTOP = 1;
export const SA_NOCLDWAIT = 2;
export const SA_SIGINFO = 4;
export const SA_RESTORER = 0x04000000;
export const SA_RESTART = 0x10000000;
export const SA_NODEFER = 0x40000000;
export const SA_RESETHAND = 0x80000000;
/** SA_NOCLDSTOP, SA_NOCLDWAIT, SA_EXPOSE_TAGBITS and SA_ONSTACK are known, and change nothing here. */
const SA_WITHOUT_EFFECT = 0x08000803;
/** Other flags are not kept, so that a program can see which there are (sigaction(2)). */
export const SA_KNOWN = BigInt(
  (SA_WITHOUT_EFFECT | SA_SIGINFO | SA_RESTORER | SA_RESTART | SA_NODEFER | SA_RESETHAND) >>> 0,
);
