import { randomInteger, type Random } from '../../base/random.ts';
import type { SrvRecord } from './resolver.ts';

/** The order in which RFC 2782 wants the records tried: by priority, then at random in proportion to weight. */
export function orderSrv(records: readonly SrvRecord[], random: Random): readonly SrvRecord[] {
  const priorities = [...new Set(records.map((record) => record.priority))].sort((a, b) => a - b);
  return priorities.flatMap((priority) =>
    byWeight(
      records.filter((each) => each.priority === priority),
      random,
    ),
  );
}

function byWeight(records: readonly SrvRecord[], random: Random): readonly SrvRecord[] {
  // RFC 2782: records of weight 0 stand first, so that they keep a small chance.
  const left = [...records].sort((a, b) => Math.min(a.weight, 1) - Math.min(b.weight, 1));
  const ordered: SrvRecord[] = [];
  while (left.length > 0) {
    const total = left.reduce((sum, record) => sum + record.weight, 0);
    let draw = randomInteger(random, 0, total);
    const index = left.findIndex((record) => (draw -= record.weight) <= 0);
    ordered.push(...left.splice(Math.max(index, 0), 1));
  }
  return ordered;
}
