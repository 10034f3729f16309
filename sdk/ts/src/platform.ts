/**
 * Whether this is a web page or its worker. Node.js, Deno, Bun and the like have a
 * `navigator` too, but none that says that it is a browser.
 */
export function inBrowser(): boolean {
  return typeof navigator !== 'undefined' && (navigator.userAgent ?? '').startsWith('Mozilla/');
}

/** Whether it has failed before anything was sent. Node.js says so; a browser does not. */
export function whileConnecting(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  const each: unknown[] = cause instanceof AggregateError ? cause.errors : [cause]; // one for each address
  return each.every((one) => {
    const { code, syscall } = (one ?? {}) as { code?: unknown; syscall?: unknown };
    return syscall === 'connect' || ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT'].includes(String(code));
  });
}

/**
 * Reads a stream piece by piece; not every browser can iterate over one by itself. Where
 * nothing comes for `quiet` milliseconds, it ends.
 */
export async function* iterate<T>(stream: ReadableStream<T>, quiet?: number): AsyncGenerator<T, void, undefined> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const timer = quiet !== undefined && setTimeout(() => void reader.cancel(), quiet);
      const piece = await reader.read().finally(() => timer !== false && clearTimeout(timer));
      if (piece.done) return;
      yield piece.value;
    }
  } finally {
    await reader.cancel().catch(() => undefined); // it has failed, and said so, or there is nothing left
  }
}
