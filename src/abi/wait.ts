// How a task has ended, as wait(2) tells it: the exit status in bits 8 to 15, or the signal in bits 0 to 6; of one that is
// stopped, the signal in bits 8 to 15 over 0x7f; of one that goes on again, 0xffff.

import { SIGCONT } from "./signals.ts";

export const WNOHANG = 1;
export const WUNTRACED = 2;
export const WSTOPPED = 2;
export const WEXITED = 4;
export const WCONTINUED = 8;
export const WNOWAIT = 0x01000000;
/** Of clone(2)'s children, and of other threads' of a process: there are none here. */
export const WNOTHREAD = 0x20000000;
export const WALL = 0x40000000;
export const WCLONE = 0x80000000;

export const P_ALL = 0;
export const P_PID = 1;
export const P_PGID = 2;
export const P_PIDFD = 3;

/** What SIGCHLD and waitid(2) say has become of a child: si_code. */
export const CLD_EXITED = 1;
export const CLD_KILLED = 2;
export const CLD_DUMPED = 3;
export const CLD_STOPPED = 5;
export const CLD_CONTINUED = 6;

export const CONTINUED_STATUS = 0xffff;
const STOPPED_MARK = 0x7f;

export const exitedStatus = (code: number): number => (code & 0xff) << 8;
export const killedStatus = (signal: number): number => signal & STOPPED_MARK;
export const stoppedStatus = (signal: number): number => (signal << 8) | STOPPED_MARK;

/** si_code and si_status of a wait status. */
export function childCode(status: number): { code: number; status: number } {
  if (status === CONTINUED_STATUS) return { code: CLD_CONTINUED, status: SIGCONT };
  const low = status & STOPPED_MARK;
  const high = (status >> 8) & 0xff;
  if (low === STOPPED_MARK) return { code: CLD_STOPPED, status: high };
  return low === 0 ? { code: CLD_EXITED, status: high } : { code: CLD_KILLED, status: low };
}
