/** Gathers warned zones for the list: one row for the zones of a region that are told the same. */
import { byGravity } from '@tocsin/client';
import type { Condition, ZoneState } from '@tocsin/client';
import { nameOf } from './zones';
import type { Named } from './zones';

export const conditions = ['shelter', 'prepare', 'no-news', 'all-clear', 'cancelled'] as const satisfies readonly Condition[];

export interface Row {
  readonly key: string;
  /** Name of the region; empty for the whole country, or before the names are there. */
  readonly region: string;
  readonly states: readonly ZoneState[];
  /** The gravest of them. */
  readonly first: ZoneState;
  readonly earliest: number | undefined;
  readonly until: number;
}

export interface Group {
  readonly condition: Condition;
  readonly count: number;
  readonly rows: readonly Row[];
}

/** Groups in order of gravity; in each the rows in the same order, then the widest first. */
export function group(states: Iterable<ZoneState>, named: ReadonlyMap<string, Named>, language: string): Group[] {
  const cells = new Map<string, ZoneState[]>();
  for (const state of states) {
    const region = named.get(state.zone)?.region ?? '*';
    const key = JSON.stringify([state.condition, region, state.item.threat]);
    const cell = cells.get(key);
    if (cell === undefined) cells.set(key, [state]);
    else cell.push(state);
  }
  return conditions.flatMap((condition) => {
    const rows: Row[] = [];
    for (const [key, members] of cells) {
      const [first] = members.sort(byGravity);
      if (first?.condition !== condition) continue;
      const region = named.get(first.zone)?.region ?? '*';
      const earliest = Math.min(...members.map(({ item }) => item.arrival?.earliest ?? Infinity));
      rows.push({
        key,
        region: region === '*' ? '' : nameOf(named.get(region)?.names, region, language),
        states: members,
        first,
        earliest: Number.isFinite(earliest) ? earliest : undefined,
        until: Math.max(...members.map(({ item }) => item.until)),
      });
    }
    rows.sort((a, b) => byGravity(a.first, b.first) || b.states.length - a.states.length);
    const count = rows.reduce((n, row) => n + row.states.length, 0);
    return count === 0 ? [] : [{ condition, count, rows }];
  });
}
