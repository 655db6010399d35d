// Error numbers of Linux x86-64 (errno(3), asm-generic/errno.h), and with them the mission's "Error Codes" table.
// Positive here; a call inside the kernel returns the negative number, as the system call interface does.

export const errnos = {
  EPERM: { number: 1, meaning: "operation not permitted" },
  ENOENT: { number: 2, meaning: "no such file or directory" },
  ESRCH: { number: 3, meaning: "no such process" },
  EINTR: { number: 4, meaning: "interrupted system call" },
  EIO: { number: 5, meaning: "input/output error" },
  ENXIO: { number: 6, meaning: "no such device or address" },
  E2BIG: { number: 7, meaning: "argument list too long" },
  ENOEXEC: { number: 8, meaning: "exec format error" },
  EBADF: { number: 9, meaning: "bad file descriptor" },
  ECHILD: { number: 10, meaning: "no child processes" },
  EAGAIN: { number: 11, meaning: "resource temporarily unavailable" },
  ENOMEM: { number: 12, meaning: "cannot allocate memory" },
  EACCES: { number: 13, meaning: "permission denied" },
  EFAULT: { number: 14, meaning: "bad address" },
  ENOTBLK: { number: 15, meaning: "block device required" },
  EBUSY: { number: 16, meaning: "device or resource busy" },
  EEXIST: { number: 17, meaning: "file exists" },
  EXDEV: { number: 18, meaning: "invalid cross-device link" },
  ENODEV: { number: 19, meaning: "no such device" },
  ENOTDIR: { number: 20, meaning: "not a directory" },
  EISDIR: { number: 21, meaning: "is a directory" },
  EINVAL: { number: 22, meaning: "invalid argument" },
  ENFILE: { number: 23, meaning: "too many open files in system" },
  EMFILE: { number: 24, meaning: "too many open files" },
  ENOTTY: { number: 25, meaning: "inappropriate ioctl for device" },
  ETXTBSY: { number: 26, meaning: "text file busy" },
  EFBIG: { number: 27, meaning: "file too large" },
  ENOSPC: { number: 28, meaning: "no space left on device" },
  ESPIPE: { number: 29, meaning: "illegal seek" },
  EROFS: { number: 30, meaning: "read-only file system" },
  EMLINK: { number: 31, meaning: "too many links" },
  EPIPE: { number: 32, meaning: "broken pipe" },
  EDOM: { number: 33, meaning: "numerical argument out of domain" },
  ERANGE: { number: 34, meaning: "numerical result out of range" },
  EDEADLK: { number: 35, meaning: "resource deadlock avoided" },
  ENAMETOOLONG: { number: 36, meaning: "file name too long" },
  ENOLCK: { number: 37, meaning: "no locks available" },
  ENOSYS: { number: 38, meaning: "function not implemented" },
  ENOTEMPTY: { number: 39, meaning: "directory not empty" },
  ELOOP: { number: 40, meaning: "too many levels of symbolic links" },
  ENOMSG: { number: 42, meaning: "no message of desired type" },
  EIDRM: { number: 43, meaning: "identifier removed" },
  ECHRNG: { number: 44, meaning: "channel number out of range" },
  EL2NSYNC: { number: 45, meaning: "level 2 not synchronized" },
  EL3HLT: { number: 46, meaning: "level 3 halted" },
  EL3RST: { number: 47, meaning: "level 3 reset" },
  ELNRNG: { number: 48, meaning: "link number out of range" },
  EUNATCH: { number: 49, meaning: "protocol driver not attached" },
  ENOCSI: { number: 50, meaning: "no csi structure available" },
  EL2HLT: { number: 51, meaning: "level 2 halted" },
  EBADE: { number: 52, meaning: "invalid exchange" },
  EBADR: { number: 53, meaning: "invalid request descriptor" },
  EXFULL: { number: 54, meaning: "exchange full" },
  ENOANO: { number: 55, meaning: "no anode" },
  EBADRQC: { number: 56, meaning: "invalid request code" },
  EBADSLT: { number: 57, meaning: "invalid slot" },
  EBFONT: { number: 59, meaning: "bad font file format" },
  ENOSTR: { number: 60, meaning: "device not a stream" },
  ENODATA: { number: 61, meaning: "no data available" },
  ETIME: { number: 62, meaning: "timer expired" },
  ENOSR: { number: 63, meaning: "out of streams resources" },
  ENONET: { number: 64, meaning: "machine is not on the network" },
  ENOPKG: { number: 65, meaning: "package not installed" },
  EREMOTE: { number: 66, meaning: "object is remote" },
  ENOLINK: { number: 67, meaning: "link has been severed" },
  EADV: { number: 68, meaning: "advertise error" },
  ESRMNT: { number: 69, meaning: "srmount error" },
  ECOMM: { number: 70, meaning: "communication error on send" },
  EPROTO: { number: 71, meaning: "protocol error" },
  EMULTIHOP: { number: 72, meaning: "multihop attempted" },
  EDOTDOT: { number: 73, meaning: "RFS specific error" },
  EBADMSG: { number: 74, meaning: "bad message" },
  EOVERFLOW: { number: 75, meaning: "value too large for defined data type" },
  ENOTUNIQ: { number: 76, meaning: "name not unique on network" },
  EBADFD: { number: 77, meaning: "file descriptor in bad state" },
  EREMCHG: { number: 78, meaning: "remote address changed" },
  ELIBACC: { number: 79, meaning: "can not access a needed shared library" },
  ELIBBAD: { number: 80, meaning: "accessing a corrupted shared library" },
  ELIBSCN: { number: 81, meaning: ".lib section in a.out corrupted" },
  ELIBMAX: { number: 82, meaning: "attempting to link in too many shared libraries" },
  ELIBEXEC: { number: 83, meaning: "cannot exec a shared library directly" },
  EILSEQ: { number: 84, meaning: "invalid or incomplete multibyte or wide character" },
  ERESTART: { number: 85, meaning: "interrupted system call should be restarted" },
  ESTRPIPE: { number: 86, meaning: "streams pipe error" },
  EUSERS: { number: 87, meaning: "too many users" },
  ENOTSOCK: { number: 88, meaning: "socket operation on non-socket" },
  EDESTADDRREQ: { number: 89, meaning: "destination address required" },
  EMSGSIZE: { number: 90, meaning: "message too long" },
  EPROTOTYPE: { number: 91, meaning: "protocol wrong type for socket" },
  ENOPROTOOPT: { number: 92, meaning: "protocol not available" },
  EPROTONOSUPPORT: { number: 93, meaning: "protocol not supported" },
  ESOCKTNOSUPPORT: { number: 94, meaning: "socket type not supported" },
  EOPNOTSUPP: { number: 95, meaning: "operation not supported" },
  EPFNOSUPPORT: { number: 96, meaning: "protocol family not supported" },
  EAFNOSUPPORT: { number: 97, meaning: "address family not supported by protocol" },
  EADDRINUSE: { number: 98, meaning: "address already in use" },
  EADDRNOTAVAIL: { number: 99, meaning: "cannot assign requested address" },
  ENETDOWN: { number: 100, meaning: "network is down" },
  ENETUNREACH: { number: 101, meaning: "network is unreachable" },
  ENETRESET: { number: 102, meaning: "network dropped connection on reset" },
  ECONNABORTED: { number: 103, meaning: "software caused connection abort" },
  ECONNRESET: { number: 104, meaning: "connection reset by peer" },
  ENOBUFS: { number: 105, meaning: "no buffer space available" },
  EISCONN: { number: 106, meaning: "transport endpoint is already connected" },
  ENOTCONN: { number: 107, meaning: "transport endpoint is not connected" },
  ESHUTDOWN: { number: 108, meaning: "cannot send after transport endpoint shutdown" },
  ETOOMANYREFS: { number: 109, meaning: "too many references: cannot splice" },
  ETIMEDOUT: { number: 110, meaning: "timed out" },
  ECONNREFUSED: { number: 111, meaning: "connection refused" },
  EHOSTDOWN: { number: 112, meaning: "host is down" },
  EHOSTUNREACH: { number: 113, meaning: "no route to host" },
  EALREADY: { number: 114, meaning: "operation already in progress" },
  EINPROGRESS: { number: 115, meaning: "operation now in progress" },
  ESTALE: { number: 116, meaning: "stale file handle" },
  EUCLEAN: { number: 117, meaning: "structure needs cleaning" },
  ENOTNAM: { number: 118, meaning: "not a xenix named type file" },
  ENAVAIL: { number: 119, meaning: "no xenix semaphores available" },
  EISNAM: { number: 120, meaning: "is a named type file" },
  EREMOTEIO: { number: 121, meaning: "remote i/o error" },
  EDQUOT: { number: 122, meaning: "disk quota exceeded" },
  ENOMEDIUM: { number: 123, meaning: "no medium found" },
  EMEDIUMTYPE: { number: 124, meaning: "wrong medium type" },
  ECANCELED: { number: 125, meaning: "operation canceled" },
  ENOKEY: { number: 126, meaning: "required key not available" },
  EKEYEXPIRED: { number: 127, meaning: "key has expired" },
  EKEYREVOKED: { number: 128, meaning: "key has been revoked" },
  EKEYREJECTED: { number: 129, meaning: "key was rejected by service" },
  EOWNERDEAD: { number: 130, meaning: "owner died" },
  ENOTRECOVERABLE: { number: 131, meaning: "state not recoverable" },
  ERFKILL: { number: 132, meaning: "operation not possible due to rf-kill" },
} as const;

/** The name of an error, as errno(3) has it. */
export type ErrnoName = keyof typeof errnos;

const nameByNumber = new Map<number, ErrnoName>(
  (Object.keys(errnos) as ErrnoName[]).map((name) => [errnos[name].number, name]),
);

/** The name of a negative (or positive) error number: `errnoName(-11) === "EAGAIN"`. */
export function errnoName(errno: number): ErrnoName {
  return nameByNumber.get(Math.abs(errno)) ?? "EIO";
}

// What the floors return, spelled as they return it.
export const EPERM = -1;
export const ENOENT = -2;
export const ESRCH = -3;
export const EINTR = -4;
export const EIO = -5;
export const ENXIO = -6;
export const E2BIG = -7;
export const EBADF = -9;
export const ECHILD = -10;
export const EAGAIN = -11;
export const ENOMEM = -12;
export const EACCES = -13;
export const EFAULT = -14;
export const EBUSY = -16;
export const EEXIST = -17;
export const ENOTDIR = -20;
export const EISDIR = -21;
export const EINVAL = -22;
export const ENFILE = -23;
export const EMFILE = -24;
export const ENOTTY = -25;
export const EFBIG = -27;
export const ENOSPC = -28;
export const ESPIPE = -29;
export const EPIPE = -32;
export const ERANGE = -34;
export const ENAMETOOLONG = -36;
export const ENOSYS = -38;
export const ENOMSG = -42;
export const EIDRM = -43;
export const EDEADLK = -35;
export const EBADMSG = -74;
export const EOVERFLOW = -75;
export const EOWNERDEAD = -130;
export const ENOTRECOVERABLE = -131;
export const EMSGSIZE = -90;
export const EOPNOTSUPP = -95;
export const ETIMEDOUT = -110;
export const ESTALE = -116;
