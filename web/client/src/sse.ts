/** Server-Sent Events, as much of them as the stream uses, from bytes that may come in any pieces. */

/** The longest line read; a frame and the word `data: ` before it fit. */
const maxLine = (1 << 20) + 64;

export interface Event {
  readonly data?: string;
  /** Milliseconds to wait before connecting again. */
  readonly retry?: number;
}

/**
 * Gives the lines of a body as they come, without their ends. A longer line than `maxLine` ends
 * the reading with an error: there is no telling where the next would begin.
 */
export async function* linesOf(body: ReadableStream<Uint8Array>, heard: () => void): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder('utf-8');
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      heard();
      rest += decoder.decode(value, { stream: true });
      let from = 0;
      for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n', from)) {
        yield rest.slice(from, rest[end - 1] === '\r' ? end - 1 : end);
        from = end + 1;
      }
      rest = rest.slice(from);
      if (rest.length > maxLine) throw new RangeError('stream: line too long');
    }
    if (rest !== '') yield rest;
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** Gives what the lines of an event stream say. A frame is one line, so an event is complete at its `data` line. */
export async function* eventsOf(lines: AsyncIterable<string>): AsyncGenerator<Event> {
  for await (const line of lines) {
    // One space is the stream's, any other is the frame's, and a fault in it.
    if (line.startsWith('data:')) yield { data: line.slice(line[5] === ' ' ? 6 : 5) };
    else if (/^retry: ?[0-9]{1,6}$/.test(line)) yield { retry: Number(line.slice(6)) };
  }
}
