// Reporter for node:test: Node's own spec output without its closing counts, which scripts/test.mjs prints once for all runs.
import { Readable } from 'node:stream';
import { spec } from 'node:test/reporters';

const CLOSING_COUNT = /^(?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/;

export default async function* specWithoutCounts(events) {
  yield* Readable.from(withoutCounts(events)).pipe(new spec());
}

async function* withoutCounts(events) {
  for await (const event of events) {
    const { nesting, file, message } = event.data ?? {};
    const isCount = event.type === 'test:diagnostic' && nesting === 0 && !file && CLOSING_COUNT.test(message);
    if (!isCount) yield event;
  }
}
