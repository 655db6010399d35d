// What all clients together may do.

import type { Rate } from "./token-bucket.ts";

export const RATE: Rate = { perSecond: 100, burst: 10 };
