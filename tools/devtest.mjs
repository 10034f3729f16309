// Works with make dev as a developer does, on a copy of the tree whose files it may
// change: a change of the code is served, a fault of the contract is shown while the
// API goes on, and mending it goes back; who is signed in stays so.
//
//   node devtest.mjs FOLDER PORT
//
// Prints what each took. A change is wanted to be served within 5 s; only what takes
// longer than three minutes fails.
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const [folder, port] = process.argv.slice(2);
if (!port) {
  console.error('usage: node devtest.mjs FOLDER PORT');
  process.exit(2);
}
const base = `http://127.0.0.1:${port}`;
const bound = 180_000; // for what is saved to be served or refused, however busy the machine is
const firstBound = 300_000; // for the first build, which may be a cold one
const wanted = 5_000;

let said = '';
const dev = spawn('make', ['--no-print-directory', 'dev'], {
  cwd: folder,
  env: { ...process.env, HOST: '127.0.0.1', PORT: port, ADMIN_PORT: '0', LOG_LEVEL: 'error' },
  stdio: ['ignore', 'pipe', 'pipe'],
  detached: true, // as in a terminal: Ctrl-C is for all that it has started
});
for (const out of [dev.stdout, dev.stderr]) out.on('data', (text) => { said += text; });
const ended = new Promise((resolve) => { dev.on('exit', resolve); });

try {
  await eventually('the first server', () => said.includes('Watching.'), firstBound);
  const token = await signIn();
  if (await me(token) !== 200) throw new Error('the token that was given a moment ago does not work');

  // A change of a Go file.
  const mark = `is at ${Date.now()}`;
  edit('server/start.go', '"REDIS_URL is not set', `"${mark}; REDIS_URL is not set`);
  const served = await eventually('the change of a Go file', async () => (await page('/dev/health')).text.includes(mark), bound);
  console.log(`A change of a Go file was served after ${(served / 1000).toFixed(1)} s${served > wanted ? ', and 5 s are wanted' : ''}.`);

  // The contract, a query, and a text that is built in.
  const changes = [
    ['the contract', 'openapi.yaml', 'description: All is well.', 'description: All is very well.'],
    ['a query', 'queries/users.sql', 'ORDER BY id', 'ORDER  BY id'],
    ['the text of a mail', 'mail/texts/welcome.txt', 'Welcome', 'Very welcome'],
  ];
  for (const [what, name, from, to] of changes) {
    const before = count('Served anew');
    edit(name, from, to);
    const took = await eventually(`the change of ${what}`, () => count('Served anew') > before, bound);
    console.log(`A change of ${what} was served after ${(took / 1000).toFixed(1)} s.`);
  }
  if (!(await page('/api/openapi.json')).text.includes('All is very well.')) throw new Error('the document is not the one that was saved');

  // A fault of the contract.
  const whole = edit('openapi.yaml', "$ref: '#/components/responses/Healthy'", "$ref: '#/components/responses/Nowhere'");
  const line = whole.slice(0, whole.indexOf("$ref: '#/components/responses/Healthy'")).split('\n').length;
  const fault = new RegExp(`openapi\\.yaml:${line}\\b`);
  const shown = await eventually('the fault of the contract in the browser', async () => {
    const { status, text } = await page('/api/docs');
    return status === 500 && fault.test(text) && text.includes('Nowhere');
  }, bound);
  if (!fault.test(said)) throw new Error('the fault is in the browser, and not in the terminal');
  if (await me(token) !== 200) throw new Error('the API does not answer while the contract has a fault');
  console.log(`A fault of the contract was in the terminal and at /api/docs, with file and line, after ${(shown / 1000).toFixed(1)} s; the API went on.`);

  // Mended.
  writeFileSync(join(folder, 'openapi.yaml'), whole);
  const mended = await eventually('the page after the contract was mended', async () => (await page('/api/docs')).status === 200, bound);
  if (await me(token) !== 200) throw new Error('a token from before the change does not work any more');
  console.log(`Mended, it was served after ${(mended / 1000).toFixed(1)} s; who was signed in still is.`);
} catch (error) {
  console.error(`make dev FAILED: ${error.message}. It said:\n${said}`);
  process.exitCode = 1;
} finally {
  process.kill(-dev.pid, 'SIGINT');
  const status = await Promise.race([ended, sleep(30_000, 'late', { ref: false })]);
  if (status === 'late') {
    console.error('make dev does not end.');
    process.kill(-dev.pid, 'SIGKILL');
    process.exitCode = 1;
  }
}

function count(text) {
  return said.split(text).length - 1;
}

// edit replaces the first of a text in a file, and gives what the file held.
function edit(name, from, to) {
  const path = join(folder, name);
  const before = readFileSync(path, 'utf8');
  if (!before.includes(from)) throw new Error(`${name} has no ${from}`);
  writeFileSync(path, before.replace(from, to));
  return before;
}

// eventually waits until something holds, and gives the milliseconds that it took.
async function eventually(what, holds, limit) {
  const began = Date.now();
  while (!await holds()) {
    if (dev.exitCode !== null) throw new Error('it has ended');
    if (Date.now() - began > limit) throw new Error(`${what} did not come within ${limit / 1000} s`);
    await sleep(50);
  }
  return Date.now() - began;
}

async function page(path) {
  const answer = await fetch(base + path, { headers: { Accept: 'text/html' } });
  return { status: answer.status, text: await answer.text() };
}

async function signIn() {
  const form = new URLSearchParams({ username: 'user', password: 'User-demo-1' });
  const answer = await fetch(`${base}/api/v1/auth/login`, { method: 'POST', body: form });
  return (await answer.json()).access_token;
}

async function me(token) {
  return (await fetch(`${base}/api/v1/users/me`, { headers: { Authorization: `Bearer ${token}` } })).status;
}
