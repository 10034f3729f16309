// Tries the package as others get it: packs it, installs the tarball into an empty folder
// elsewhere, compiles the tests there as a strict program would be, and runs them.
//
//	npm test [names of tests]     ACCORD_URL and the like say which server
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { programs } from './readme.mjs';

const sdk = fileURLToPath(new URL('..', import.meta.url));
const run = (command, args, options) => execFileSync(command, args, { stdio: 'inherit', ...options });

const missing = ['URL', 'USER', 'PASSWORD', 'ADMIN', 'ADMIN_PASSWORD'].filter((name) => !process.env[`ACCORD_${name}`]);
if (missing.length > 0) {
  console.error(`There is no ACCORD_${missing.join(', ACCORD_')}. From tools/: go run ./sdktest -- npm --prefix sdk/ts test`);
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'accord-ts-'));
try {
  const packed = JSON.parse(execFileSync('npm', ['pack', '--json', '--pack-destination', folder], { cwd: sdk, stdio: ['ignore', 'pipe', 'inherit'] }).toString().replace(/^[^[]*/, ''));
  const tarball = join(folder, packed[0].filename);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }));
  run('npm', ['install', '--silent', '--offline', '--no-audit', '--no-fund', tarball], { cwd: folder });

  mkdirSync(join(folder, 'test'));
  for (const file of readdirSync(join(sdk, 'test')).filter((name) => name.endsWith('.ts'))) {
    copyFileSync(join(sdk, 'test', file), join(folder, 'test', file));
  }
  for (const { file, source } of programs(join(sdk, 'README.md'))) writeFileSync(join(folder, 'test', file), source);
  // What the tests themselves are made with; the package brings nothing along.
  for (const tool of ['@types', 'esbuild', 'playwright-core', 'undici-types']) symlinkSync(join(sdk, 'node_modules', tool), join(folder, 'node_modules', tool));

  const strict = {
    target: 'ES2022', strict: true, noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true, noUnusedLocals: true,
    verbatimModuleSyntax: true, skipLibCheck: false, sourceMap: true,
  };
  const tsc = (name, compilerOptions, files) => {
    writeFileSync(join(folder, name), JSON.stringify({ compilerOptions: { ...strict, ...compilerOptions }, ...files }));
    run(process.execPath, [join(sdk, 'node_modules/typescript/bin/tsc'), '-p', name], { cwd: folder });
  };
  const node = { types: ['node'], module: 'NodeNext', outDir: 'out', rootDir: 'test' };
  const withTools = ['test/browser.test.ts', 'test/package.test.ts']; // whose types want more of the world
  tsc('tsconfig.json', { ...node, lib: ['ES2022'] }, { include: ['test/*.ts'], exclude: ['test/page.ts', ...withTools] });
  tsc('tsconfig.tools.json', { ...node, lib: ['ES2022', 'DOM'], skipLibCheck: true }, { files: withTools });
  tsc('tsconfig.page.json', { lib: ['ES2022', 'DOM', 'DOM.Iterable'], types: [], module: 'ESNext', moduleResolution: 'bundler', outDir: 'out', rootDir: 'test' }, { files: ['test/page.ts'] });

  const only = process.argv.slice(2);
  const tests = readdirSync(join(folder, 'out')).filter((name) => name.endsWith('.test.js') && (only.length === 0 || only.some((word) => name.includes(word))));
  if (tests.length === 0) throw new Error(`There is no test of ${only.join(' or ')}`);
  run(process.execPath, ['--enable-source-maps', '--test', '--test-concurrency=1', '--test-timeout=300000', '--test-force-exit', ...tests.map((name) => join('out', name))], {
    cwd: folder,
    env: { ...process.env, ACCORD_SDK: sdk, ACCORD_TARBALL: tarball },
  });
} catch (error) {
  if (error.status === undefined) throw error;
  process.exitCode = 1; // it has said why
} finally {
  rmSync(folder, { recursive: true, force: true });
}
