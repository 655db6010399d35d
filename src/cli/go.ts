// What `fanga lock` tells the process that is to become its command: by one byte, that the lock is there.

/** Where it comes. */
export const GO_DESCRIPTOR = 3;
export const GO = "1";
/** The lock is there, and its last holder has died. */
export const GO_OWNER_DIED = "2";
/** What the command finds in its environment then. */
export const OWNER_DIED_VARIABLE = "FANGA_OWNER_DIED";
