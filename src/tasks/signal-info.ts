/** What is known of a signal that has come (siginfo_t, sigaction(2)). */
export interface SignalInfo {
  /** Its number. */
  readonly signal: number;
  /** Where it comes from: si_code. */
  readonly code: number;
  /** The pid of the task that sent it; 0 where none did. */
  readonly pid: number;
  /** The user of that task. */
  readonly uid: number;
  /** 64 bits, as they were sent. */
  readonly value: bigint;
}
