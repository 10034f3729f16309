import { unlessCancelled } from './cancel.js';
import { ProblemError } from './errors.js';
import type { Token } from './gen/types.gen.js';

/** What a signed-in person has. */
export interface Tokens {
  accessToken: string;
  /** For the next refresh, once. */
  refreshToken: string;
  /** When the access token expires, in milliseconds since 1970. */
  expiresAt: number;
}

/**
 * Where tokens are kept. Clients may share one: each reads it before a call, and sees what
 * another has refreshed.
 */
export interface TokenStore {
  load(): Promise<Tokens | undefined>;
  save(tokens: Tokens): Promise<void>;
  clear(): Promise<void>;
}

/** Keeps tokens as long as the program runs. */
export function memoryStore(tokens?: Tokens): TokenStore {
  return {
    async load() {
      return tokens;
    },
    async save(saved) {
      tokens = saved;
    },
    async clear() {
      tokens = undefined;
    },
  };
}

/** A user name, or an e-mail address, and a password. */
export interface Credentials {
  username: string;
  password: string;
}

/** The calls that a session needs. */
export interface SessionCalls {
  login(credentials: Credentials): Promise<Token>;
  refresh(refreshToken: string): Promise<Token>;
  logout(): Promise<void>;
}

/** One person's session: its tokens, and the one sign-in and one refresh that all calls wait for. */
export class Session {
  #signingIn: Promise<Tokens | undefined> | undefined;
  #refreshing: Promise<Tokens | undefined> | undefined;
  #credentials: Credentials | undefined; // of whoever signs in, also after the end of a session

  constructor(
    private readonly store: TokenStore,
    credentials: Credentials | undefined,
    private readonly calls: SessionCalls,
  ) {
    this.#credentials = credentials;
  }

  /**
   * The tokens to call with, after the first sign-in if need be; undefined for nobody.
   * With `lasting`, an access token that has expired is refreshed first.
   */
  async tokens(lasting: boolean, signal: AbortSignal | undefined): Promise<Tokens | undefined> {
    const tokens = (await this.store.load()) ?? (await unlessCancelled(this.#signInOnce(), signal));
    return tokens && lasting && tokens.expiresAt <= Date.now() ? this.refresh(tokens, signal) : tokens;
  }

  /** Undefined without a password. */
  #signInOnce(): Promise<Tokens | undefined> {
    const signIn = async (): Promise<Tokens | undefined> => {
      const tokens = await this.store.load(); // another call, or another client, may have been faster
      return tokens ?? (this.#credentials && this.#save(this.calls.login(this.#credentials)));
    };
    this.#signingIn ??= signIn().finally(() => (this.#signingIn = undefined));
    return this.#signingIn;
  }

  /** New tokens in place of those that were refused; undefined if the session has ended and there is no password. */
  async refresh(refused: Tokens, signal: AbortSignal | undefined): Promise<Tokens | undefined> {
    this.#refreshing ??= this.#refresh(refused).finally(() => (this.#refreshing = undefined));
    return unlessCancelled(this.#refreshing, signal);
  }

  async #refresh(refused: Tokens): Promise<Tokens | undefined> {
    const tokens = await this.store.load();
    if (tokens?.accessToken !== refused.accessToken) return this.tokens(false, undefined); // another call was faster
    try {
      return await this.#save(this.calls.refresh(tokens.refreshToken));
    } catch (error) {
      if (!(error instanceof ProblemError) || error.code !== 'invalid-grant') throw error;
      await this.store.clear();
      return this.tokens(false, undefined);
    }
  }

  async signIn(credentials: Credentials): Promise<void> {
    await this.#save(this.calls.login(credentials));
    this.#credentials = credentials;
  }

  async signOut(): Promise<void> {
    this.#credentials = undefined;
    if (!(await this.store.load())) return;
    await this.calls.logout().catch((error: unknown) => {
      if (!(error instanceof ProblemError) || error.code !== 'unauthenticated') throw error;
    });
    await this.store.clear();
  }

  async #save(answer: Promise<Token>): Promise<Tokens> {
    const { access_token, refresh_token, expires_in } = await answer;
    const tokens: Tokens = { accessToken: access_token, refreshToken: refresh_token, expiresAt: Date.now() + expires_in * 1000 };
    await this.store.save(tokens);
    return tokens;
  }
}
