import type { FeatureCollection } from 'geojson';
import { describe, expect, test } from 'vitest';
import type { Item, ZoneState } from '@tocsin/client';
import { readConfig } from '../src/core/config';
import { group } from '../src/core/grouping';
import { placeOf } from '../src/core/place';
import { pairs, plain, spellings } from '../src/core/naming';
import { contains, distance } from '../src/core/shape';
import type { Shape } from '../src/core/shape';
import { Registry, nameOf } from '../src/core/zones';
import { towns } from '../../testing/service.js';
import { Wording, chooseLanguage, countdown, isLanguage, languages, loadPhrases, textOf, toldOf } from '../src/phrases';

const words = Object.fromEntries(await Promise.all(Object.keys(languages).filter(isLanguage).map(async (code) => [code, await loadPhrases(code)] as const)));
const { en, uk } = { en: await loadPhrases('en'), uk: await loadPhrases('uk') };

const registry = new Registry('set-1', towns().features);
const ring = (west: number, south: number, east: number, north: number): number[][] => [[west, south], [east, south], [east, north], [west, north], [west, south]];

describe('where a person is', () => {
  const withHole: Shape = { type: 'MultiPolygon', coordinates: [[ring(0, 0, 10, 10), ring(4, 4, 6, 6)], [ring(20, 0, 21, 1)]] };

  test('inside, in a hole, in another part, outside', () => {
    expect([[1, 1], [5, 5], [20.5, 0.5], [15, 0.5]].map(([lon = 0, lat = 0]) => contains(withHole, lon, lat))).toEqual([true, false, true, false]);
  });

  test('metres to the border', () => {
    expect(distance(withHole, 10.01, 5)).toBeCloseTo(0.01 * 111_195 * Math.cos((5 * Math.PI) / 180), 0);
    expect(distance(withHole, 5, 10.02)).toBeCloseTo(2224, 0);
  });

  test('a zone, or the nearest within 5 km, or none', () => {
    expect(registry.at(31.5, 50)).toMatchObject({ zone: { id: 'T1' }, metres: 0 });
    expect(registry.at(35.5, 51.04)?.zone.id).toBe('T5');
    expect(registry.at(35.5, 51.04)?.metres).toBeCloseTo(4448, 0);
    expect(registry.at(35.5, 51.05)).toBeUndefined();
    // Between two zones, 0.96 and 1 of a degree: the nearer.
    expect(registry.at(30.97, 50)?.zone.id).toBe('T0');
    expect(registry.at(30.99, 50)?.zone.id).toBe('T1');
  });
});

describe('places by name', () => {
  test('in any language, without accents or case, the beginning first', () => {
    const found = (typed: string): string[] => registry.search(typed, 10).map(({ id }) => id);
    expect(found('su')).toEqual(['T0']);
    expect(found('ПОЛ')).toEqual(['T2']);
    expect(found('izium')).toEqual(found('Ізюм'));
    expect(found('סומי')).toEqual(['T0']);
    expect(found('o').length).toBeGreaterThan(1);
    expect(found('nowhere')).toEqual([]);
    expect(found('   ')).toEqual([]);
  });

  test('whichever way a hyphen is typed', () => {
    const names = ['Тель Авив - Юг', 'Івано-Франківськ'];
    const named = new Registry('x', towns().features.slice(-2).map((f, i) => ({ ...f, properties: { ...f.properties, names: { ru: names[i] } } })));
    for (const typed of ['Тель-Авив', 'тель авив', 'Тель Авив–Юг', 'Івано франк', 'Франківськ']) expect(named.search(typed, 10).length, typed).toBe(1);
  });

  /** The set's names, one language each, and how people type them. */
  const typed: readonly (readonly [set: string, language: string, as: string])[] = [
    // Ukrainian places by their Russian names, whole and while they are typed.
    ...['Київ=Киев', 'Київ=Кие', 'Харків=Харьков', 'Харків=Харьк', 'Львів=Львов', 'Миколаїв=Николаев', 'Миколаївка=Николаевка', 'Чернігів=Чернигов', 'Рівне=Ровно', 'Запоріжжя=Запорожье', 'Дніпро=Днепр', 'Одеса=Одесса', 'Суми=Сумы', 'Вінниця=Винница', 'Чернівці=Черновцы', 'Тернопіль=Тернополь',
      'Хмельницький=Хмельницкий', 'Кропивницький=Кропивницкий', 'Івано-Франківськ=Ивано-Франковск', 'Кривий Ріг=Кривой Рог', 'Біла Церква=Белая Церковь', 'Кам’янець-Подільський=Каменец-Подольский', 'Кам’янське=Каменское', 'Слов’янськ=Славянск', 'Макіївка=Макеевка', 'Горлівка=Горловка', 'Єнакієве=Енакиево',
      'Кременчук=Кременчуг', 'Костянтинівка=Константиновка', 'Олександрія=Александрия', 'Вовчанськ=Волчанск', 'Жовті Води=Жёлтые Воды', 'Бориспіль=Борисполь', 'Бровари=Бровары', 'Лозова=Лозовая', 'Балаклія=Балаклея', 'Зміїв=Змиев', 'Білгород-Дністровський=Белгород-Днестровский', 'Ґалаґанівка=Галагановка', 'Іллінці=Ильинцы',
      'Дніпро=Днепропетровск', 'Кропивницький=Кировоград', 'Бахмут=Артемовск', 'Бахмут=Артёмовск', 'Ізюм=Изюм', 'Енергодар=Энергодар', 'Сєвєродонецьк=Северодонецк', 'Геническ=Генічеськ'].map((pair) => pair.split('=')).map(([set = '', as = '']) => [set, 'uk', as] as const),
    // A set that has Russian names, by Ukrainian ones.
    ['Николаев', 'ru', 'Миколаїв'], ['Харьков', 'ru', 'Харків'], ['Киев', 'ru', 'Київ'],
    // The same places by other Latin spellings.
    ...['Kyiv=Kiev', 'Kharkiv=Kharkov', 'Lviv=Lvov', 'Odesa=Odessa', 'Mykolaiv=Nikolaev', 'Zaporizhzhia=Zaporozhye', 'Zaporizhzhya=Zaporozhye', 'Chernihiv=Chernigov', 'Vinnytsia=Vinnitsa', 'Khmelnytskyi=Khmelnitsky', 'Dnipro=Dnepr', 'Rivne=Rovno', 'Ternopil=Ternopol',
      'Kiryat Shmona=Qiryat Shmona', 'Beer Sheva - East=Be’er Sheva', 'Beer Sheva - East=Beersheba', 'Petah Tikva=Petach Tikvah', 'Akko=Acre', 'Metula=Metulla', 'Ashkelon - North=Ashqelon'].map((pair) => pair.split('=')).map(([set = '', as = '']) => [set, 'en', as] as const),
    // Hebrew with and without the letters that only carry a vowel, and its final letters while a word goes on.
    ['קריית שמונה', 'he', 'קרית שמונה'], ['קרית גת', 'he', 'קריית גת'], ['שוהם', 'he', 'שהם'], ['אזור תעשייה', 'he', 'איזור תעשיה'], ['רעים', 'he', 'רעימ'],
    // Arabic with and without hamza and article, and its endings.
    ['أشكلون - الشمال', 'ar', 'اشكلون'], ['الناصرة', 'ar', 'ناصره'], ['إيلات', 'ar', 'ايلات'], ['كريات ملآخي - يوآڤ', 'ar', 'كريات ملاخي يواف'], ['عكا', 'ar', 'عكّا'],
    // Russian names of the Israeli set.
    ['Беэр Шева - восток', 'ru', 'Беер-Шева'], ['Ашкелон - Север', 'ru', 'ашкелон'],
  ];
  test.each(typed)('%s (%s) is found as %s', (name, language, as) => {
    const others = ['Ковель', 'Коломия', 'Харцизьк', 'Черкаси', 'Лубни', 'Haifa', 'Karmiel', 'חיפה', 'חולון', 'حيفا', 'Хайфа'];
    const features = [...others.map((one) => ({ x: one })), { [language]: name }].map((names, i) => ({ ...towns().features.at(-1)!, properties: { id: `Z${i}`, level: 2, leaf: true, names } }));
    expect(Object.values(new Registry('x', features).search(as, 1)[0]?.names ?? {})).toEqual([name]);
  });

  test('the table of names is written as names are compared', () => {
    for (const pair of pairs) for (const name of pair) expect(`${plain(name)}${name.endsWith(' ') ? ' ' : ''}`).toBe(name);
    expect(spellings('Дніпро')).toEqual(['дніпро', 'днепр', 'днепропетровск'].map(plain));
    expect(spellings('Дніпровка')).toEqual(['дніпровка'].map(plain));
  });

  test('by other spellings only where it is near: nothing is found for what is no place here', () => {
    for (const as of ['Париж', 'Paris', 'לונדון', 'باريس', 'ки', 'Ровеньки']) expect(registry.search(as, 10).map(({ names }) => names['uk']), as).toEqual([]);
  });

  test('the name as it is written goes before one that only sounds so', () => {
    const features = ['Ковшарівка', 'Київ', 'Киев Град'].map((uk, i) => ({ ...towns().features.at(-1)!, properties: { id: `Z${i}`, level: 2, leaf: true, names: { uk } } }));
    expect(new Registry('x', features).search('Киев', 10).map(({ names }) => names['uk'])).toEqual(['Киев Град', 'Київ']);
  });

  test('a name in a language that the set has not is in the letters that its reader reads', () => {
    expect(nameOf({ uk: 'Суми', en: 'Sumy' }, 'x', 'ru')).toBe('Суми');
    expect(nameOf({ he: 'אילת', en: 'Eilat', ru: 'Эйлат' }, 'x', 'uk')).toBe('Эйлат');
    expect(nameOf({ he: 'אילת', en: 'Eilat' }, 'x', 'ar')).toBe('Eilat');
  });

  test('a place carries all that is needed before the registry is there', () => {
    expect(placeOf(registry, 'T1', 0)).toMatchObject({ id: 'T1', within: ['R'], shelter: 30 });
    expect(placeOf(registry, 'T0', 0)?.shelter).toBe(0);
    expect(placeOf(registry, 'gone', 0)).toBeUndefined();
  });

  test('a broken feature is passed over, a circle of parents ends', () => {
    const { features } = towns();
    const broken = [{ type: 'Feature', properties: null, geometry: null }, { type: 'Feature', properties: { id: 7 }, geometry: features[0]?.geometry }] as unknown as FeatureCollection['features'];
    expect(new Registry('x', [...broken, ...features]).zones.size).toBe(7);
    const own = new Registry('x', features.map((f) => ({ ...f, properties: { ...f.properties, parent: f.properties?.['id'] } })));
    expect(own.lineage('T1').map(({ id }) => id)).toEqual(['T1']);
  });
});

const at = Date.parse('2026-11-22T12:00:00.000Z');
const item = (over: Partial<Item>): Item => ({ stage: 'shelter', threat: 'drone', sure: 'high', since: at, until: at + 1, alert: 'w.1', zones: [], text: 'shelter-drone', ...over });
const state = (zone: string, over: Partial<Item>, condition: ZoneState['condition'] = 'shelter'): ZoneState => ({ zone, condition, item: item(over) });

describe('the list', () => {
  test('is grouped by what people do, then by region and threat, the gravest first', () => {
    const groups = group(
      [
        state('T0', {}),
        state('T1', { arrival: { earliest: at + 5, likely: at + 9 }, until: at + 7 }),
        state('T2', { threat: 'rocket', arrival: { earliest: at + 2, likely: at + 3 } }),
        state('T3', { stage: 'prepare' }, 'prepare'),
        state('X', { stage: 'quiet', end: 'all-clear' }, 'all-clear'),
      ],
      registry.zones,
      'en',
    );
    expect(groups.map(({ condition, count }) => [condition, count])).toEqual([['shelter', 3], ['prepare', 1], ['all-clear', 1]]);
    expect(groups[0]?.rows.map((row) => [row.region, row.first.item.threat, row.states.length, row.earliest, row.until])).toEqual([
      ['North-East', 'rocket', 1, at + 2, at + 1],
      ['North-East', 'drone', 2, at + 5, at + 7],
    ]);
    expect(groups[2]?.rows[0]?.region).toBe('');
  });
});

describe('words', () => {
  test('an unknown key of a text is worded from stage and threat', () => {
    expect(textOf(en, item({ text: 'shelter-of-later' })).headline).toBe('Drones: take shelter now');
    expect(textOf(en, item({ text: '__proto__', stage: 'quiet', end: 'cancelled' })).headline).toBe('Cancelled');
  });

  test('where there is no time nobody is sent to a shelter, and who is to be ready is in one before', () => {
    for (const phrases of Object.values(words)) {
      expect(toldOf(phrases, state('T0', {}), 0).instruction).toBe(phrases.when.noTimeText);
      expect(toldOf(phrases, state('T0', { stage: 'prepare', text: 'prepare-rocket' }, 'prepare'), 0).instruction).toBe(phrases.when.noTimeReady);
      for (const seconds of [15, undefined]) expect(toldOf(phrases, state('T0', {}), seconds).instruction).toBe(phrases.instructions.inside);
      expect(toldOf(phrases, state('T0', { stage: 'quiet', end: 'all-clear', text: 'all-clear' }, 'all-clear'), 0).instruction).toBe(phrases.instructions['all-clear']);
    }
  });

  test('no language says a threat or an end in the words of another', () => {
    for (const [code, phrases] of Object.entries(words)) {
      expect(languages[code as keyof typeof languages]).toBe(phrases.language);
      const headlines = Object.values(phrases.headlines);
      expect(new Set(headlines).size).toBe(headlines.length);
    }
  });

  test('the language: asked for, else chosen before, else the reader’s, else the deployment’s', () => {
    expect(chooseLanguage('ar', 'he', ['uk-UA'], ['en'])).toBe('ar');
    expect(chooseLanguage(null, 'he', ['uk-UA'], ['en'])).toBe('he');
    expect(chooseLanguage(null, null, ['de-DE', 'uk-UA'], ['en'])).toBe('uk');
    expect(chooseLanguage('__proto__', 'xx', ['de'], ['fr', 'ru'])).toBe('ru');
    expect(chooseLanguage(null, null, [], [])).toBe('en');
  });

  test('lengths and times', () => {
    expect([0, 1, 59_001, 60_000, 3_599_999, 3_661_000, -5].map(countdown)).toEqual(['0:00', '0:01', '1:00', '1:00', '1:00:00', '1:01:01', '0:00']);
    const english = new Wording('en');
    expect([15, 90, 120, 180, 200].map((s) => english.duration(s))).toEqual(['15 seconds', '90 seconds', '120 seconds', '3 minutes', '200 seconds']);
    expect(new Wording('uk').duration(1)).toBe('1 секунда');
    expect(new Wording('ar').number(1234)).toMatch(/^1.?234$/);
    expect([1, 2, 5, 21].map((n) => new Wording('uk').count(uk.list.places, n))).toEqual(['1 місце', '2 місця', '5 місць', '21 місце']);
  });
});

describe('the configuration', () => {
  test('is read, or found absent', () => {
    const full = { universe: 'exercise', root: 'x', languages: ['uk'], basemap: 'ua', bounds: [[22, 44], [40, 52]], name: 'N' };
    expect(readConfig(JSON.stringify(full))).toEqual(full);
    expect(readConfig(JSON.stringify({ universe: 'live', root: 'x', basemap: '../x', bounds: [[1], 2] }))).toMatchObject({ basemap: '', bounds: undefined, name: '' });
    for (const text of ['<!--tocsin:config-->', '', 'null', '{}', '{"universe":"both","root":"x"}']) expect(readConfig(text)).toBeUndefined();
  });
});
