// The system calls, as data: the mission's numbers, and Linux x86-64's for the rest (syscalls(2)). docs/syscalls.md is made of
// this table. A number that is not here is ENOSYS.

export type SyscallFamily = "files" | "msg" | "mq" | "shm" | "sem" | "credentials" | "signals" | "tasks";

/** Whether all of a call is there. `later`: it is ENOSYS so far. */
export type SyscallStatus = "whole" | "partial" | "later";

export interface SyscallRow {
  readonly number: number;
  readonly name: string;
  readonly family: SyscallFamily;
  readonly status: SyscallStatus;
  /** In the mission's "IPC System Calls Summary". */
  readonly mission: boolean;
  /** What is not there, or is otherwise than on Linux. */
  readonly notes: string;
}

const row = <const N extends string>(
  number: number,
  name: N,
  family: SyscallFamily,
  status: SyscallStatus,
  notes = "",
): SyscallRow & { readonly name: N } => ({ number, name, family, status, notes, mission: missionNumbers.has(number) });

const missionNumbers = new Set([22, 29, 30, 31, 62, 67, 68, 69, 70]);

export const syscalls = [
  row(
    0,
    "read",
    "files",
    "whole",
    "Pipes, FIFOs, signal files, the host's standard input; of a POSIX queue, its status text.",
  ),
  row(1, "write", "files", "whole", "Pipes, FIFOs, the host's standard output and error."),
  row(
    2,
    "open",
    "files",
    "partial",
    "FIFOs only, in one flat directory that is sticky; O_CREAT makes no regular file (EOPNOTSUPP).",
  ),
  row(3, "close", "files", "whole"),
  row(7, "poll", "files", "whole", "Pipes, FIFOs, POSIX queues, signal files, the host's streams."),
  row(
    13,
    "rt_sigaction",
    "signals",
    "whole",
    "A handler is a number, to which the API's kernel.handlers gives a function. A bad place for the old action is EFAULT with the action as it was.",
  ),
  row(14, "rt_sigprocmask", "signals", "whole", "A bad place for the old mask is EFAULT with the mask as it was."),
  row(16, "ioctl", "files", "partial", "FIONREAD only; ENOTTY for others."),
  row(22, "pipe", "files", "whole"),
  row(29, "shmget", "shm", "partial", "No huge pages (SHM_HUGETLB is ignored)."),
  row(30, "shmat", "shm", "partial", "No SHM_REMAP (EINVAL); addresses above a task's own memory."),
  row(31, "shmctl", "shm", "whole"),
  row(32, "dup", "files", "whole"),
  row(33, "dup2", "files", "whole"),
  row(39, "getpid", "credentials", "whole", "The pid in the kernel."),
  row(34, "pause", "signals", "whole"),
  row(37, "alarm", "signals", "whole"),
  row(
    60,
    "exit",
    "tasks",
    "whole",
    "A task is one thread: the same as exit_group. Tasks are made by kernel.spawn of the API.",
  ),
  row(61, "wait4", "tasks", "partial", "What a child has used is all 0; a child of attach(handle) is not waited for."),
  row(
    62,
    "kill",
    "signals",
    "partial",
    "A worker thread that spins is ended at once only where its parent has spawned or adopted it, and stops at its next call or turn of its event loop. Of a process SIGKILL, SIGSTOP and SIGCONT are the host's.",
  ),
  row(64, "semget", "sem", "whole"),
  row(65, "semop", "sem", "whole"),
  row(66, "semctl", "sem", "whole"),
  row(67, "shmdt", "shm", "whole"),
  row(68, "msgget", "msg", "whole"),
  row(69, "msgsnd", "msg", "whole"),
  row(70, "msgrcv", "msg", "whole", "A bad buffer is EFAULT with the message still in the queue."),
  row(71, "msgctl", "msg", "whole"),
  row(
    72,
    "fcntl",
    "files",
    "partial",
    "F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETPIPE_SZ, F_SETPIPE_SZ; EINVAL for others.",
  ),
  row(87, "unlink", "files", "whole"),
  row(90, "chmod", "files", "whole", "FIFOs."),
  row(91, "fchmod", "files", "whole", "FIFOs, pipes and POSIX queues."),
  row(92, "chown", "files", "whole", "FIFOs."),
  row(93, "fchown", "files", "whole", "FIFOs, pipes and POSIX queues."),
  row(95, "umask", "credentials", "whole"),
  row(102, "getuid", "credentials", "whole"),
  row(104, "getgid", "credentials", "whole"),
  row(105, "setuid", "credentials", "whole"),
  row(106, "setgid", "credentials", "whole"),
  row(107, "geteuid", "credentials", "whole"),
  row(108, "getegid", "credentials", "whole"),
  row(109, "setpgid", "signals", "partial", "No sessions: a task changes its own group and its children's."),
  row(
    110,
    "getppid",
    "credentials",
    "whole",
    "The task whose handle this one attached with; 0 where there was none or it is gone.",
  ),
  row(111, "getpgrp", "signals", "whole"),
  row(115, "getgroups", "credentials", "whole"),
  row(116, "setgroups", "credentials", "partial", "At most 32 groups."),
  row(117, "setresuid", "credentials", "whole"),
  row(118, "getresuid", "credentials", "whole"),
  row(119, "setresgid", "credentials", "whole"),
  row(120, "getresgid", "credentials", "whole"),
  row(121, "getpgid", "signals", "whole"),
  row(127, "rt_sigpending", "signals", "whole"),
  row(
    128,
    "rt_sigtimedwait",
    "signals",
    "whole",
    "A bad place for the siginfo is EFAULT with the signal still pending.",
  ),
  row(129, "rt_sigqueueinfo", "signals", "whole", "Of the siginfo, si_code, si_pid, si_uid and si_value arrive."),
  row(130, "rt_sigsuspend", "signals", "whole"),
  row(133, "mknod", "files", "partial", "FIFOs only (EPERM for others)."),
  row(200, "tkill", "signals", "whole", "A task has one thread, whose id is its pid."),
  row(220, "semtimedop", "sem", "whole"),
  row(231, "exit_group", "tasks", "whole"),
  row(234, "tgkill", "signals", "whole", "As tkill."),
  row(240, "mq_open", "mq", "whole"),
  row(241, "mq_unlink", "mq", "whole"),
  row(242, "mq_timedsend", "mq", "whole"),
  row(243, "mq_timedreceive", "mq", "whole", "A bad buffer is EFAULT with the message still in the queue."),
  row(
    244,
    "mq_notify",
    "mq",
    "partial",
    "SIGEV_NONE and SIGEV_SIGNAL; no SIGEV_THREAD (EINVAL): use queue.notified() of the API.",
  ),
  row(245, "mq_getsetattr", "mq", "whole"),
  row(247, "waitid", "tasks", "partial", "As wait4; no P_PIDFD (EBADF)."),
  row(257, "openat", "files", "partial", "As open; AT_FDCWD or an absolute path."),
  row(282, "signalfd", "signals", "whole"),
  row(289, "signalfd4", "signals", "whole"),
  row(292, "dup3", "files", "whole"),
  row(293, "pipe2", "files", "partial", "No O_DIRECT (EINVAL)."),
  row(297, "rt_tgsigqueueinfo", "signals", "whole", "As tkill."),
] as const;

/** The name of a system call, as Linux has it (syscalls(2)). */
export type SyscallName = (typeof syscalls)[number]["name"];
