// Iterating over what a handle receives.

import { IpcError } from "./ipc-error.ts";

/** What is received, one after the other, until the handle is closed. */
export async function* iterate<T>(
  handle: { readonly closed: boolean },
  receive: () => Promise<T>,
): AsyncGenerator<T, void, undefined> {
  while (!handle.closed) {
    let received: T;
    try {
      received = await receive();
    } catch (error) {
      if (handle.closed && error instanceof IpcError && error.code === "EBADF") return;
      throw error;
    }
    yield received;
  }
}
