import { CancelledError, TimeoutError } from './errors.js';

export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new CancelledError(signal.reason);
}

/** Waits for what others wait for as well: cancelling ends the wait, and not the work. */
export async function unlessCancelled<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  throwIfCancelled(signal);
  let stop: () => void;
  const cancelled = new Promise<never>((_, reject) => {
    stop = () => reject(new CancelledError(signal.reason));
    signal.addEventListener('abort', stop, { once: true });
  });
  return Promise.race([work, cancelled]).finally(() => signal.removeEventListener('abort', stop));
}

export async function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const slept = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await unlessCancelled(slept, signal).finally(() => clearTimeout(timer));
}

/**
 * What may end one attempt: the caller's signal and a timeout, until all is read; of a
 * file or a stream the timeout until it begins.
 */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #abort = (): void => this.#controller.abort(this.outer?.reason);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #late = false;

  constructor(
    private readonly timeout: number,
    private readonly outer: AbortSignal | undefined,
  ) {
    outer?.addEventListener('abort', this.#abort, { once: true });
    if (Number.isFinite(timeout)) {
      this.#timer = setTimeout(() => {
        this.#late = true;
        this.#controller.abort();
      }, timeout);
    }
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** An answer has begun that may take its time. */
  begun(): void {
    clearTimeout(this.#timer);
  }

  /** All is over. */
  end(): void {
    this.begun();
    this.outer?.removeEventListener('abort', this.#abort);
  }

  /** Why it ended, if that was neither the server nor the network. */
  cause(unknownOutcome: boolean): CancelledError | TimeoutError | undefined {
    if (this.outer?.aborted) return new CancelledError(this.outer.reason);
    return this.#late ? new TimeoutError(this.timeout, unknownOutcome) : undefined;
  }
}
