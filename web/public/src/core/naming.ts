/**
 * How a place is found by a name that is not written as the set writes it. For the search alone: what is shown is always the
 * set's own name.
 *
 * {@link plain} is how two spellings of one language meet: case, accents, vowel points, apostrophes, hyphens, final letters.
 * {@link loose} is how the spellings of two languages meet, Ukrainian and Russian above all: where Ukrainian has і, ї, є or и,
 * Russian has и, ы, е or о (Харків, Харьков; Київ, Киев; Рівне, Ровно), so that all of these vowels stand for each other; signs
 * that only soften are passed over, a doubled consonant is one (Одеса, Одесса), and so on below, language by language.
 * {@link spellings} adds what no rule tells.
 */

/**
 * Beginnings of words, as {@link plain} has them, and whole words where a space is at the end, that stand for each other:
 * Ukrainian and Russian, old and new names, and English names of places in Israel. Either may be in a set, and either typed.
 */
export const pairs: readonly (readonly [string, string])[] = [
  ['миколаі', 'николае'], ['mykolai', 'nikolae'], ['олекс', 'алекс'], ['камян', 'камен'], ['словян', 'славян'], ['вовч', 'волч'], ['довж', 'долж'], ['жовт', 'желт'],
  ['костянтин', 'константин'], ['кременчук ', 'кременчуг '], ['геническ ', 'генічеськ '], ['запоріжжя ', 'запорожье '], ['zaporizhzhia ', 'zaporozhye '], ['zaporizhzhya ', 'zaporozhye '],
  ['церква ', 'церковь '], ['південн', 'южн'], ['дніпро ', 'днепр '], ['дніпро ', 'днепропетровск '], ['кропивницькии ', 'кировоград '], ['камянське ', 'днепродзержинск '],
  ['бахмут ', 'артемовск '], ['бахмут ', 'артемівськ '], ['звягель ', 'новоград волынскии '], ['самар ', 'новомосковск '], ['шептицькии ', 'червоноград '],
  ['akko ', 'acre '], ['tsfat ', 'safed '], ['yafo ', 'jaffa '], ['beer sheva ', 'beersheba '],
];

const finals: Readonly<Record<string, string>> = { 'ך': 'כ', 'ם': 'מ', 'ן': 'נ', 'ף': 'פ', 'ץ': 'צ' };

/** What of a name is compared: lower case, without accents, points and apostrophes, hyphens as spaces. */
export function plain(name: string): string {
  return name
    .normalize('NFD')
    .replace(/[\p{Mn}'’ʼ"״׳`\u0640]/gu, '')
    .replace(/[\s\p{Pd}]+/gu, ' ')
    .toLowerCase()
    .replace(/ґ/g, 'г')
    .replace(/[ךםןףץ]/g, (letter) => finals[letter] ?? letter)
    .replace(/ى/g, 'ي')
    .replace(/ة/g, 'ه')
    .trim();
}

/** What two languages' spellings of a name, given as {@link plain} has it, have in common. */
export function loose(name: string): string {
  if (/[а-яєі]/.test(name)) return cyrillic(name);
  if (/[a-z]/.test(name)) return latin(name);
  if (/[א-ת]/.test(name)) return name.replace(/([א-ת])[וי]+(?=[א-ת])/g, '$1'); // קרית, קריית; שהם, שוהם
  return name.replace(/(^| )ال(?=..)/g, '$1').replace(/ڤ/g, 'ف'); // الناصرة, ناصرة
}

function cyrillic(name: string): string {
  return name
    .replace(/[ьъ]/g, '')
    .replace(/ая(?= |$)/g, 'а') // Лозова, Лозовая
    .replace(/я/g, 'а')
    .replace(/ю/g, 'у')
    .replace(/[оеиіыэє]/g, 'о')
    .replace(/оо+(?= |$)/g, 'о') // Кам’янське, Каменское
    .replace(/([бвгджзклмнпрстфхцчшщ])\1/g, '$1');
}

function latin(name: string): string {
  return name
    .replace(/[yij]+(?=[au])/g, '') // Vinnytsia, Vinnitsa
    .replace(/[kc]h(?!e|i)/g, 'h') // Kharkiv, Harkiv; Petach, Petah
    .replace(/t[sz]|z/g, 'ts')
    .replace(/w/g, 'v')
    .replace(/[qc](?!h)/g, 'k')
    .replace(/g/g, 'h') // Chernihiv, Chernigov
    .replace(/[oeiyj]/g, 'o')
    .replace(/oo+(?= |$)/g, 'o') // Khmelnytskyi, Khmelnitsky
    .replace(/([b-df-hk-np-tvxz])\1/g, '$1')
    .replace(/([a-z])h(?= |$)/g, '$1'); // Tikva, Tikvah
}

/** A name as {@link plain} has it, and all the others that it is known by. */
export function spellings(name: string): string[] {
  const all = [` ${plain(name)} `];
  for (const [one, other] of pairs) {
    for (const [from, to] of [[one, other], [other, one]] as const) {
      for (const had of all) {
        if (!had.includes(` ${from}`) || all.length === most) continue;
        const also = had.replace(` ${from}`, ` ${to}`);
        if (!all.includes(also)) all.push(also);
      }
    }
  }
  return all.map((one) => one.trim());
}

/** The most spellings that one name is given. */
const most = 8;

/** How well what was typed fits a name: 0 best; undefined where it does not. */
export function fits(name: string, looseName: string, wanted: string, looseWanted: string): number | undefined {
  const at = name.indexOf(wanted);
  if (at === 0) return 0;
  if (at > 0 && name[at - 1] === ' ') return 1;
  if (looseName === looseWanted) return 2;
  if (at > 0) return 3;
  const near = wanted.length < least ? -1 : ` ${looseName}`.indexOf(` ${looseWanted}`);
  return near < 0 ? undefined : near === 0 ? 4 : 5;
}

/** How many letters must be there before other spellings of a beginning are looked for: of two any name might. */
const least = 3;
