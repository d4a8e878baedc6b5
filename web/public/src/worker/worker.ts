/**
 * Keeps the page itself on the device, so that it opens without a network. It never keeps and never answers what the
 * service says: whatever is under /v1 goes past it, and of the page it keeps the copy that has no list of warnings.
 */

declare const self: ServiceWorkerGlobalScope;

// The build puts the names of its files in the place of these.
const version = '%VERSION%';
const needed: readonly string[] = ['%NEEDED%'];
/** Large, and not needed to be warned: the map. */
const wanted: readonly string[] = ['%WANTED%'];

const prefix = 'tocsin-page-';
const own = `${prefix}${version}`;
const maps = 'tocsin-basemap';
/** The page without a list of warnings. */
const shell = '/index.html';
/** How long the network may take to bring the page, in milliseconds. */
const patience = 4_000;

self.addEventListener('install', (event) => event.waitUntil(install()));
self.addEventListener('activate', (event) => event.waitUntil(activate()));
self.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== self.location.origin || url.pathname.startsWith('/v1/')) return;
  if (request.mode === 'navigate') {
    if (url.pathname === '/' || url.pathname === shell) event.respondWith(page(event));
  } else if (url.pathname.startsWith('/basemap/')) event.respondWith(basemap(event));
  else if (needed.includes(url.pathname) || wanted.includes(url.pathname) || url.pathname.startsWith('/assets/')) event.respondWith(file(request));
});

async function install(): Promise<void> {
  const cache = await caches.open(own);
  await cache.addAll([...needed]);
  await Promise.allSettled(wanted.map((name) => cache.add(name)));
  await self.skipWaiting();
}

/** An open page may still ask for files of the version before: that one is kept too. */
async function activate(): Promise<void> {
  const old = (await caches.keys()).filter((name) => name.startsWith(prefix) && name !== own);
  await Promise.all(old.slice(0, -1).map((name) => caches.delete(name)));
  await self.clients.claim();
}

/** The page as the service has it now; where it does not come, the copy without a list. */
async function page(event: FetchEvent): Promise<Response> {
  const asked = fetch(event.request);
  const late = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), patience));
  try {
    const answer = await Promise.race([asked, late]);
    if (answer !== undefined && answer.status < 500) {
      if (answer.ok) event.waitUntil(renew());
      return answer;
    }
  } catch {
    // No network: below.
  }
  return (await (await caches.open(own)).match(shell, { ignoreVary: true })) ?? asked;
}

/** What the page is configured with may change without a new version of it. */
async function renew(): Promise<void> {
  try {
    await (await caches.open(own)).add(shell);
  } catch {
    // The copy before is kept.
  }
}

/** These files never change under their name within a version. */
async function file(request: Request): Promise<Response> {
  return (await (await caches.open(own)).match(request, { ignoreVary: true })) ?? (await caches.match(request, { ignoreVary: true })) ?? fetch(request);
}

/** Land and borders: what is kept is shown, and renewed for the next time. */
async function basemap(event: FetchEvent): Promise<Response> {
  const cache = await caches.open(maps);
  const kept = await cache.match(event.request, { ignoreVary: true });
  const fresh = fetch(event.request).then(async (answer) => {
    if (answer.ok) await cache.put(event.request, answer.clone());
    return answer;
  });
  if (kept === undefined) return fresh;
  event.waitUntil(fresh.catch(() => undefined));
  return kept;
}
