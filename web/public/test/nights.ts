/** Recorded nights as a few lines of another hand read them, for tests that put the page beside the file. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { recorded } from './system.js';

/** The Ukrainian history; undefined where it is absent. */
export const ukrainian = recorded('ua-official-2022-03_2023-11.csv.gz');

/** A morning by hand, for where no recorded one is: overlapping rows are one alarm. */
export const byHand = `oblast,raion,hromada,level,started_at,finished_at,source
Sumska oblast,,,oblast,2022-10-10 03:50:00+00:00,2022-10-10 09:11:00+00:00,official
Kyiv City,,,oblast,2022-10-10 04:00:00+00:00,2022-10-10 05:00:00+00:00,official
Kyivska oblast,,,oblast,2022-10-10 04:10:00+00:00,2022-10-10 06:00:00+00:00,official
Kyivska oblast,,,oblast,2022-10-10 05:30:00+00:00,2022-10-10 07:00:00+00:00,official
Kyiv City,,,oblast,2022-10-10 08:00:00+00:00,2022-10-10 09:00:00+00:00,official
Zaporizka oblast,,,oblast,2022-10-10 08:30:00+00:00,2022-10-10 10:00:00+00:00,official
`;

/** A first-order unit of the country is warned, or no longer. */
export interface Turn {
  readonly at: number;
  readonly oblast: string;
  readonly warned: boolean;
}

/**
 * What a file says of each oblast from one time to another, in order. A row of a part of it counts as the whole, which is how
 * the shipped set, that has no hromadas, is warned of it.
 */
export function turnsOf(file: string, from: number, until: number): Turn[] {
  const bytes = readFileSync(file);
  const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  const rows = text.split('\n').flatMap((line) => {
    const [oblast = '', , , , start = '', end = ''] = line.split(',');
    const span = [Date.parse(start.replace(' ', 'T')), Date.parse(end.replace(' ', 'T'))] as const;
    return span[0] < until && span[1] > from ? [{ oblast, start: Math.max(span[0], from), end: Math.min(span[1], until) }] : [];
  });
  rows.sort((a, b) => a.start - b.start);
  const alarms = new Map<string, { start: number; end: number }[]>();
  for (const { oblast, start, end } of rows) {
    const all = alarms.get(oblast) ?? [];
    alarms.set(oblast, all);
    const last = all.at(-1);
    if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end);
    else all.push({ start, end });
  }
  const turns = [...alarms].flatMap(([oblast, all]) => all.flatMap(({ start, end }) => [{ at: start, oblast, warned: true }, { at: end, oblast, warned: false }]));
  return turns.sort((a, b) => a.at - b.at);
}

const letters: Readonly<Record<string, string>> = {
  а: 'a', б: 'b', в: 'v', г: 'h', ґ: 'g', д: 'd', е: 'e', є: 'ie', ж: 'zh', з: 'z', и: 'y', і: 'i', ї: 'i', й: 'i', к: 'k', л: 'l', м: 'm', н: 'n',
  о: 'o', п: 'p', р: 'r', с: 's', т: 't', у: 'u', ф: 'f', х: 'kh', ц: 'ts', ч: 'ch', ш: 'sh', щ: 'shch', ь: '', ю: 'iu', я: 'ia',
};

/** A Ukrainian name of an oblast as the file writes it: by the resolution of the Cabinet of Ministers No. 55 of 2010. */
export function asWritten(name: string): string {
  const latin = [...name.toLowerCase()].map((letter) => letters[letter] ?? letter).join('');
  const capital = latin.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
  return capital === 'Kyiv' ? 'Kyiv City' : capital;
}
