import { mount } from 'svelte';
import App from './App.svelte';
import './page.css';
import { readConfig } from './core/config';
import { readList } from './core/listed';
import { Speech, languageFor, patiently } from './core/speech.svelte';
import { Watch } from './core/watch.svelte';

/** When the device may begin to keep the page, in milliseconds. */
const settleAfter = 4_000;

/** Starts to listen at once: the siren needs no words. Until they are here the list stands that came with the page. */
async function start(): Promise<void> {
  const target = document.getElementById('app');
  if (target === null) throw new Error('page: no place to stand');
  const config = readConfig(document.getElementById('tocsin')?.textContent ?? '');
  const { lang } = document.documentElement;
  const watch = config === undefined ? undefined : new Watch(config, readList(document.getElementById('plain'), lang));
  void watch?.start();
  const language = languageFor(config);
  const phrases = await patiently(language, () => true);
  if (phrases === undefined) return;
  document.getElementById('plain')?.remove();
  mount(App, { target, props: { config, watch, speech: new Speech(config, language, phrases) } });
  document.documentElement.dataset['page'] = 'here';
}

/** Lets the device keep the page for when there is no network: after everything else, and never in its way. */
function settle(): void {
  if (!('serviceWorker' in navigator)) return;
  const register = (): void => void navigator.serviceWorker.register('/worker.js', { updateViaCache: 'none' }).catch(() => undefined);
  setTimeout(() => ('requestIdleCallback' in globalThis ? requestIdleCallback(register, { timeout: settleAfter }) : register()), settleAfter);
}

void start();
settle();
