// A reporter of node:test for test/run.mjs: one line of JSON for each test that begins, each that ends, and each count. It
// is written as it happens, so that of a file that had to be killed one can say which tests were under way.

const COUNT = /^(tests|suites|pass|fail|cancelled|skipped|todo) (\d+)$/;

export default async function* progress(events) {
  for await (const { type, data } of events) {
    if (type === "test:dequeue") yield line({ began: data.name });
    else if (type === "test:complete") yield line({ ended: data.name });
    else if (type === "test:diagnostic" && data.nesting === 0) {
      const [, what, count] = COUNT.exec(data.message) ?? [];
      if (what) yield line({ what, count: Number(count) });
    }
  }
}

const line = (entry) => `${JSON.stringify(entry)}\n`;
