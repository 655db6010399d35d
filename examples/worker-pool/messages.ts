// What goes through the two queues, as JSON.

/** To a worker; the message's type is the worker's number. */
export interface Request {
  readonly id: number;
  /** How many primes there are below this one; "crash" is the request that no worker survives. */
  readonly below: number | "crash";
}

/** From a worker. */
export interface Reply {
  readonly id: number;
  readonly worker: number;
  readonly primes: number;
}

export const encode = (message: Request | Reply): Uint8Array => Buffer.from(JSON.stringify(message));
export const decode = <Message>(data: Uint8Array): Message => JSON.parse(Buffer.from(data).toString());
