// A message queue as a plain array: what the ring in shared memory is held against.

import { EAGAIN, ENOMSG } from "../src/abi/errno.ts";
import type { MessageRing, QueueShape } from "../src/objects/message-ring.ts";
import { isLess, selections, selectorOf, selects } from "../src/objects/selection.ts";

export interface Letter {
  readonly text: string;
  readonly type: number;
  readonly priority: number;
}

/** What is done to a queue. The type of a take is msgrcv's; "urgent" takes as a POSIX queue does, by priority. */
export type Step =
  | { readonly do: "send"; readonly letter: Letter }
  | { readonly do: "take"; readonly type: number; readonly except?: boolean; readonly keep?: boolean }
  | { readonly do: "urgent" }
  | { readonly do: "many"; readonly max: number }
  | { readonly do: "sendMany"; readonly letters: readonly Letter[] }
  | { readonly do: "peek"; readonly index: number };

export const letter = (text: string, type = 1, priority = 0): Letter => ({ text, type, priority });
export const send = (text: string, type = 1, priority = 0): Step => ({
  do: "send",
  letter: letter(text, type, priority),
});
export const take = (type: number, except = false): Step => ({ do: "take", type, except });
export const urgent: Step = { do: "urgent" };

/** What a step gives: an error, a number of messages, or what was received, as "type/priority:text". */
export type Outcome = number | string | readonly string[];

const written = ({ text, type, priority }: Letter): string => `${type}/${priority}:${text}`;
const halves = (type: number): [low: number, high: number] => [type | 0, Math.floor(type / 2 ** 32)];

export class QueueModel {
  readonly letters: Letter[];
  readonly shape: QueueShape;

  constructor(shape: QueueShape, letters: readonly Letter[] = []) {
    this.shape = shape;
    this.letters = [...letters];
  }

  copy(): QueueModel {
    return new QueueModel(this.shape, this.letters);
  }

  get lengthBytes(): number {
    return this.letters.reduce((sum, { text }) => sum + text.length, 0);
  }

  hasRoomFor({ text }: Letter): boolean {
    const { depth, bytesMax } = this.shape;
    return this.letters.length < depth && (bytesMax === 0 || this.lengthBytes + text.length <= bytesMax);
  }

  run(step: Step): Outcome {
    switch (step.do) {
      case "send":
        if (!this.hasRoomFor(step.letter)) return EAGAIN;
        this.letters.push(step.letter);
        return 0;
      case "sendMany":
        return this.#sendMany(step.letters);
      case "take":
        return this.#take(this.#selected(step.type, step.except ?? false), step.keep ?? false);
      case "urgent":
        return this.#take(this.#urgent(), false);
      case "many":
        return this.#many(step.max);
      case "peek":
        return step.index < this.letters.length ? (this.letters[step.index] as Letter).text : ENOMSG;
    }
  }

  /** Where bytes are counted a batch is sent one by one: the call sends the first only. */
  #sendMany(letters: readonly Letter[]): Outcome {
    const most = this.shape.bytesMax > 0 ? 1 : letters.length;
    let count = 0;
    while (count < most && this.hasRoomFor(letters[count] as Letter)) this.letters.push(letters[count++] as Letter);
    return count || EAGAIN;
  }

  #many(max: number): Outcome {
    const texts: string[] = [];
    while (texts.length < max && this.letters.length > 0) {
      texts.push((this.letters.splice(this.#urgent(), 1)[0] as Letter).text);
    }
    return texts.length > 0 ? texts : EAGAIN;
  }

  #take(index: number, keep: boolean): Outcome {
    if (index < 0) return EAGAIN;
    return written((keep ? this.letters[index] : this.letters.splice(index, 1)[0]) as Letter);
  }

  #selected(type: number, except: boolean): number {
    const selector = selectorOf(BigInt(type), except);
    const fits = (one: Letter): boolean => selects(selector, ...halves(one.type));
    if (selector.kind !== selections.LOWEST) return this.letters.findIndex(fits);
    return this.#best(fits, (one, than) => isLess(...halves(one.type), ...halves(than.type)));
  }

  #urgent(): number {
    return this.#best(
      () => true,
      (one, than) => one.priority > than.priority,
    );
  }

  #best(fits: (one: Letter) => boolean, better: (one: Letter, than: Letter) => boolean): number {
    let found = -1;
    this.letters.forEach((one, i) => {
      if (fits(one) && (found < 0 || better(one, this.letters[found] as Letter))) found = i;
    });
    return found;
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The same step on a real ring. */
export function runOnRing(ring: MessageRing, step: Step): Outcome {
  const buffer = new Uint8Array(ring.messageBytesMax);
  const received = (length: number): Outcome => {
    if (length < 0) return length;
    const text = decoder.decode(buffer.subarray(0, length));
    return written({ text, type: ring.last.type, priority: ring.last.priority });
  };
  switch (step.do) {
    case "send":
      return ring.tryAppend(encoder.encode(step.letter.text), step.letter.type, step.letter.priority);
    case "sendMany": {
      const [first] = step.letters;
      const texts = step.letters.map(({ text }) => encoder.encode(text));
      return ring.tryAppendMany(texts, 0, first?.type ?? 1, first?.priority);
    }
    case "take":
      return received(
        ring.tryTakeSelected(selectorOf(BigInt(step.type), step.except ?? false), buffer, false, step.keep),
      );
    case "urgent":
      return received(ring.tryTake(buffer));
    case "many": {
      const texts: string[] = [];
      const count = ring.tryTakeMany(step.max, (data) => texts.push(decoder.decode(data)));
      return count < 0 ? count : texts;
    }
    case "peek": {
      const length = ring.tryPeek(step.index, buffer);
      return length < 0 ? length : decoder.decode(buffer.subarray(0, length));
    }
  }
}

/** The messages of a ring in their order, looked at and left there. */
export function lettersIn(ring: MessageRing): Letter[] {
  const found: Letter[] = [];
  for (let index = 0; ; index++) {
    const text = runOnRing(ring, { do: "peek", index });
    if (typeof text !== "string") return found;
    found.push({ text, type: ring.last.type, priority: ring.last.priority });
  }
}
