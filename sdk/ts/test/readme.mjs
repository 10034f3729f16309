// The programs of a README: its code blocks in TypeScript, each by itself.
import { readFileSync } from 'node:fs';

export function programs(readme) {
  const blocks = [...readFileSync(readme, 'utf8').matchAll(/^```ts\n(.*?)^```$/gms)];
  return blocks.map(([, source], index) => ({ file: `readme-${index + 1}.ts`, source }));
}
