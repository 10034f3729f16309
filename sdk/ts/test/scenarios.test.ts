// The scenarios that all SDKs have in common (sdk/scenarios.json), under the same names.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto'; // bare-drops
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import {
  CancelledError, ConnectionError, ProblemError, TimeoutError,
  changePassword, createAccord, getHealth, getMe, getUser, listSessions, memoryStore, updateMe, version,
} from '@accord-api/accord';
// bare-drops {
import { type Notification, createOrder, downloadFile, getProduct, listOrders, notifications, updateProduct, uploadFile } from '@accord-api/accord';
import { admin, offer } from './server.js';
// bare-drops }
import { connect, fault, recorder, register, sdk, user } from './server.js';

const done = new Set<string>();

function scenario(name: string, run: (t: TestContext) => Promise<void>): void {
  done.add(name);
  test(name, run);
}

/** The error that a call fails with, which has to be of this class. */
async function failure<E>(kind: new (...parameters: never[]) => E, call: Promise<unknown>): Promise<E> {
  const error: unknown = await call.then(
    () => assert.fail('it has succeeded'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof kind, `it failed with ${String(error)}`);
  return error;
}

test('the scenarios are those of all SDKs', () => {
  const all = JSON.parse(readFileSync(join(sdk, '../scenarios.json'), 'utf8')) as { name: string }[];
  assert.deepEqual([...done], all.map(({ name }) => name));
});

scenario('sign in', async () => {
  const { fetch, count } = recorder();
  const client = connect({ ...user, fetch });
  const people = await Promise.all([getMe({ client }), getMe({ client })]);
  people.push(await getMe({ client }));
  assert.deepEqual(people.map(({ username }) => username), Array(3).fill(user.username));
  assert.equal(count('POST /api/v1/auth/login'), 1);
});

scenario('token store', async () => {
  const store = memoryStore();
  const person = await register();
  await getMe({ client: connect({ ...person, store }) });
  const { fetch, count } = recorder();
  const second = connect({ store, fetch });
  assert.equal((await getMe({ client: second })).username, person.username);
  assert.equal(count('POST /api/v1/auth/login'), 0);
});

/** A store of somebody new, whose access token the server refuses. */
async function refusedStore() {
  const store = memoryStore();
  const person = await register();
  await connect({ store }).signIn(person);
  const tokens = await store.load();
  assert.ok(tokens);
  await store.save({ ...tokens, accessToken: `${tokens.accessToken}x` });
  return { store, person, old: tokens };
}

scenario('refresh', async () => {
  const { store, person, old } = await refusedStore();
  const { fetch, requests } = recorder();
  assert.equal((await getMe({ client: connect({ store, fetch }) })).username, person.username);
  assert.deepEqual(requests.map(({ url }) => new URL(url).pathname), ['/api/v1/users/me', '/api/v1/auth/refresh', '/api/v1/users/me']);
  const tokens = await store.load();
  assert.ok(tokens && tokens.refreshToken !== old.refreshToken && tokens.expiresAt > Date.now());
});

scenario('one refresh', async () => {
  const { store, person } = await refusedStore();
  const { fetch, count } = recorder();
  const client = connect({ store, fetch });
  const people = await Promise.all(Array.from({ length: 50 }, () => getMe({ client })));
  assert.ok(people.every(({ username }) => username === person.username));
  assert.equal(count('POST /api/v1/auth/refresh'), 1);
  assert.equal(count('GET /api/v1/users/me'), 100);
});

scenario('ended session', async () => {
  const person = await register();
  const store = memoryStore();
  const { fetch, count } = recorder();
  const client = connect({ ...person, store, fetch });
  await getMe({ client });
  const tokens = await store.load();
  assert.ok(tokens);
  await connect({ store: memoryStore(tokens) }).signOut();
  const people = await Promise.all(Array.from({ length: 50 }, () => getMe({ client })));
  assert.ok(people.every(({ username }) => username === person.username));
  assert.equal(count('POST /api/v1/auth/login'), 2);
});

scenario('sign out', async () => {
  const store = memoryStore();
  const client = connect({ ...(await register()), store });
  await getMe({ client });
  const tokens = await store.load();
  assert.ok(tokens);
  await client.signOut();
  assert.equal(await store.load(), undefined);
  assert.equal((await failure(ProblemError, getMe({ client }))).code, 'unauthenticated');
  const former = connect({ store: memoryStore(tokens) });
  assert.equal((await failure(ProblemError, getMe({ client: former }))).code, 'unauthenticated', 'the session has not ended');
});

scenario('problem', async () => {
  const client = connect(await register());
  const error = await failure(ProblemError, getUser({ client, path: { user_id: '0198c0de-4000-7000-8000-000000000001' } }));
  switch (error.code) {
    case 'not-found':
      break;
    default:
      assert.fail(error.code);
  }
  assert.equal(error.status, 404);
  assert.ok(error.detail.length > 0 && error.title.length > 0);
  assert.match(error.requestId ?? '', /^[0-9a-f-]{36}$/);
  assert.ok(error.message.includes(error.requestId ?? '-'));
  assert.equal(error.name, 'ProblemError');
});

scenario('validation', async () => {
  const client = connect(await register());
  const error = await failure(ProblemError, changePassword({ client, body: { current_password: '', new_password: 'short' } }));
  assert.equal(error.code, 'validation');
  assert.deepEqual([...new Set(error.errors.map(({ field }) => field))], ['current_password', 'new_password']);
  assert.ok(error.errors.every(({ code, message }) => code && message));
});

scenario('pages', async () => {
  const { fetch, count } = recorder();
  const person = await register();
  const client = connect({ ...person, fetch });
  for (let i = 0; i < 6; i++) await getMe({ client: connect(person) }); // more sessions of the same person
  const { items: expected } = await listSessions({ client, query: { limit: 5 } });
  const seen: string[] = [];
  let pages = 0;
  for await (const session of listSessions({ client, query: { limit: 2 } })) {
    seen.push(session.id);
    pages = count('GET /api/v1/auth/sessions') - 1;
    assert.equal(pages, Math.ceil(seen.length / 2), 'a page was asked for too early');
    if (seen.length === 5) break;
  }
  assert.deepEqual(seen, expected.map(({ id }) => id));
  assert.equal(pages, 3);

  const all: string[] = [];
  for await (const session of listSessions({ client, query: { limit: 3 } })) all.push(session.id);
  assert.equal(new Set(all).size, 7);
  assert.equal(all.length, 7);
});

scenario('retry', async () => {
  const { fetch, count } = recorder();
  const client = connect({ ...user, fetch });
  await getMe({ client });
  const began = performance.now();
  await getMe({ client, headers: fault('unavailable') });
  assert.ok(performance.now() - began >= 990, 'it did not wait as long as Retry-After says');
  assert.equal(count('GET /api/v1/users/me'), 3);
  const error = await failure(ProblemError, getMe({ client, headers: fault('unavailable'), retries: 0 }));
  assert.deepEqual([error.status, error.code, error.retryAfter], [503, 'unknown', 1]);
});

// bare-drops {
scenario('idempotency', async () => {
  const { fetch, requests } = recorder();
  const client = connect({ ...(await register()), fetch });
  const body = { lines: [{ product_id: (await offer()).id, quantity: 1 }] };
  const order = await createOrder({ client, body, headers: fault('lost') });
  const keys = requests.filter(({ url }) => url.endsWith('/orders')).map(({ headers }) => headers.get('Idempotency-Key'));
  assert.equal(keys.length, 2);
  assert.ok(keys[0]);
  assert.equal(keys[0], keys[1]);
  const placed = await listOrders({ client });
  assert.deepEqual(placed.items.map(({ id }) => id), [order.id]);
  const another = await createOrder({ client, body });
  assert.notEqual(another.id, order.id, 'the next order has the same key');
});
// bare-drops }

scenario('lost write', async () => {
  const { fetch, count } = recorder();
  const client = connect({ ...(await register()), fetch });
  const error = await failure(ConnectionError, updateMe({ client, body: { full_name: 'Grace Hopper' }, headers: fault('lost') }));
  assert.equal(error.unknownOutcome, true);
  assert.match(error.message, /may have been carried out/);
  assert.ok(error.cause instanceof Error);
  assert.equal(count('PATCH /api/v1/users/me'), 1);
  assert.equal((await getMe({ client })).full_name, 'Grace Hopper');
});

// bare-drops {
scenario('upload and download', async () => {
  const pieces = Array.from({ length: 64 }, () => randomBytes(50_000));
  const hash = createHash('sha256').update(Buffer.concat(pieces)).digest('hex');
  let read = 0;
  async function* data() {
    for (const piece of pieces) {
      read++;
      yield piece;
    }
  }
  let readBefore = -1;
  const client = connect({
    ...(await register()),
    fetch: (input, init) => {
      if (input instanceof Request && input.url.endsWith('/files')) readBefore = read;
      return fetch(input, init);
    },
  });
  const name = 'Bericht "2026" ünï.bin';
  const file = await uploadFile({ client, body: { file: { data: data(), name } } });
  assert.equal(readBefore, 0, 'the file was read before it was sent');
  assert.deepEqual([file.name, file.size, file.sha256], [name, 3_200_000, hash]);

  const { data: download, response } = await downloadFile({ client, path: { file_id: file.id } }).withResponse();
  assert.deepEqual([download.name, download.type, download.size], [name, file.content_type, file.size]);
  assert.ok(response.headers.get('ETag'));
  const got = createHash('sha256');
  for await (const piece of download.body) got.update(piece);
  assert.equal(got.digest('hex'), hash);
});
// bare-drops }

// bare-drops {
scenario('notifications', async (t) => {
  const streams: Request[] = [];
  let connected = (): void => undefined;
  const connection = new Promise<void>((resolve) => (connected = resolve));
  let meanwhile = async (): Promise<unknown> => undefined;
  let cut = fault('cut')['X-Fault'];
  const client = connect({
    ...(await register()),
    fetch: async (input, init) => {
      const request = new Request(input, init);
      if (!request.url.endsWith('/stream')) return fetch(request);
      streams.push(request);
      request.headers.set('X-Fault', cut); // the first time it counts
      if (streams.length === 2) await meanwhile();
      return fetch(request).finally(connected);
    },
  });
  const lines = [{ product_id: (await offer()).id, quantity: 1 }];
  const stop = new AbortController();
  t.after(() => stop.abort());
  const stream = notifications({ client, signal: stop.signal });
  const read = async (): Promise<Notification> => {
    const { value } = await stream.next();
    assert.ok(value);
    return value;
  };
  const first = read();
  await connection;
  const orders = [await createOrder({ client, body: { lines } })];
  const seen = [await first];
  // The stream has ended with its first event. What arises until it stands again is not lost.
  for (let i = 0; i < 3; i++) orders.push(await createOrder({ client, body: { lines } }));
  while (seen.length < 4) seen.push(await read());
  const at = seen[0]?.number ?? 0;
  assert.deepEqual(seen.map(({ number }) => number), [at, at + 1, at + 2, at + 3]);
  assert.deepEqual(seen.map(({ link }) => link), orders.map(({ id }) => `/api/v1/orders/${id}`));
  assert.deepEqual(streams.map(({ headers }) => headers.get('Last-Event-ID')), [null, String(at)]);

  const next = stream.next();
  stop.abort();
  assert.deepEqual(await next, { done: true, value: undefined });

  // One that is cut before its first event goes on from where it began.
  streams.length = 0;
  cut = fault('begun')['X-Fault'];
  meanwhile = () => createOrder({ client, body: { lines } });
  const other = notifications({ client });
  assert.equal((await other.next()).value?.number, at + 4);
  assert.deepEqual(streams.map(({ headers }) => headers.get('Last-Event-ID')), [null, String(at + 3)]);
  await other.return(undefined);
});
// bare-drops }

scenario('timeout and cancellation', async () => {
  const client = connect(user);
  await getMe({ client });
  let began = performance.now();
  const late = await failure(TimeoutError, getMe({ client, headers: fault('slow'), timeout: 300 }));
  assert.equal(late.timeout, 300);
  assert.ok(performance.now() - began < 10_000);

  const stop = new AbortController();
  const reason = new Error('not needed any more');
  began = performance.now();
  const slow = failure(CancelledError, getMe({ client, headers: fault('slow'), signal: stop.signal }));
  setTimeout(() => stop.abort(reason), 100);
  const cancelled = await slow;
  assert.equal(cancelled.reason, reason);
  assert.equal(cancelled.cause, reason);
  assert.ok(performance.now() - began < 10_000);

  // Neither is the wait before another attempt waited out, which is a second here.
  let answered = (): void => undefined;
  const answer = new Promise<void>((resolve) => (answered = resolve));
  const waiting = new AbortController();
  const other = connect({ fetch: (input, init) => fetch(input, init).finally(() => setTimeout(answered, 50)) });
  const call = failure(CancelledError, getHealth({ client: other, headers: fault('unavailable'), signal: waiting.signal }));
  await answer;
  began = performance.now();
  waiting.abort();
  await call;
  assert.ok(performance.now() - began < 700);
});

// bare-drops {
scenario('concurrent change', async () => {
  const client = connect(admin);
  const path = { product_id: (await offer()).id };
  const { response: former } = await getProduct({ client, path }).withResponse();
  const before = former.headers.get('ETag');
  assert.ok(before);
  const { response } = await updateProduct({ client, path, body: { price: 200 }, headers: { 'If-Match': before } }).withResponse();
  const error = await failure(ProblemError, updateProduct({ client, path, body: { price: 300 }, headers: { 'If-Match': before } }));
  assert.equal(error.code, 'precondition-failed');
  const present = response.headers.get('ETag');
  assert.ok(present && present !== before);
  assert.equal((await updateProduct({ client, path, body: { price: 300 }, headers: { 'If-Match': present } })).price, 300);
});
// bare-drops }

scenario('user agent', async (t) => {
  const seen: (string | undefined)[][] = [];
  const server = createServer((request, response) => {
    seen.push([request.headers['user-agent'], request.headers['x-tenant'] as string, request.headers['x-call'] as string | undefined]);
    const token = { access_token: 'a', refresh_token: 'r', token_type: 'bearer', expires_in: 900, scope: 'user' };
    response.setHeader('Content-Type', 'application/json').end(JSON.stringify(request.method === 'POST' ? token : {}));
  });
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const to = { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, headers: { 'X-Tenant': 'one' } };
  await getMe({ client: createAccord({ ...to, ...user }), headers: { 'X-Call': 'yes' } });
  await getHealth({ client: createAccord({ ...to, userAgent: 'shop/2.1' }) });
  assert.deepEqual(seen, [
    [`accord-ts/${version}`, 'one', undefined], // signing in
    [`accord-ts/${version}`, 'one', 'yes'],
    [`shop/2.1 accord-ts/${version}`, 'one', undefined],
  ]);
});
