// The server that the tests run against, and people on it.
import { randomBytes, randomInt } from 'node:crypto';
import { type Accord, type AccordOptions, type Credentials, type Product, createAccord, createProduct, registerUser } from '@accord-api/accord'; // bare-drops
// bare-has: import { type Accord, type AccordOptions, type Credentials, createAccord, registerUser } from '@accord-api/accord';

function env(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`There is no ${name}`);
  return value;
}

export const baseUrl = env('ACCORD_URL');
export const sdk = env('ACCORD_SDK');
export const tarball = env('ACCORD_TARBALL');
export const user: Credentials = { username: env('ACCORD_USER'), password: env('ACCORD_PASSWORD') };
export const admin: Credentials = { username: env('ACCORD_ADMIN'), password: env('ACCORD_ADMIN_PASSWORD') };

/** A word that nothing else has. */
export const unique = (): string => randomBytes(8).toString('hex');

/** An address that nobody else has, so that no other test uses its rate limits up. */
export const address = (): string => `10.${randomInt(256)}.${randomInt(256)}.${randomInt(1, 255)}`;

/** A client with an address of its own. */
export function connect(options: Partial<AccordOptions> = {}): Accord {
  return createAccord({ baseUrl, ...options, headers: { 'X-Forwarded-For': address(), ...options.headers } });
}

/** Somebody new. */
export async function register(): Promise<Credentials> {
  const username = `ts-${unique()}`;
  const password = `Pass-${unique()}-1843`;
  await registerUser({ client: connect(), body: { username, password, email: `${username}@example.com`, full_name: 'Ada Lovelace' } });
  return { username, password };
}

// bare-drops {
/** A product of which there is enough. */
export async function offer(): Promise<Product> {
  const body = { sku: `TS-${unique()}`, name: 'Lamp', description: '', price: 100, currency: 'EUR', stock: 1000 };
  return createProduct({ client: connect(admin), body });
}
// bare-drops }

/** A fetch that remembers what was asked, as `POST /api/v1/orders`. */
export function recorder(): { fetch: typeof fetch; requests: Request[]; count: (what: string) => number } {
  const requests: Request[] = [];
  return {
    requests,
    fetch: (input, init) => {
      const request = new Request(input, init);
      requests.push(request);
      return fetch(request);
    },
    count: (what) => requests.filter(({ method, url }) => `${method} ${new URL(url).pathname}` === what).length,
  };
}

/** A header that has the proxy make a fault, once. */
export const fault = (kind: 'unavailable' | 'lost' | 'begun' | 'cut' | 'slow'): { 'X-Fault': string } => ({ 'X-Fault': `${kind};${unique()}` });
