/** What an open page holds on to, once everything that can be forgotten is. */
import { readFileSync } from 'node:fs';
import type { Browser, CDPSession, Page } from 'playwright-core';

export interface Held {
  /** Of the page's scripts and their objects, in bytes. */
  readonly heap: number;
  /** The same of its workers, which draw up the map. */
  readonly map: number;
  readonly nodes: number;
  readonly listeners: number;
}

/** Looks into one page. */
export class Scales {
  /** Sessions of the page's workers, by their ids. */
  readonly #workers = new Set<string>();
  #sent = 0;

  private constructor(
    readonly page: CDPSession,
    readonly browser: CDPSession,
  ) {
    page.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
      if (targetInfo.type === 'worker') this.#workers.add(sessionId);
    });
    page.on('Target.detachedFromTarget', ({ sessionId }) => this.#workers.delete(sessionId));
  }

  static async of(browser: Browser, page: Page): Promise<Scales> {
    const session = await page.context().newCDPSession(page);
    await session.send('Performance.enable');
    await session.send('HeapProfiler.enable');
    const scales = new Scales(session, await browser.newBrowserCDPSession());
    await session.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
    return scales;
  }

  /** Asks a worker, which is spoken to through its page. */
  #ask(sessionId: string, method: string): Promise<{ usedSize?: number }> {
    const id = ++this.#sent;
    return new Promise((resolve) => {
      const take = (answer: { sessionId: string; message: string }): void => {
        if (answer.sessionId !== sessionId) return;
        const { id: of, result } = JSON.parse(answer.message) as { id?: number; result?: { usedSize?: number } };
        if (of !== id) return;
        this.page.off('Target.receivedMessageFromTarget', take);
        resolve(result ?? {});
      };
      this.page.on('Target.receivedMessageFromTarget', take);
      void this.page.send('Target.sendMessageToTarget', { sessionId, message: JSON.stringify({ id, method }) });
    });
  }

  /** What is held after a forced collection. */
  async weigh(): Promise<Held> {
    // What the first finds dead may have held more.
    for (let i = 0; i < 2; i++) await this.page.send('HeapProfiler.collectGarbage');
    const { metrics } = await this.page.send('Performance.getMetrics');
    const read = (name: string): number => metrics.find((one) => one.name === name)?.value ?? NaN;
    let map = 0;
    for (const worker of this.#workers) {
      for (let i = 0; i < 2; i++) await this.#ask(worker, 'HeapProfiler.collectGarbage');
      map += (await this.#ask(worker, 'Runtime.getHeapUsage')).usedSize ?? NaN;
    }
    return { heap: read('JSHeapUsedSize'), map, nodes: read('Nodes'), listeners: read('JSEventListeners') };
  }

  /** Resident bytes of the processes of a type: of all pages with their workers, or of what draws. */
  async resident(type: 'renderer' | 'GPU'): Promise<number> {
    const { processInfo } = await this.browser.send('SystemInfo.getProcessInfo');
    return processInfo.filter((one) => one.type === type).reduce((sum, { id }) => sum + residentOf(id), 0);
  }
}

function residentOf(id: number): number {
  try {
    return 1024 * Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${id}/status`, 'utf8'))?.[1] ?? NaN);
  } catch {
    return 0; // it ended
  }
}
