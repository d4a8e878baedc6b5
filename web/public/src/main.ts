import { mount } from 'svelte';
import App from './App.svelte';
import './page.css';
import { readConfig } from './core/config';

const target = document.getElementById('app');
if (target === null) throw new Error('page: no place to stand');
mount(App, { target, props: { config: readConfig(document.getElementById('tocsin')?.textContent ?? '') } });
