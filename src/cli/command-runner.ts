// The process of a command that `fanga lock` runs, before it is that: started with the pid of the fanga that starts it and the words
// of the command, it waits for the word to go, and becomes the command.
//
// From its first moment on Linux ends it together with that fanga, so that a lock whose holder has been killed is never given to
// the next one while the command that it was locked for runs on.

import { closeSync, readSync, writeSync } from "node:fs";
import { EACCES, ENOENT, errnoName, errnos } from "../abi/errno.ts";
import { becoming } from "../platforms/program.ts";
import { GO_DESCRIPTOR, GO_OWNER_DIED, OWNER_DIED_VARIABLE } from "./go.ts";

const STANDARD_ERROR = 2; // process.stderr would change the stream that the command inherits
/** As shells tell it: a command that is not there; one that cannot be run. */
const EXIT_NOT_FOUND = 127;
const EXIT_NOT_RUN = 126;

const { dieWithParent, become } = becoming();
const [parent, ...words] = process.argv.slice(2);
dieWithParent();
const go = Buffer.alloc(1);
// The end of the pipe: there is nothing to run. One whose parent had ended before is told by nobody.
if (process.ppid !== Number(parent) || readSync(GO_DESCRIPTOR, go) === 0) process.exit();
closeSync(GO_DESCRIPTOR);
if (go.toString() === GO_OWNER_DIED) process.env[OWNER_DIED_VARIABLE] = "1";
else delete process.env[OWNER_DIED_VARIABLE]; // of a fanga lock around this one

const errno = become(words);
const why = errno === ENOENT ? "there is no such command" : errnos[errnoName(errno)].meaning;
writeSync(STANDARD_ERROR, `fanga: lock: ${words[0]}: ${why}${errno === EACCES ? ": is it executable?" : ""}\n`);
process.exit(errno === ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_RUN);
