import { Deadline, sleep, throwIfCancelled } from './cancel.js';
import { ConnectionError, NotModifiedError, ProblemError, TimeoutError } from './errors.js';
import { type Body, type Upload, downloadOf, multipart } from './files.js';
import { whileConnecting } from './platform.js';

/** What the document says of an operation, as far as the client has to know it. */
export interface Operation {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With the parameters in braces. */
  path: string;
  /** `file` is everything that is not JSON; it is not read, but handed on as it comes. */
  answer: 'none' | 'json' | 'file';
  /** The content type of the request. */
  body?: string;
  /** It needs an access token. */
  signedIn?: boolean;
  /** It takes an Idempotency-Key. */
  idempotent?: boolean;
  /** It answers with a page of items, and takes the cursor of the next. */
  list?: boolean;
  /** It should not be called any more. */
  deprecated?: boolean;
  /** The day of its end. */
  sunset?: string;
}

/** A request, ready to be sent any number of times. */
export interface Outgoing {
  url: string;
  method: string;
  headers: Headers;
  body: Body | undefined;
  answer: Operation['answer'];
  /** It may be sent again although it may have been carried out. */
  safe: boolean;
  /** What it asks for may have been carried out, by an attempt of which nobody knows what became. */
  unknown: boolean;
  signal: AbortSignal | undefined;
  timeout: number;
  retries: number;
  fetch: typeof fetch;
}

/** An answer, and what it holds. */
export interface Answer<T> {
  data: T;
  response: Response;
}

const longestWait = 60; // seconds; a longer one is left to the caller

/** Sends a request until it is answered, or until sending it again is of no use. */
export async function send(request: Outgoing): Promise<Answer<unknown>> {
  for (let attempt = 0; ; attempt++) {
    throwIfCancelled(request.signal);
    try {
      return await once(request);
    } catch (error) {
      if (error instanceof ProblemError) request.unknown ||= writes(request) && (lost(error) || error.code === 'request-in-progress');
      const wait = attempt < request.retries ? waitBefore(error, attempt, request) : undefined;
      if (wait === undefined) throw error;
      await sleep(wait * 1000, request.signal);
    }
  }
}

/** How many seconds to wait before the request is sent again; undefined if it must not be. */
function waitBefore(error: unknown, attempt: number, { safe, body }: Outgoing): number | undefined {
  if (body?.once) return undefined;
  if (error instanceof ProblemError) {
    // The server has not begun, or the first attempt of this request is still at work.
    const refused = error.status === 429 || error.status === 503 || error.code === 'request-in-progress';
    if (!refused && !(lost(error) && safe)) return undefined;
    if (error.retryAfter !== undefined) return error.retryAfter <= longestWait ? error.retryAfter : undefined;
  } else if (!(error instanceof ConnectionError) || (error.unknownOutcome && !safe)) {
    return undefined;
  }
  return 0.5 * 2 ** attempt * (1 - Math.random() / 2);
}

function writes({ method }: Outgoing): boolean {
  return method !== 'GET' && method !== 'HEAD';
}

/** A gateway does not know whether the server has carried it out. */
function lost({ status }: ProblemError): boolean {
  return status === 502 || status === 504;
}

/**
 * What keeps a call from being sent, as an error of that call: what is not known of a
 * sign-in says nothing of it.
 */
export function unsent(error: unknown, { unknown }: Outgoing): unknown {
  if (error instanceof ConnectionError) return new ConnectionError(unknown, error.cause);
  return error instanceof TimeoutError ? new TimeoutError(error.timeout, unknown) : error;
}

async function once(sent: Outgoing): Promise<Answer<unknown>> {
  const { url, method, headers, body, answer, signal, timeout, fetch } = sent;
  const deadline = new Deadline(timeout, signal);
  // Only what fetch itself throws is of the network; a URL or a header that is wrong is not.
  const explain = (error: unknown): unknown => {
    sent.unknown ||= writes(sent) && !whileConnecting(error);
    return deadline.cause(sent.unknown) ?? (body?.failure ? body.failure.error : new ConnectionError(sent.unknown, error));
  };
  let reading = false;
  try {
    const request = new Request(url, {
      method,
      headers,
      signal: deadline.signal,
      ...(body && { body: body.make() }),
      ...(body?.once && { duplex: 'half' }), // the answer may begin only when the request is complete
    });
    const response = await fetch(request).catch((error: unknown) => {
      throw explain(error);
    });
    if (response.ok && answer === 'file') {
      deadline.begun();
      reading = true;
      return { data: downloadOf(response, guard(response.body, deadline, explain)), response };
    }
    const text = await response.text().catch((error: unknown) => {
      throw explain(error);
    });
    return { data: dataOf(response, text, answer), response };
  } finally {
    if (!reading) deadline.end();
  }
}

/** What an answer holds; throws what it says, unless it is a success. */
function dataOf(response: Response, text: string, answer: Operation['answer']): unknown {
  if (response.status === 304) throw new NotModifiedError(response);
  if (response.ok && answer === 'none') return undefined;
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    // Not the server's own: a page of a proxy, or of whoever stands between.
    throw new ProblemError(response, response.ok ? { detail: 'The answer is not JSON, as the contract says it is' } : undefined);
  }
  if (!response.ok) throw new ProblemError(response, data);
  return data;
}

/** A body whose reading fails with an error of this package, and ends with the call. */
function guard(body: ReadableStream<Uint8Array<ArrayBuffer>> | null, deadline: Deadline, explain: (error: unknown) => unknown): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = body?.getReader();
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      async pull(controller) {
        try {
          const piece = await reader?.read();
          if (piece && !piece.done) return controller.enqueue(piece.value);
          deadline.end();
          controller.close();
        } catch (error) {
          deadline.end();
          controller.error(explain(error));
        }
      },
      async cancel(reason) {
        deadline.end();
        await reader?.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}

/** The address of an operation, with its parameters filled in. */
export function urlOf(base: string, path: string, values: Record<string, unknown> = {}, query: Record<string, unknown> = {}): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = String(values[name] ?? '');
    // These would make another path of it.
    if (value === '' || value === '.' || value === '..') throw new TypeError(`path.${name} must not be "${value}"`);
    return encodeURIComponent(value);
  });
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined && one !== null) search.append(name, String(one));
    }
  }
  const text = search.toString();
  return `${base}${filled}${text && `?${text}`}`;
}

/** A body in the form of its content type. */
export async function bodyOf(type: string | undefined, content: unknown): Promise<Body | undefined> {
  if (type === undefined || content === undefined) return undefined;
  switch (type) {
    case 'multipart/form-data':
      return multipart(content as Record<string, Upload>);
    case 'application/x-www-form-urlencoded': {
      const fields = Object.entries(content as Record<string, unknown>).filter(([, value]) => value !== undefined);
      return { make: () => new URLSearchParams(fields.map(([name, value]) => [name, String(value)])) };
    }
    default:
      return { make: () => JSON.stringify(content), type };
  }
}
