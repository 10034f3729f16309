// Asks a running server everything that its contract lets be read, as each of
// its demo accounts, and then writes a little of everything. // bare-drops
// bare-has: // its demo accounts.
//
//   node walk.mjs BASE_URL   ("username password" on each line of stdin)
//
// What to ask comes from /api/openapi.json, and what to fill into a path from
// the lists that were read before it. An account that a list shows nothing to
// cannot go on to what is in it; one of them has to: where a list is empty for all of
// them, one makes what the example of its POST says. Fails unless every GET
// answers 200, with something in it for one of the accounts.
import { createHash, randomBytes, randomUUID } from 'node:crypto'; // bare-drops
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const base = process.argv[2];
if (!base) {
  console.error('usage: node walk.mjs BASE_URL <accounts');
  process.exit(2);
}
const patience = 30_000; // milliseconds, for one answer or for a job
const streamed = 1_000; // for a stream that has nothing to tell
const candidates = 10; // how many of a list are looked into until there is something

const contract = await (await ask('GET', '/api/openapi.json')).json();
const accounts = [];
for (const line of readFileSync(0, 'utf8').trim().split('\n')) accounts.push(await signIn(...line.split(' ')));

const faults = [];
const reads = Object.entries(contract.paths).filter(([, item]) => item.get).sort(([a], [b]) => depth(a) - depth(b));
for (const [path, item] of reads) await read(path, item.get).catch((error) => faults.push(`GET ${path}: ${error.message}`));
console.log(`${reads.length} operations were read.`);
await write(accounts[0]).catch((error) => faults.push(error.message)); // bare-drops
for (const fault of faults) console.error(`FAILED: ${fault}`);
process.exitCode = faults.length ? 1 : 0;

// depth puts lists before what is in them.
function depth(path) {
  return path.split('{').length;
}

function resolve(part) {
  return part.$ref ? part.$ref.slice(2).split('/').reduce((at, name) => at[name], contract) : part;
}

function demand(holds, message) {
  if (!holds) throw new Error(message);
}

// ask sends a request and wants a status.
async function ask(method, path, { as, want = 200, headers = {}, json, body = json && JSON.stringify(json), signal } = {}) {
  const answer = await fetch(base + path, {
    method, body, signal: signal ?? AbortSignal.timeout(patience),
    headers: { ...(as && { Authorization: `Bearer ${as.token}` }), ...(json && { 'Content-Type': 'application/json' }), ...headers },
  });
  demand(answer.status === want, `${method} ${path} as ${as?.username ?? 'nobody'}: ${answer.status} instead of ${want}${signal ? '' : `: ${await answer.clone().text()}`}`);
  return answer;
}

async function signIn(username, password) {
  const token = await (await ask('POST', '/api/v1/auth/login', { body: new URLSearchParams({ grant_type: 'password', username, password }) })).json();
  const account = { username, token: token.access_token, seen: new Map() };
  account.role = (await (await ask('GET', '/api/v1/users/me', { as: account })).json()).role;
  return account;
}

// read asks for one path as everybody who may, in each form that it comes in.
async function read(path, operation) {
  const security = operation.security ?? contract.security;
  const roles = security.flatMap((one) => Object.values(one).flat());
  const may = security.length ? accounts.filter((a) => !roles.length || roles.includes(a.role)) : [{ username: 'nobody', seen: accounts[0].seen }];
  for (const type of Object.keys(resolve(operation.responses['200']).content)) {
    const readAll = async () => {
      const shown = [];
      for (const as of may) shown.push(await readAs(as, path, type));
      return shown;
    };
    let shown = await readAll();
    if (!shown.includes('reads it') && await make(may[0], path)) shown = await readAll();
    console.log(`GET ${path} (${type}): ${may.map((a, i) => `${a.username} ${shown[i]}`).join(', ')}`);
    demand(shown.includes('reads it'), 'nobody is shown anything');
  }
}

// make does what the example of a list's POST says, if it has any.
async function make(as, path) {
  const post = contract.paths[path].post;
  const example = post?.requestBody?.content['application/json']?.example;
  if (!example) return false;
  const want = Number(Object.keys(post.responses).find((status) => status.startsWith('2')));
  await ask('POST', path, { as, want, json: example });
  return true;
}

async function readAs(as, path, type) {
  let shown = 'has none of it';
  for (const filled of fill(as, path)) {
    shown = 'finds it empty';
    const answer = type === 'text/event-stream' ? await listen(as, filled) : await load(as, filled, type);
    if (keep(as, filled, answer)) return 'reads it';
  }
  return shown;
}

// fill gives the path with what the account has seen in the lists.
function fill(as, path) {
  const [list, parameter, rest] = path.split(/\/\{(\w+)\}/);
  if (!parameter) return [path];
  const found = as.seen.get(list) ?? [];
  return found.slice(0, candidates).map((one) => `${list}/${one[parameter] ?? one.id}${rest}`);
}

async function load(as, path, type) {
  const answer = await ask('GET', path, { as: as.token && as, headers: { Accept: type } });
  const got = answer.headers.get('Content-Type');
  demand(type === '*/*' || got.split(';')[0] === type, `it comes as ${got}`);
  if (type === 'application/json') return answer.json();
  const text = await answer.text();
  return type === 'text/csv' ? text.slice(text.indexOf('\n')) : text; // the names of the columns are nothing yet
}

// listen breaks a stream off after its first bytes, or when there are none.
async function listen(as, path, headers = {}) {
  const stop = new AbortController();
  const answer = await ask('GET', path, { as, headers: { Accept: 'text/event-stream', ...headers }, signal: stop.signal });
  demand(answer.headers.get('Content-Type').startsWith('text/event-stream'), 'it is no stream');
  const chunk = answer.body.getReader().read().then(({ value }) => Buffer.from(value).toString());
  const first = await Promise.race([chunk, sleep(streamed, 'nothing, for now')]);
  chunk.catch(() => {}); // of the abort
  stop.abort();
  return first;
}

// keep tells whether an answer shows anything, and keeps what a list shows. The
// one that is /me is of a list, too.
function keep(as, path, answer) {
  if (typeof answer === 'string') return answer.trim() !== '';
  const list = Array.isArray(answer.items);
  if (list) as.seen.set(path, answer.items);
  else if (path.endsWith('/me')) as.seen.set(path.slice(0, -3), [answer]);
  return (list ? answer.items : Object.keys(answer)).length > 0;
}

// bare-drops {
// write orders, uploads, and has a report made, and looks whether it is kept.
async function write(as) {
  const order = await placeOrder(as);
  await uploadFile(as);
  demand((await makeReport(as)).includes(order.id), 'the report lacks the order');
  const cancelled = await (await ask('POST', `/api/v1/orders/${order.id}/cancel`, { as })).json();
  demand(cancelled.status === 'cancelled', `the cancelled order is ${cancelled.status}`);
  console.log('An order was placed, replayed, reported and cancelled, a file uploaded.');
}

async function placeOrder(as) {
  const [product] = (await (await ask('GET', '/api/v1/products?in_stock=true&limit=1')).json()).items;
  const request = {
    as, want: 201, headers: { 'Idempotency-Key': randomUUID() }, json: { lines: [{ product_id: product.id, quantity: 1 }] },
  };
  const first = await ask('POST', '/api/v1/orders', request);
  const again = await ask('POST', '/api/v1/orders', request);
  demand(!first.headers.has('Idempotency-Replayed') && again.headers.get('Idempotency-Replayed') === 'true', 'the second order is no replay');
  const order = await first.json();
  demand((await again.json()).id === order.id, 'there are two orders');
  return order;
}

async function uploadFile(as) {
  const content = randomBytes(100_000), body = new FormData();
  body.append('file', new Blob([content]), 'noise.bin');
  const made = await ask('POST', '/api/v1/files', { as, want: 201, body });
  const { sha256 } = await made.json();
  const back = Buffer.from(await (await ask('GET', made.headers.get('Location'), { as })).arrayBuffer());
  demand(back.equals(content) && sha256 === createHash('sha256').update(content).digest('hex'), 'the file comes back as another');
}

// makeReport waits for a report of one's orders, and gives its text.
async function makeReport(as) {
  const made = await ask('POST', '/api/v1/reports/generate', { as, want: 202, json: { kind: 'orders', format: 'csv', days: 1 } });
  for (const until = Date.now() + patience; Date.now() < until; await sleep(200)) {
    const report = await (await ask('GET', made.headers.get('Location'), { as })).json();
    demand(['queued', 'running', 'succeeded'].includes(report.status), `the report has ${report.status}`);
    if (report.file_id) return (await ask('GET', `/api/v1/files/${report.file_id}`, { as })).text();
  }
  throw new Error('the report is not made');
}
// bare-drops }
