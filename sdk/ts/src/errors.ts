import type { FieldError } from './gen/types.gen.js';
import { problemCodes } from './gen/document.gen.js';
import { whileConnecting } from './platform.js';

/** What kind of problem it is, as the contract's catalogue has them. */
export type ProblemCode = (typeof problemCodes)[number];

/** All errors of this package are of this class. */
export class AccordError extends Error {
  override name = 'AccordError';
}

/**
 * The server refused a request, and said why (RFC 9457).
 *
 * `code` is what one switches on. It is `unknown` where the answer is no problem of the
 * contract: one of a proxy, or of a server that is newer than this package.
 */
export class ProblemError extends AccordError {
  override name = 'ProblemError';
  readonly code: ProblemCode | 'unknown';
  /** The HTTP status. */
  readonly status: number;
  /** The URI of the kind of problem. */
  readonly type: string;
  /** The kind in words. */
  readonly title: string;
  /** What is wrong with this request. */
  readonly detail: string;
  /** What to name when one asks the people who run the server. */
  readonly requestId: string | undefined;
  /** Each failing field; empty where the problem is not about fields. */
  readonly errors: readonly FieldError[];
  /** How many seconds to wait before the request may be sent again, where the server says so. */
  readonly retryAfter: number | undefined;
  /** The headers of the answer. */
  readonly headers: Headers;

  constructor(response: Response, body: unknown) {
    const problem: Record<string, unknown> = typeof body === 'object' && body !== null ? { ...body } : {};
    const text = (name: string): string | undefined => (typeof problem[name] === 'string' ? problem[name] : undefined);
    const type = text('type') ?? 'about:blank';
    const title = text('title') ?? (response.statusText || `HTTP ${response.status}`);
    const detail = text('detail') ?? title;
    const last = type.slice(type.lastIndexOf('/') + 1);
    const code = problemCodes.find((known) => known === last) ?? 'unknown';
    const requestId = text('request_id') ?? response.headers.get('X-Request-Id') ?? undefined;
    super(`${detail} (${response.status} ${code}${requestId ? `, request ${requestId}` : ''})`);
    this.code = code;
    this.status = response.status;
    this.type = type;
    this.title = title;
    this.detail = detail;
    this.requestId = requestId;
    this.errors = Array.isArray(problem.errors) ? problem.errors : [];
    this.retryAfter = retryAfter(response.headers.get('Retry-After'));
    this.headers = response.headers;
  }
}

/** The seconds of a Retry-After, which may be a date (RFC 9110, section 10.2.3). */
function retryAfter(value: string | null): number | undefined {
  if (value === null) return undefined;
  const seconds = /^\d+$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds);
}

/** What one has is still current: the answer to a request with `If-None-Match` is 304. */
export class NotModifiedError extends AccordError {
  override name = 'NotModifiedError';
  readonly headers: Headers;

  constructor(response: Response) {
    super('What one has is still current (304)');
    this.headers = response.headers;
  }
}

/** There was no answer, or not all of it: no connection, or one that ended too early. */
export class ConnectionError extends AccordError {
  override name = 'ConnectionError';

  /** @param unknownOutcome whether what was asked for may have been carried out all the same */
  constructor(
    readonly unknownOutcome: boolean,
    cause: unknown,
  ) {
    const what = `The server could not be reached${whileConnecting(cause) ? '' : ', or the connection ended before the answer'}`;
    super(`${what}${unknownOutcome ? ', and the request may have been carried out' : ''}: ${reasonOf(cause)}`, { cause });
  }
}

/** fetch says no more than that it failed; why is in its cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? error.cause : error;
  return cause.message || ('code' in cause ? String(cause.code) : cause.name);
}

/** The answer did not come in time. */
export class TimeoutError extends AccordError {
  override name = 'TimeoutError';

  /** @param unknownOutcome whether the request may have been carried out all the same */
  constructor(
    readonly timeout: number,
    readonly unknownOutcome: boolean,
  ) {
    super(`No answer within ${timeout} ms${unknownOutcome ? ': the request may have been carried out' : ''}`);
  }
}

/** The call was cancelled by its signal; `reason` is the signal's. */
export class CancelledError extends AccordError {
  override name = 'CancelledError';

  constructor(readonly reason: unknown) {
    super('The call was cancelled', { cause: reason });
  }
}
