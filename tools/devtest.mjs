// Works with make dev as a developer does, on a copy of the tree whose files it may
// change: a change of the code is served, a fault of the contract is shown while the
// API goes on, and mending it goes back; who is signed in stays so.
//
//   node devtest.mjs FOLDER PORT
//
// A change is wanted to be served within 5 s; its last line says what each took, and
// whether it kept them. That depends on the machine and on what else it does, so what
// fails is a time that is too many times that of a plain build, measured in the same run.
import { spawn, spawnSync } from 'node:child_process';
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

// How many plain builds of the generator each may take: at least twice as many as it took
// on a busy machine.
const allowed = {
  'a Go file': 4, 'the contract': 7, 'a query': 7, 'the text of a mail': 5, 'a fault of the contract': 2, 'its mending': 3,
};
const times = {}; // milliseconds

// The first time, it builds sqlc and what the generator imports.
if (spawnSync('make', ['--no-print-directory', 'gen'], { cwd: folder, stdio: 'inherit' }).status !== 0) throw new Error('make gen fails');
const before = plainBuild();

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
  times['a Go file'] = await eventually('the change of a Go file', async () => (await page('/dev/health')).text.includes(mark), bound);

  // The contract, a query, and a text that is built in.
  const changes = [
    ['the contract', 'openapi.yaml', 'description: All is well.', 'description: All is very well.'],
    ['a query', 'queries/users.sql', 'ORDER BY id', 'ORDER  BY id'],
    ['the text of a mail', 'mail/texts/welcome.txt', 'Welcome', 'Very welcome'],
  ];
  for (const [what, name, from, to] of changes) {
    const servedBefore = count('Served anew');
    edit(name, from, to);
    times[what] = await eventually(`the change of ${what}`, () => count('Served anew') > servedBefore, bound);
  }
  if (!(await page('/api/openapi.json')).text.includes('All is very well.')) throw new Error('the document is not the one that was saved');

  // A fault of the contract.
  const whole = edit('openapi.yaml', "$ref: '#/components/responses/Healthy'", "$ref: '#/components/responses/Nowhere'");
  const line = whole.slice(0, whole.indexOf("$ref: '#/components/responses/Healthy'")).split('\n').length;
  const fault = new RegExp(`openapi\\.yaml:${line}\\b`);
  times['a fault of the contract'] = await eventually('the fault of the contract in the browser', async () => {
    const { status, text } = await page('/api/docs');
    return status === 500 && fault.test(text) && text.includes('Nowhere');
  }, bound);
  if (!fault.test(said)) throw new Error('the fault is in the browser, and not in the terminal');
  if (await me(token) !== 200) throw new Error('the API does not answer while the contract has a fault');
  console.log('A fault of the contract was in the terminal and at /api/docs, with file and line; the API went on.');

  // Mended.
  writeFileSync(join(folder, 'openapi.yaml'), whole);
  times['its mending'] = await eventually('the page after the contract was mended', async () => (await page('/api/docs')).status === 200, bound);
  if (await me(token) !== 200) throw new Error('a token from before the change does not work any more');
  console.log('Mended, it was served; who was signed in still is.');
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
if (!process.exitCode) judge(Math.max(before, plainBuild()));

// judge says what each change took, and fails those that took too many plain builds.
function judge(plain) {
  const all = Object.entries(times);
  const told = all.map(([what, took]) => `${what} ${seconds(took)} (${took > wanted ? 'NOT KEPT' : 'kept'})`);
  console.log(`Served or told within ${seconds(wanted)}: ${told.join(', ')}; a plain build of the generator took ${seconds(plain)}.`);
  for (const [what, took] of all.filter(([what, took]) => took > allowed[what] * plain)) {
    console.error(`make dev FAILED: ${what} took ${(took / plain).toFixed(1)} times as long as the plain build, and ${allowed[what]} are allowed`);
    process.exitCode = 1;
  }
}

function seconds(milliseconds) {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

// plainBuild gives what it takes to build the generator after a change of one of its
// files, as make gen does: one package is compiled and a program linked.
function plainBuild() {
  const whole = edit('cmd/gen/main.go', 'package main\n', `package main\n\n// ${Date.now()}\n`);
  const began = Date.now();
  const built = spawnSync('go', ['build', '-C', 'cmd/gen', '-o', '../../bin/gen', '.'], { cwd: folder, stdio: 'inherit' });
  const took = Date.now() - began;
  writeFileSync(join(folder, 'cmd/gen/main.go'), whole);
  if (built.status !== 0) throw new Error('the generator cannot be built');
  return took;
}

function count(text) {
  return said.split(text).length - 1;
}

// edit replaces the first of a text in a file, and gives what the file held.
function edit(name, from, to) {
  const path = join(folder, name);
  const whole = readFileSync(path, 'utf8');
  if (!whole.includes(from)) throw new Error(`${name} has no ${from}`);
  writeFileSync(path, whole.replace(from, to));
  return whole;
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
