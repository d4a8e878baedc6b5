/** Names of zones that the page came with: those of its list in words, in the language of that list. */
import type { Named } from './zones';

/** Reads the list before it is taken away. A name is words only: whatever it says, it warns nobody. */
export function readList(list: ParentNode | null, language: string): ReadonlyMap<string, Named> {
  const found = new Map<string, Named>();
  const add = (element: HTMLElement, region: string): void => {
    const [id, name] = [element.dataset['zone'] ?? '', element.textContent.trim()];
    if (id !== '' && name !== '' && !found.has(id)) found.set(id, { names: { [language]: name }, region });
  };
  for (const row of list?.querySelectorAll('li') ?? []) {
    const region = row.querySelector<HTMLElement>('b[data-zone]');
    const regionId = region?.dataset['zone'] ?? '*';
    for (const zone of row.querySelectorAll<HTMLElement>('span[data-zone]')) add(zone, regionId);
    if (region !== null) add(region, regionId);
  }
  return found;
}
