// fanga ls: every kernel and its objects.

import type { InspectedKernel, InspectedObject } from "../../api/inspected.ts";
import { kindWords } from "../../api/object-kinds.ts";
import type { Command } from "../command.ts";
import { jsonOption, jsonText } from "../json.ts";
import { type Look, lookAtChosen, reportFailures } from "../looks.ts";
import { hint } from "../nearest.ts";
import { fillOf } from "../object-text.ts";
import { kernelOption } from "../option.ts";
import { counted, harmless, keyText, modeText, tableLines } from "../table.ts";
import { userName } from "../users.ts";

const COLUMNS = [
  { heading: "KERNEL" },
  { heading: "KIND" },
  { heading: "NAME" },
  { heading: "KEY" },
  { heading: "ID", right: true },
  { heading: "OWNER" },
  { heading: "MODE", right: true },
  { heading: "FILL" },
  { heading: "WAITERS", right: true },
];

/** Of a kernel's file, always (platforms/region-file.ts). */
const KERNEL_MODE = 0o600;

export const ls: Command = {
  name: "ls",
  summary: "list the kernels and their objects",
  notes: `A kernel has a line of its own, before its objects. MODE is octal, as in ipcs; FILL is
what an object holds of what it can hold. Looking disturbs nobody: no task is made,
no lock taken.`,
  options: {
    ...kernelOption,
    kind: {
      type: "string",
      value: "KIND",
      multiple: true,
      description: "only objects of this kind; may be given several times",
      completes: kindWords,
    },
    ...jsonOption,
  },
  examples: [
    ["fanga ls", "all there is"],
    ["fanga ls --kind queue --kind fifo", "queues and FIFOs"],
    ["fanga ls --json | jq '.[].objects[] | select(.waiters > 0)'", "objects that tasks wait for"],
  ],
  run(context, given) {
    const kinds = given.texts("kind");
    const wrong = kinds.find((kind) => !(kindWords as readonly string[]).includes(kind));
    if (wrong !== undefined) {
      throw given.wrong(
        `there is no kind "${wrong}"${hint(wrong, kindWords) || `: type one of ${kindWords.join(", ")}`}`,
      );
    }
    const isWanted = ({ kind }: InspectedObject): boolean => kinds.length === 0 || kinds.includes(kind);
    const looks = lookAtChosen(context, given);
    if (given.has("json")) context.stdout.write(jsonText(looks.map((look) => jsonOf(look, isWanted))));
    else printTable(context.stdout, looks, isWanted);
    return reportFailures(context, looks);
  },
};

function printTable(stdout: NodeJS.WritableStream, looks: readonly Look[], isWanted: IsWanted): void {
  const rows = looks.flatMap(({ kernel }) =>
    kernel ? [kernelRow(kernel), ...kernel.objects.filter(isWanted).map((object) => objectRow(kernel, object))] : [],
  );
  stdout.write(`${tableLines(COLUMNS, rows).join("\n")}\n`);
}

type IsWanted = (object: InspectedObject) => boolean;

function kernelRow({ name, tasks, objects, waiters, uid }: InspectedKernel): string[] {
  const fill = `${counted(tasks.length, "task")}, ${counted(objects.length, "object")}`;
  return [name, "kernel", "-", "-", "-", userName(uid), modeText(KERNEL_MODE), fill, String(waiters)];
}

function objectRow(kernel: InspectedKernel, object: InspectedObject): string[] {
  const { kind, name, key, id, uid, mode, waits } = object;
  return [
    kernel.name,
    kind,
    name === undefined ? "-" : harmless(name),
    key === undefined ? "-" : keyText(key),
    String(id),
    userName(uid),
    modeText(mode),
    fillOf(object) || "-",
    String(waits.length),
  ];
}

function jsonOf({ name, kernel, error }: Look, isWanted: IsWanted): object {
  if (error) return { name, error: { code: error.code, message: error.message } };
  const { limits, uid, memoryBytes, waiters, buried, takenOver, lockedBy, tasks } = kernel;
  return {
    name,
    uid,
    memoryBytes,
    tasks: tasks.length,
    waiters,
    buried,
    takenOver,
    lockedBy,
    limits,
    objects: kernel.objects.filter(isWanted).map((object) => ({
      ...object,
      name: object.name ?? null,
      key: object.key ?? null,
      waits: undefined,
      uses: undefined,
      waiters: object.waits.length,
    })),
  };
}
