// A plugin of openapi-ts: one flat function for each operation, which hands to the
// client what the document says of it.
import { $, definePluginConfig } from '@hey-api/openapi-ts';

const name = 'operations';

function handler({ plugin }) {
  const options = plugin.symbol('Options', { external: '../client.js', kind: 'type' });
  plugin.forEach('operation', ({ operation }) => {
    const type = (role) => plugin.querySymbol({ category: 'type', resource: 'operation', resourceId: operation.id, role, tool: 'typescript' });
    const answer = operation['x-answer'] === 'none' ? 'void' : type('response');
    const facts = {
      method: operation.method.toUpperCase(),
      path: operation.path,
      answer: operation['x-answer'],
      ...(operation['x-body'] && { body: operation['x-body'] }),
      ...(operation.security?.length && { signedIn: true }),
      ...(operation.parameters?.header?.['idempotency-key'] && { idempotent: true }),
      ...(operation.parameters?.query?.cursor && { list: true }),
      ...(operation.deprecated && { deprecated: true, sunset: operation['x-sunset'] }),
    };
    plugin.node(
      $.const(plugin.symbol(operation.operationId))
        .export()
        .doc(comment(operation))
        .assign(
          $.func()
            .param('options', (p) => p.required(true).type($.type(options).generic(type('data'))))
            .do($.return($('options').attr('client').attr('call').call($.fromValue(facts), $('options')).generic(answer))),
        ),
    );
  }, { order: 'declarations' });
}

function comment(operation) {
  const lines = [operation.summary];
  if (operation.description) lines.push('', operation.description.trim());
  if (operation.deprecated) lines.push('', `@deprecated ${operation['x-deprecated-reason']}`);
  return lines.map((line) => line.replaceAll('*/', '*\\/'));
}

export const operations = definePluginConfig({ config: {}, dependencies: ['@hey-api/typescript'], handler, name });
