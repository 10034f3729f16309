// What openapi-ts reads: the published document, less what only a server has to know.

const json = /^application\/(.+\+)?json$/;

// prepare changes a copy of the document:
//   - answers other than 2xx go, since all of them are thrown, and headers have no types;
//   - bytes that come or go get a format of their own, for which the types are by hand;
//   - where an operation answers in several forms, Accept is a parameter that names them;
//   - parameters stand where they are used, so that they make no types of their own.
export function prepare(published) {
  const document = structuredClone(published);
  const resolve = (node) => (node.$ref ? node.$ref.slice(2).split('/').reduce((at, key) => at[key], document) : node);
  for (const path of Object.values(document.paths)) {
    const common = path.parameters ?? [];
    delete path.parameters;
    for (const operation of Object.values(path)) {
      operation.parameters = [...common, ...(operation.parameters ?? [])].map(resolve);
      operation.parameters.filter((parameter) => parameter.in === 'query').forEach(known);
      operation.responses = Object.fromEntries(
        Object.entries(operation.responses).filter(([status]) => status.startsWith('2')).map(([status, answer]) => [status, resolve(answer)]),
      );
      const types = new Set(Object.values(operation.responses).flatMap((answer) => Object.keys(answer.content ?? {})));
      if (types.size > 1) operation.parameters.push({ name: 'Accept', in: 'header', description: 'The form of the answer.', schema: { type: 'string', enum: [...types] } });
      operation['x-answer'] = types.size === 0 ? 'none' : [...types].every((type) => json.test(type)) ? 'json' : 'file';
      operation['x-body'] = Object.keys(operation.requestBody?.content ?? {}).at(0);
      for (const answer of Object.values(operation.responses)) {
        delete answer.headers;
        delete answer.links;
        for (const type of Object.keys(answer.content ?? {})) {
          if (!json.test(type)) answer.content[type] = { schema: { type: 'string', format: 'download' } };
        }
      }
      const form = operation.requestBody?.content['multipart/form-data'];
      for (const field of Object.values(form ? resolve(form.schema).properties : {})) {
        if (field.format === 'binary') field.format = 'upload';
      }
    }
  }
  document.components = { schemas: document.components.schemas, securitySchemes: document.components.securitySchemes };
  dropUnused(document);
  return document;
}

// known refuses what src/transport.ts would not write into a query.
function known({ name, style = 'form', explode = true }) {
  if (style !== 'form' || !explode) throw new Error(`the parameter ${name} has a style that the SDK does not write: ${style}, explode ${explode}`);
}

// dropUnused takes schemas away that nothing refers to any more. Problems stay: they
// are what is thrown.
function dropUnused(document) {
  const schemas = document.components.schemas;
  for (let dropped = true; dropped; ) {
    const text = JSON.stringify(document);
    const unused = Object.keys(schemas).filter((name) => name !== 'Problem' && !text.includes(`"#/components/schemas/${name}"`));
    for (const name of unused) delete schemas[name];
    dropped = unused.length > 0;
  }
}
