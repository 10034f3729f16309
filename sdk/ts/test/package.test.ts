// The package as such: what is in it, whether it is well formed, how much of it a program takes.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { version } from '@accord-api/accord';
import { sdk, tarball } from './server.js';

const run = promisify(execFile);
const installed = join(import.meta.dirname, '../node_modules/@accord-api/accord');
const read = (...path: string[]): string => readFileSync(join(...path), 'utf8');

test('it holds what is built, a README and the license', () => {
  const files = readdirSync(installed, { recursive: true, withFileTypes: true }).filter((file) => file.isFile()).map(({ parentPath, name }) => join(parentPath, name).slice(installed.length + 1));
  assert.deepEqual(files.filter((name) => !name.startsWith('dist/')).sort(), ['LICENSE', 'README.md', 'package.json']);
  assert.deepEqual(files.filter((name) => name.startsWith('dist/') && !/\.(js|js\.map|d\.ts)$/.test(name)), []);
  assert.ok(files.includes('dist/index.js') && files.includes('dist/index.d.ts'));
  assert.equal(read(installed, 'LICENSE'), read(sdk, '../../LICENSE'));
});

test('it needs no other package, and has the version of the contract', () => {
  const { dependencies, peerDependencies, version: packed } = JSON.parse(read(installed, 'package.json')) as Record<string, unknown>;
  assert.deepEqual([dependencies, peerDependencies], [undefined, undefined]);
  const { info } = JSON.parse(read(sdk, '../../gen/api/openapi.json')) as { info: { version: string } };
  assert.deepEqual([packed, version], [info.version, info.version]);
});

test('it is well formed for publint and for attw', async () => {
  const tool = (path: string, ...parameters: string[]) => run(process.execPath, [join(sdk, 'node_modules', path), ...parameters], { cwd: sdk });
  await tool('publint/src/cli.js', 'run', tarball, '--strict');
  await tool('@arethetypeswrong/cli/dist/index.js', tarball, '--profile', 'esm-only');
});

test('what is generated is what the document says', async () => {
  const generated = (): Record<string, string> =>
    Object.fromEntries([...readdirSync(join(sdk, 'src/gen')).map((name) => `src/gen/${name}`), 'package.json', 'package-lock.json'].map((name) => [name, read(sdk, name)]));
  const before = generated();
  await run(process.execPath, ['generator/generate.mjs'], { cwd: sdk });
  assert.deepEqual(generated(), before);
});

async function bundled(program: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: import.meta.dirname },
    bundle: true, minify: true, write: false, format: 'esm', platform: 'browser', target: 'es2022',
  });
  return outputFiles[0]?.text ?? '';
}

test('a program takes only the operations that it calls', async () => {
  const one = await bundled(`
    import { createAccord, getMe } from '@accord-api/accord';
    console.log(await getMe({ client: createAccord({ baseUrl: '', username: 'ada', password: 'x' }) }));`);
  assert.ok(one.includes('/api/v1/users/me'));
  // Signing in, refreshing and signing out are the client's own.
  const paths = [...one.matchAll(/"(\/api\/[^"]*)"/g)].map(([, path]) => path);
  assert.deepEqual(paths.sort(), ['/api/v1/auth/login', '/api/v1/auth/logout', '/api/v1/auth/refresh', '/api/v1/users/me']);
  assert.ok(!one.includes('Last-Event-ID'));
  const most = 12_000;
  assert.ok(one.length < most, `${one.length} bytes`);

  const all = await bundled(`import * as accord from '@accord-api/accord'; console.log(accord);`);
  assert.ok(all.includes('/api/v1/orders') && all.includes('Last-Event-ID')); // bare-drops
  // bare-has: assert.ok(all.includes('/api/v1/users/{user_id}'));
  console.log(`${one.length} bytes for one operation, ${all.length} for everything`);
});
