// What cannot be asked of a server that is well: strange answers, and all rules of sending
// again. Here fetch answers by itself.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { AccordError, ConnectionError, NotModifiedError, ProblemError, type TokenStore, createAccord, getMe, memoryStore, updateMe } from '@accord-api/accord';
import { notifications } from '@accord-api/accord'; // bare-drops
import { createOrder, createProduct, downloadFile, getOrder, getProduct, listProducts, uploadFile } from './operations.js';

type Answer = () => Response | Promise<Response>;

const json = (body: unknown, headers: Record<string, string> = {}, status = 200): Answer => () =>
  new Response(status === 304 ? null : JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json', ...headers } });
const problem = (status: number, code: string, headers: Record<string, string> = {}): Answer =>
  json({ type: `/problems/${code}`, title: code, status, detail: 'No.', request_id: 'id' }, headers, status);
const lost: Answer = () => Promise.reject(new TypeError('fetch failed', { cause: new Error('the other side has gone') }));
/** What Node.js says of a name or a port that nobody has. */
const unreachable: Answer = () => Promise.reject(new TypeError('fetch failed', { cause: Object.assign(new Error('nobody is there'), { code: 'ECONNREFUSED', syscall: 'connect' }) }));
const token = json({ access_token: 'new', refresh_token: 'next', token_type: 'bearer', expires_in: 900, scope: 'user' });
const valid = { accessToken: 'old', refreshToken: 'r', expiresAt: Date.now() + 1e6 };

/** A client whose requests get these answers, one after the other, and what it asks. */
function answering(answers: Answer[], options: { store?: TokenStore; username?: string; password?: string; timeout?: number; warn?: (text: string) => void } = {}) {
  const asked: string[] = [];
  const requests: Request[] = [];
  const client = createAccord({
    baseUrl: 'http://api.test/',
    store: memoryStore(valid),
    timeout: Infinity, // so that no timer is set for it
    ...options,
    fetch: async (input) => {
      assert.ok(input instanceof Request);
      asked.push(`${input.method} ${input.url.slice('http://api.test'.length)}`);
      requests.push(input);
      const answer = answers[asked.length - 1];
      assert.ok(answer, `more is asked than expected: ${asked.join(', ')}`);
      return answer();
    },
  });
  return { client, asked, requests };
}

/** Lets no wait take time, and tells how long each would have been, in seconds. */
function waits(t: TestContext): number[] {
  const waited: number[] = [];
  const { setTimeout } = globalThis;
  t.mock.method(globalThis, 'setTimeout', (run: () => void, milliseconds = 0) => {
    waited.push(milliseconds / 1000);
    return setTimeout(run, 0);
  });
  return waited;
}

const order = { lines: [{ product_id: 'p', quantity: 1 }] };
const product = { sku: 's', name: 'n', description: '', price: 1, currency: 'EUR', stock: 1 };
const path = { product_id: 'p' };

test('what is safe is sent again, after half a second and one', async (t) => {
  for (const failing of [lost, problem(502, 'x'), problem(504, 'x'), problem(503, 'unavailable'), problem(429, 'too-many-requests')]) {
    for (const make of [getMe, (options: { client: ReturnType<typeof createAccord> }) => createOrder({ ...options, body: order })]) {
      const waited = waits(t);
      const { client, asked } = answering([failing, failing, json({})]);
      await make({ client });
      assert.equal(asked.length, 3);
      assert.equal(waited.length, 2);
      waited.forEach((seconds, i) => assert.ok(seconds < 0.5 * 2 ** i && seconds > 0.25 * 2 ** i, `${seconds} s`));
      t.mock.restoreAll();
    }
  }
});

test('it is sent again as often as asked for, and then the last error is thrown', async (t) => {
  waits(t);
  const { client, asked } = answering(Array(5).fill(problem(502, 'x')));
  await assert.rejects(getMe({ client, retries: 1 }), { name: 'ProblemError', status: 502 });
  assert.equal(asked.length, 2);
  await assert.rejects(getMe({ client }));
  assert.equal(asked.length, 5);
});

test('a write that may have been done is not sent again', async (t) => {
  const waited = waits(t);
  for (const [failing, error] of [[lost, { name: 'ConnectionError', unknownOutcome: true }], [problem(502, 'x'), { status: 502 }], [problem(504, 'x'), { status: 504 }]] as const) {
    for (const call of [createProduct, updateMe] as const) {
      const { client, asked } = answering([failing]);
      await assert.rejects(call({ client, body: product as never }), error);
      assert.equal(asked.length, 1);
    }
  }
  const { client, asked } = answering([problem(503, 'unavailable'), problem(429, 'too-many-requests'), json({})]);
  await updateMe({ client, body: { full_name: 'x' } });
  assert.equal(asked.length, 3);
  assert.equal(waited.length, 2);
});

test('whether a write may have been carried out is told truly, whether or not it may be sent again', async (t) => {
  waits(t);
  const unavailable = problem(503, 'unavailable');
  const buy = (options: { client: ReturnType<typeof createAccord> }) => createOrder({ ...options, body: order });
  const rename = (options: { client: ReturnType<typeof createAccord> }) => updateMe({ ...options, body: { full_name: 'x' } });
  for (const [call, unknownOutcome, ...meets] of [
    [buy, true, lost, lost, lost],
    [buy, false, unreachable, unreachable, unreachable],
    [buy, true, lost, unavailable, unreachable],
    [buy, true, problem(504, 'x'), unreachable, unreachable],
    [rename, true, lost],
    [getMe, false, lost, lost, lost],
    [getMe, false, problem(504, 'x'), lost, lost],
    [rename, false, unreachable, unreachable, unreachable],
    [rename, false, unavailable, problem(429, 'too-many-requests'), unreachable],
  ] as const) {
    const { client, asked } = answering([...meets]);
    const error: unknown = await call({ client }).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof ConnectionError);
    assert.equal(error.unknownOutcome, unknownOutcome);
    assert.equal(/may have been carried out/.test(error.message), unknownOutcome, error.message);
    assert.equal(asked.length, meets.length);
  }

  // What was not sent for want of a connection is sent when there is one.
  const { client, asked } = answering([unreachable, unreachable, json({})]);
  await rename({ client });
  assert.equal(asked.length, 3);

  // Of a sign-in that is lost the call itself knows that it was not sent.
  const signingIn = answering([lost], { store: memoryStore(), username: 'ada', password: 'secret' });
  await assert.rejects(rename(signingIn), { name: 'ConnectionError', unknownOutcome: false });
});

test('a server that is not there has not carried out anything', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  for (const host of ['127.0.0.1', 'localhost', 'nobody.invalid']) {
    const client = createAccord({ baseUrl: `http://${host}:${port}`, store: memoryStore(valid), retries: 0 });
    await assert.rejects(updateMe({ client, body: { full_name: 'x' } }), { name: 'ConnectionError', unknownOutcome: false }, host);
  }
});

test('Retry-After counts up to a minute, also as a date', async (t) => {
  const waited = waits(t);
  const { client } = answering([problem(429, 'x', { 'Retry-After': '60' }), problem(503, 'x', { 'Retry-After': new Date(Date.now() + 30_000).toUTCString() }), json({})]);
  await updateMe({ client, body: { full_name: 'x' } });
  assert.equal(waited[0], 60);
  assert.ok(waited[1] && waited[1] > 28 && waited[1] <= 30, String(waited[1]));
  const long = answering([problem(429, 'too-many-requests', { 'Retry-After': '61' })]);
  await assert.rejects(getMe({ client: long.client }), { code: 'too-many-requests', retryAfter: 61 });
});

test('an answer that breaks off is a lost connection', async (t) => {
  waits(t);
  const broken: Answer = () => new Response(new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('{"username": "a'));
      controller.error(new TypeError('terminated'));
    },
  }));
  const { client, asked } = answering([broken, json({ username: 'ada' })]);
  assert.equal((await getMe({ client })).username, 'ada');
  assert.equal(asked.length, 2);
  const { body } = await downloadFile({ client: answering([broken]).client, path: { file_id: 'f' } });
  await assert.rejects(new Response(body).text(), ConnectionError);
});

test('the timeout of a file is over when it has begun', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let source: ReadableStreamDefaultController | undefined;
  const slow: Answer = () => new Response(new ReadableStream({ start: (controller) => void (source = controller) }));
  const { client, requests } = answering([slow], { timeout: 1000 });
  const { body } = await downloadFile({ client, path: { file_id: 'f' } });
  t.mock.timers.tick(5000);
  assert.equal(requests[0]?.signal.aborted, false);
  source?.enqueue(new TextEncoder().encode('hi'));
  source?.close();
  assert.equal(await new Response(body).text(), 'hi');
});

test('an answer that stops is too late, unless it is a file', async (t) => {
  const server = createServer((_, response) => void response.writeHead(200, { 'Content-Type': 'application/json' }).write('{"username": "a'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  t.after(() => server.closeAllConnections());
  const client = createAccord({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, store: memoryStore(valid), timeout: 200 });
  await assert.rejects(getMe({ client }), { name: 'TimeoutError', timeout: 200, unknownOutcome: false });
  const { body } = await downloadFile({ client, path: { file_id: 'f' } });
  const reader = body.getReader();
  await reader.read();
  assert.equal(await Promise.race([reader.read(), new Promise((resolve) => setTimeout(resolve, 400, 'nothing yet'))]), 'nothing yet');
  await reader.cancel();
});

test('a stream is sent once, with a token that has not expired', async (t) => {
  waits(t);
  async function* data() {
    yield new Uint8Array([104, 105]);
  }
  const upload = () => ({ file: { data: data(), name: 'a"b.txt', type: 'text/plain' } });
  const { client, asked, requests } = answering([token, problem(503, 'unavailable')], { store: memoryStore({ ...valid, expiresAt: Date.now() - 1 }) });
  await assert.rejects(uploadFile({ client, body: upload() }), { code: 'unavailable' });
  assert.deepEqual(asked, ['POST /api/v1/auth/refresh', 'POST /api/v1/files']);
  assert.equal(requests[1]?.headers.get('Authorization'), 'Bearer new');
  assert.match((await requests[1]?.text()) ?? '', /^--(\S+)\r\nContent-Disposition: form-data; name="file"; filename="a%22b.txt"\r\nContent-Type: text\/plain\r\n\r\nhi\r\n--\1--\r\n$/);

  const refused = answering([problem(401, 'unauthenticated'), token]);
  await assert.rejects(uploadFile({ client: refused.client, body: upload() }), { code: 'unauthenticated' });
  assert.equal(refused.asked.length, 2, 'the next call has a new token');

  const again = answering([problem(503, 'unavailable'), json({})]);
  await uploadFile({ client: again.client, body: { file: { data: new Blob(['hi']), name: 'a.txt' } } });
  assert.ok((await again.requests[1]?.text())?.includes('filename="a.txt"'), 'a Blob is sent again');
});

test('files go up and come down no faster than they are taken', async (t) => {
  const piece = 65_536;
  let [made, got, most] = [0, 0, 0];
  const server = createServer((request, response) => {
    request.on('data', (bytes: Buffer) => {
      got += bytes.length;
      most = Math.max(most, made - got);
      request.pause();
      void setImmediate().then(() => request.resume());
    });
    request.on('end', () => response.setHeader('Content-Type', 'application/json').end('{}'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  async function* data() {
    for (; made < 1000 * piece; made += piece) yield new Uint8Array(piece);
  }
  const client = createAccord({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, store: memoryStore(valid) });
  await uploadFile({ client, body: { file: { data: data(), name: 'a' } } });
  assert.ok(got > 1000 * piece);
  assert.ok(most < 200 * piece, `${most} bytes were read and not taken`); // what is in the system's buffers

  let pulled = 0;
  const down: Answer = () => new Response(new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(++pulled)) }, { highWaterMark: 0 }));
  const { body } = await downloadFile({ client: answering([down]).client, path: { file_id: 'f' } });
  const reader = body.getReader();
  assert.equal(pulled, 0);
  await reader.read();
  await setImmediate();
  assert.equal(pulled, 1);
  await reader.cancel();
});

test('an upload whose source fails says so, and is no lost connection', async () => {
  const broken = new Error('the disk is gone');
  async function* data(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(10);
    throw broken;
  }
  const reading: Answer = async () => {
    await requests[0]?.text().catch((error: unknown) => Promise.reject(new TypeError('fetch failed', { cause: error })));
    return new Response();
  };
  const { client, requests } = answering([reading]);
  await assert.rejects(uploadFile({ client, body: { file: { data: data(), name: 'a' } } }), (error) => error === broken);
});

test('a session that has ended leaves an empty store, or is begun anew with the password', async () => {
  const store = memoryStore(valid);
  const ended = answering([problem(401, 'unauthenticated'), problem(400, 'invalid-grant')], { store });
  await assert.rejects(getMe({ client: ended.client }), { code: 'unauthenticated' });
  assert.equal(await store.load(), undefined);

  const { client, asked, requests } = answering([problem(401, 'unauthenticated'), problem(400, 'invalid-grant'), token, json({})], { username: 'ada', password: 'secret' });
  await getMe({ client });
  assert.equal(asked[2], 'POST /api/v1/auth/login');
  assert.equal(await requests[2]?.text(), 'username=ada&password=secret');
  assert.equal(requests[3]?.headers.get('Authorization'), 'Bearer new');

  // So it is once it has been used, but not after one has signed out.
  const who = { username: 'ada', password: 'secret' };
  const used = answering([token, json({}), problem(401, 'unauthenticated'), problem(400, 'invalid-grant'), token, json({})], { store: memoryStore(), ...who });
  await getMe({ client: used.client });
  await getMe({ client: used.client });
  assert.equal(used.asked[4], 'POST /api/v1/auth/login');
  const left = answering([problem(401, 'unauthenticated')], { store: memoryStore(), ...who });
  await left.client.signOut();
  await assert.rejects(getMe({ client: left.client }), { code: 'unauthenticated' });
  assert.deepEqual(left.asked, ['GET /api/v1/users/me']);

  // A 401 that does not mean the token is no reason to refresh it.
  await assert.rejects(getMe({ client: answering([problem(401, 'invalid-credentials')]).client }), { code: 'invalid-credentials' });
  // Nor does a refresh without an answer end the session.
  const kept = memoryStore(valid);
  await assert.rejects(getMe({ client: answering([problem(401, 'unauthenticated'), lost], { store: kept }).client }), ConnectionError);
  assert.equal(await kept.load(), valid);
});

test('a call whose token is refused after the refresh takes the new one', async () => {
  let refuse = (): void => undefined;
  const late: Answer = async () => {
    await new Promise<void>((resolve) => (refuse = resolve));
    return problem(401, 'unauthenticated')();
  };
  const { client, asked, requests } = answering([problem(401, 'unauthenticated'), late, token, json({}), json({})]);
  const calls = [getMe({ client }), getMe({ client })] as const;
  await calls[0];
  refuse();
  await calls[1];
  assert.equal(asked.filter((what) => what === 'POST /api/v1/auth/refresh').length, 1);
  assert.equal(requests[4]?.headers.get('Authorization'), 'Bearer new');
});

test('nothing is sent for a call that is cancelled already', async () => {
  const { client, asked } = answering([]);
  await assert.rejects(getMe({ client, signal: AbortSignal.abort('no') }), { name: 'CancelledError', reason: 'no' });
  const stop = new AbortController();
  const store = {
    ...memoryStore(),
    async load() {
      stop.abort('late');
      return valid;
    },
  };
  const loading = answering([], { store });
  await assert.rejects(getMe({ client: loading.client, signal: stop.signal }), { name: 'CancelledError', reason: 'late' });
  assert.deepEqual([...asked, ...loading.asked], []);
});

test('a cancelled call ends at once, though it is signing in or refreshing, and the tokens are saved', async () => {
  for (const tokens of [undefined, valid]) {
    let answer = (): void => undefined;
    let asking = (): void => undefined;
    const asked = new Promise<void>((resolve) => (asking = resolve));
    const slow: Answer = async () => {
      asking();
      await new Promise<void>((resolve) => (answer = resolve));
      return token();
    };
    const store = memoryStore(tokens);
    const { client } = answering([...(tokens ? [problem(401, 'unauthenticated')] : []), slow, json({}), json({})], { store, username: 'ada', password: 'secret' });
    const stop = new AbortController();
    const cancelled = getMe({ client, signal: stop.signal });
    await asked;
    stop.abort('gone');
    await assert.rejects(cancelled, { name: 'CancelledError', reason: 'gone' });
    answer();
    while ((await store.load())?.refreshToken !== 'next') await setImmediate();
  }
});

test('a failed sign-in is tried again by the next call', async (t) => {
  waits(t);
  const { client, asked } = answering([problem(401, 'invalid-credentials'), token, json({})], { store: memoryStore(), username: 'ada', password: 'secret' });
  const failed = await Promise.allSettled([getMe({ client }), getMe({ client })]);
  assert.deepEqual(failed.map(({ status }) => status), ['rejected', 'rejected']);
  await getMe({ client });
  assert.deepEqual(asked, ['POST /api/v1/auth/login', 'POST /api/v1/auth/login', 'GET /api/v1/users/me']);
});

test('answers that are no problems of the contract', async () => {
  const page = () => new Response('<html>', { status: 403, statusText: 'Forbidden', headers: { 'X-Request-Id': 'r' } });
  await assert.rejects(getMe({ client: answering([page]).client }), { name: 'ProblemError', code: 'unknown', status: 403, title: 'Forbidden', requestId: 'r', errors: [] });
  await assert.rejects(getMe({ client: answering([() => new Response('<html>')]).client }), { name: 'ProblemError', code: 'unknown', status: 200, detail: /not JSON/ });
  await assert.rejects(getMe({ client: answering([problem(409, 'brand-new')]).client }), { code: 'unknown', type: '/problems/brand-new' });
  await assert.rejects(getProduct({ client: answering([json(null, { ETag: '"1"' }, 304)]).client, path, headers: { 'If-None-Match': '"1"' } }), NotModifiedError);
  const error: unknown = await getMe({ client: answering([page]).client }).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof ProblemError && error instanceof AccordError);
});

test('a failure is heard of once, however one asks', async () => {
  const refused = () => ({ client: answering([problem(403, 'forbidden')]).client });
  await assert.rejects(getMe(refused()).withResponse(), { code: 'forbidden' });
  await assert.rejects(async () => {
    for await (const { id } of listProducts(refused())) assert.fail(id);
  }, { code: 'forbidden' });
  await setImmediate(); // what nobody has heard of would fail this test by now
});

test('a deprecated operation warns once, with the day of its end', async () => {
  const warned: string[] = [];
  const headers = { Deprecation: '@1767225600', Sunset: 'Fri, 01 Jan 2027 00:00:00 GMT' };
  const { client } = answering([json({}, headers), json({}, headers), json({}, { Deprecation: '@1767225600' }), json({}), json({})], { warn: (text) => warned.push(text) });
  await getMe({ client });
  await getMe({ client });
  await getOrder({ client, path: { order_id: 'o' } });
  await getProduct({ client, path });
  await client.call({ method: 'GET', path: '/old', answer: 'json', deprecated: true, sunset: '2027-02-01' }, { client });
  assert.deepEqual(warned, [
    'Accord: GET /api/v1/users/me is deprecated, and ends on 2027-01-01.',
    'Accord: GET /api/v1/orders/{order_id} is deprecated, and may end.',
    'Accord: GET /old is deprecated, and ends on 2027-02-01.',
  ]);
});

test('parameters are written so that they stay what they are', async () => {
  const { client, asked } = answering([json({}), json({ items: [], next_cursor: null })]);
  await getOrder({ client, path: { order_id: '../a b?c' } });
  await listProducts({ client, query: { q: 'a&b', in_stock: false, limit: 0 } });
  assert.deepEqual(asked, ['GET /api/v1/orders/..%2Fa%20b%3Fc', 'GET /api/v1/products?q=a%26b&in_stock=false&limit=0']);
  for (const order_id of ['', '.', '..']) await assert.rejects(getOrder({ client, path: { order_id } }), TypeError);
});

test('the name of a download', async () => {
  const names: [string, string | undefined][] = [
    [`attachment; filename="plain.txt"`, 'plain.txt'],
    [`attachment; filename=token.txt`, 'token.txt'],
    [`attachment; filename="a\\"b; filename=no.txt"`, 'a"b; filename=no.txt'],
    [`attachment; filename="x.txt"; filename*=UTF-8''%C3%BCber.txt`, 'über.txt'],
    [`attachment`, undefined],
  ];
  for (const [disposition, name] of names) {
    const answer = () => new Response('hi', { headers: { 'Content-Disposition': disposition, 'Content-Type': 'application/json' } });
    const file = await downloadFile({ client: answering([answer]).client, path: { file_id: 'f' } });
    assert.deepEqual([file.name, file.type, await new Response(file.body).text()], [name, 'application/json', 'hi']);
  }
});

// bare-drops {
/** A stream that ends as many bytes at a time as one says. */
const stream = (text: string, at = 1000): Answer => () => {
  const bytes = new TextEncoder().encode(text);
  return new Response(new ReadableStream({
    start(controller) {
      for (let i = 0; i < bytes.length; i += at) controller.enqueue(bytes.slice(i, i + at));
      controller.close();
    },
  }), { headers: { 'Content-Type': 'text/event-stream' } });
};

test('events are read as the HTML standard has them, however they are cut', async (t) => {
  waits(t);
  const events = (end: string) => ['\uFEFF:', '', 'event: notification', 'id: 7', 'data: {"number": 7,', 'data:"title": "ü"}', '', 'data', '',
    'event:notification', ': comment', 'id:8', 'unknown: x', 'data: {"number": 8}', '', 'id: 6\0', 'event: other', 'data: {', '', 'id: 9', 'event: notification', 'data: {"number": 9}'].join(end);
  for (const end of ['\n', '\r\n', '\r']) {
    for (const at of [1, 2, 3, 1000]) {
      const { client, requests } = answering([stream(events(end), at), stream('event: other\ndata: x\n\n'), problem(401, 'unauthenticated'), problem(400, 'invalid-grant')]);
      const seen: unknown[] = [];
      await assert.rejects(async () => {
        for await (const { number, title } of notifications({ client, after: 6 })) seen.push([number, title]);
      }, { code: 'unauthenticated' });
      // The last one is not complete, and comes when it is asked for again.
      assert.deepEqual(seen, [[7, 'ü'], [8, undefined]], `${JSON.stringify(end)}, ${at} bytes at a time`);
      assert.deepEqual(requests.slice(0, 3).map(({ headers }) => headers.get('Last-Event-ID')), ['6', '8', '8']);
    }
  }
});

test('a stream connects again later each time, and goes on from where it began', async (t) => {
  const waited = waits(t);
  const event = stream('retry: 4000\nid: 12\nevent: notification\ndata: {"number": 12}\n\n');
  const down = problem(500, 'internal');
  const { client, asked, requests } = answering([stream('id: 11\n\n'), down, down, event, ...Array<Answer>(4).fill(down), problem(403, 'forbidden')]);
  await assert.rejects(async () => {
    for await (const { number } of notifications({ client })) assert.equal(number, 12);
  }, { code: 'forbidden' });
  assert.equal(asked[0], 'GET /api/v1/notifications/stream');
  assert.deepEqual([0, 1, 3, 4].map((i) => requests[i]?.headers.get('Last-Event-ID')), [null, '11', '11', '12']);
  const pauses = waited.filter((seconds) => seconds !== 60); // the others end what is quiet
  const most = [1, 2, 4, 4, 8, 16, 30, 30];
  assert.equal(pauses.length, most.length);
  pauses.forEach((seconds, i) => assert.ok(seconds < (most[i] ?? 0) && seconds > (most[i] ?? 0) / 2, `pause ${i} is ${seconds} s`));
});

test('a stream that has worked for a while connects again soon', async (t) => {
  const waited = waits(t);
  let now = Date.now();
  t.mock.method(Date, 'now', () => now);
  const long: Answer = () => {
    now += 40_000;
    return stream(':\n\n')();
  };
  const { client } = answering([long, long, long, problem(403, 'forbidden')], { store: memoryStore({ ...valid, expiresAt: Infinity }) });
  await assert.rejects(notifications({ client, after: 0 }).next(), { code: 'forbidden' });
  const pauses = waited.filter((seconds) => seconds !== 60);
  assert.equal(pauses.length, 3);
  assert.ok(pauses.every((seconds) => seconds < 1), pauses.join());
});

test('what a stream meets first is thrown, and a stream that says nothing is given up', async (t) => {
  for (const code of ['forbidden', 'internal']) {
    const { client } = answering([problem(code === 'internal' ? 500 : 403, code)]);
    await assert.rejects(notifications({ client, after: 0 }).next(), { code });
  }

  t.mock.timers.enable({ apis: ['setTimeout'] });
  let cancelled = false;
  let asked: () => void = () => undefined;
  const reading = new Promise<void>((resolve) => (asked = resolve));
  const silent: Answer = () => new Response(new ReadableStream({ pull: () => asked(), cancel: () => void (cancelled = true) }, { highWaterMark: 0 }));
  const { client } = answering([silent, stream('event: notification\ndata: {"number": 1}\n\n')]);
  const next = notifications({ client, after: 0 }).next();
  await reading;
  const ticking = setInterval(() => t.mock.timers.tick(30_000), 5);
  const { value } = await next;
  clearInterval(ticking);
  assert.equal(value?.number, 1);
  assert.ok(cancelled);
});

test('an aborted signal ends the loop, whatever has come already', async () => {
  const stop = new AbortController();
  const seen: number[] = [];
  const { client } = answering([stream([1, 2, 3].map((number) => `event: notification\ndata: {"number": ${number}}\n\n`).join(''))]);
  for await (const { number } of notifications({ client, after: 0, signal: stop.signal })) {
    seen.push(number);
    stop.abort();
  }
  assert.deepEqual(seen, [1]);
});

test('leaving the loop ends the connection', async () => {
  let cancelled = false;
  const open: Answer = () => new Response(new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode('event: notification\ndata: {"number": 1}\n\n')),
    cancel: () => void (cancelled = true),
  }));
  for await (const { number } of notifications({ client: answering([open]).client, after: 0 })) {
    assert.equal(number, 1);
    break;
  }
  assert.ok(cancelled);
});
// bare-drops }
