import { version } from './gen/document.gen.js';
import { login, logout, refreshToken } from './gen/operations.gen.js';
import { unlessCancelled } from './cancel.js';
import { ProblemError } from './errors.js';
import { inBrowser } from './platform.js';
import { type Credentials, Session, type TokenStore, memoryStore } from './session.js';
import { type Answer, type Operation, type Outgoing, bodyOf, send, unsent, urlOf } from './transport.js';

/** What a client is made of. */
export interface AccordOptions {
  /** Where the server is, as `https://api.example.com`. */
  baseUrl: string;
  /** Who calls. The first call that needs it signs in, once. */
  username?: string;
  password?: string;
  /** Where tokens are kept; by default in memory. */
  store?: TokenStore;
  /** How many milliseconds an answer may take, and a file or a stream until it begins, for each attempt; 30,000 by default. */
  timeout?: number;
  /** How often a request is sent again where that is safe; 2 by default. */
  retries?: number;
  /** Headers of every request. */
  headers?: Record<string, string>;
  /** Your program's name and version, which stand before the SDK's in `User-Agent`. */
  userAgent?: string;
  /** In place of the platform's. */
  fetch?: typeof fetch;
  /** Hears of each deprecated operation that is called, once; `console.warn` by default. */
  warn?: (message: string) => void;
}

/** What every call takes. */
export interface CallOptions {
  client: Accord;
  /** Cancels the call, its waits, and the reading of what it answers. */
  signal?: AbortSignal;
  /** In place of the client's. */
  timeout?: number;
  /** In place of the client's. */
  retries?: number;
}

/** What a call of one operation takes: parameters, a body, and headers beside those of the contract. */
export type Options<Data extends { url: string }> = CallOptions &
  Omit<Data, 'url' | 'headers'> & {
    headers?: (Data extends { headers?: infer Headers } ? Headers : unknown) & Record<string, string | number | undefined>;
  };

/** Calls made by the generated functions, whatever their operation. */
type AnyOptions = CallOptions & {
  path?: Record<string, unknown>;
  query?: Record<string, unknown>;
  body?: unknown;
  headers?: Record<string, string | number | undefined>;
};

interface Page<Item> {
  items: Item[];
  next_cursor: string | null;
}

/**
 * A call on its way. Awaited, it is what the server answers, or throws an error of this
 * package. That of a list is an iterator as well, of the items of all pages.
 */
export type Call<T> = Promise<T> & {
  /** The answer with its status and headers, as `ETag`; its body has been read. */
  withResponse(): Promise<Answer<T>>;
} & ([T] extends [Page<infer Item>] ? AsyncIterable<Item> : unknown);

/** A client of one server, and one person's session there. */
export interface Accord {
  /** Signs in anew, as a form of a page does. */
  signIn(credentials: Credentials): Promise<void>;
  /** Ends the session and empties the store. Calls are nobody's from then on. */
  signOut(): Promise<void>;
  /** What the functions of operations are made with. */
  call<T>(operation: Operation, options: CallOptions): Call<T>;
}

/** Makes a client. It asks nothing before the first call. */
export function createAccord({ baseUrl, username, password, store = memoryStore(), ...defaults }: AccordOptions): Accord {
  const base = baseUrl.replace(/\/+$/, '');
  const warned = new Set<string>();
  const credentials = username !== undefined && password !== undefined ? { username, password } : undefined;
  const session = new Session(store, credentials, {
    login: (body) => login({ client, body }),
    refresh: (refresh_token) => refreshToken({ client, body: { refresh_token } }),
    logout: () => logout({ client }),
  });
  const client: Accord = {
    signIn: (given) => session.signIn(given),
    signOut: () => session.signOut(),
    call: <T>(operation: Operation, options: AnyOptions) => call<T>((query) => answer(operation, { ...options, query: { ...options.query, ...query } }), operation),
  };

  async function answer(operation: Operation, options: AnyOptions): Promise<Answer<unknown>> {
    const { signal } = options;
    const body = await unlessCancelled(bodyOf(operation.body, options.body), signal);
    const request: Outgoing = {
      url: urlOf(base, operation.path, options.path, options.query),
      method: operation.method,
      headers: headersOf(operation, options, body?.type),
      body,
      answer: operation.answer,
      safe: operation.idempotent || !['POST', 'PATCH'].includes(operation.method),
      unknown: false,
      signal,
      timeout: options.timeout ?? defaults.timeout ?? 30_000,
      retries: options.retries ?? defaults.retries ?? 2,
      fetch: defaults.fetch ?? globalThis.fetch,
    };
    const result = operation.signedIn ? await sendAs(request) : await send(request);
    warnOfEnd(operation, result.response);
    return result;
  }

  /** Sends a request with the access token, and once more with a new one where that is refused. */
  async function sendAs(request: Outgoing): Promise<Answer<unknown>> {
    const { body, headers, signal } = request;
    const unsigned = (error: unknown): never => {
      throw unsent(error, request);
    };
    const tokens = await session.tokens(body?.once ?? false, signal).catch(unsigned);
    if (!tokens) return send(request);
    headers.set('Authorization', `Bearer ${tokens.accessToken}`);
    try {
      return await send(request);
    } catch (error) {
      if (!(error instanceof ProblemError) || error.code !== 'unauthenticated') throw error;
      const fresh = await session.refresh(tokens, signal).catch(unsigned);
      if (!fresh || body?.once) throw error;
      headers.set('Authorization', `Bearer ${fresh.accessToken}`);
      return send(request);
    }
  }

  function headersOf(operation: Operation, options: AnyOptions, type: string | undefined): Headers {
    const headers = new Headers(defaults.headers);
    if (!inBrowser()) headers.set('User-Agent', `${defaults.userAgent ? `${defaults.userAgent} ` : ''}accord-ts/${version}`);
    if (type !== undefined) headers.set('Content-Type', type);
    for (const [name, value] of Object.entries(options.headers ?? {})) {
      if (value !== undefined) headers.set(name, String(value));
    }
    if (operation.idempotent && !headers.has('Idempotency-Key')) headers.set('Idempotency-Key', randomKey());
    return headers;
  }

  /** The server may know of it since later than this package; a page may not see what the server says. */
  function warnOfEnd({ method, path, deprecated, sunset }: Operation, { headers }: Response): void {
    const name = `${method} ${path}`;
    if (!(deprecated || headers.has('Deprecation')) || warned.has(name)) return;
    warned.add(name);
    const end = Date.parse(headers.get('Sunset') ?? sunset ?? '');
    const day = Number.isNaN(end) ? 'and may end' : `and ends on ${new Date(end).toISOString().slice(0, 10)}`;
    (defaults.warn ?? console.warn)(`Accord: ${name} is deprecated, ${day}.`);
  }

  return client;
}

/** A call, which is on its way already; ask makes it, and makes it again for each further page. */
function call<T>(ask: (query?: { cursor: string }) => Promise<Answer<unknown>>, { list }: Operation): Call<T> {
  const answer = ask() as Promise<Answer<T>>;
  const data = answer.then((got) => got.data);
  const elsewhere = (): void => void data.catch(() => undefined); // who asks so hears of a failure there
  async function* items(): AsyncGenerator<unknown> {
    for (let page = (await answer).data as Page<unknown>; ; ) {
      yield* page.items;
      if (page.next_cursor === null) return;
      page = (await ask({ cursor: page.next_cursor })).data as Page<unknown>;
    }
  }
  return Object.assign(data, {
    withResponse() {
      elsewhere();
      return answer;
    },
    ...(list && {
      [Symbol.asyncIterator]() {
        elsewhere();
        return items();
      },
    }),
  }) as unknown as Call<T>;
}

/** A key that no other request has. (crypto.randomUUID is there for pages of https only.) */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
