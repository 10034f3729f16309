import { sleep } from './cancel.js';
import type { CallOptions } from './client.js';
import { CancelledError, ConnectionError, ProblemError, TimeoutError } from './errors.js';
import { streamNotifications } from './gen/operations.gen.js';
import type { Notification } from './gen/types.gen.js';
import { readEvents } from './lines.js';
import { iterate } from './platform.js';

/** Which notifications, and until when. */
export interface NotificationsOptions extends Omit<CallOptions, 'retries'> {
  /** The `number` of the last one that one has seen; without it, what arises from now on. */
  after?: number;
  headers?: Record<string, string>;
}

const quiet = 60_000; // the server says something every 20 s; after three misses it has gone
const longestPause = 30_000;

/**
 * The notifications of who is signed in, as they arise, each once and in order.
 *
 * A stream that ends is connected again, after 1 s at first and half a minute at last, and
 * goes on after the last one seen; none is left out. The iterator ends when the signal is
 * aborted or the loop is left. It throws what the first connection meets, and later only
 * what does not pass by itself, such as the end of the session.
 */
export async function* notifications({ after, headers = {}, ...options }: NotificationsOptions): AsyncGenerator<Notification, void, undefined> {
  const { signal } = options;
  try {
    let last = after; // a stream says at once where it begins
    let base = 1000;
    for (let failures = 0, connected = false; ; failures++) {
      const began = Date.now();
      try {
        const { body } = await streamNotifications({ ...options, headers: { ...headers, ...(last !== undefined && { 'Last-Event-ID': last }) } });
        connected = true;
        for await (const event of readEvents(iterate(body, quiet))) {
          if (event.data !== '') failures = 0;
          base = event.retry ?? base;
          if (event.id !== '') last = Number(event.id); // the notification's number
          if (signal?.aborted) return; // what has come already is not wanted any more
          if (event.name === 'notification') yield JSON.parse(event.data) as Notification;
        }
      } catch (error) {
        if (!connected || !passes(error)) throw error;
      }
      if (Date.now() - began > longestPause) failures = 0; // it has worked for a while
      await sleep(Math.min(base * 2 ** failures, longestPause) * (1 - Math.random() / 2), signal);
    }
  } catch (error) {
    if (error instanceof CancelledError && signal?.aborted) return;
    throw error;
  }
}

/** Whether it is worth another try: the network, or a server that cannot answer now. */
function passes(error: unknown): boolean {
  if (error instanceof ProblemError) return error.status === 429 || error.status >= 500;
  return error instanceof ConnectionError || error instanceof TimeoutError;
}
