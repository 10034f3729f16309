export { type Accord, type AccordOptions, type Call, type CallOptions, type Options, createAccord } from './client.js';
export { AccordError, CancelledError, ConnectionError, NotModifiedError, ProblemError, TimeoutError, type ProblemCode } from './errors.js';
export type { Download, Upload } from './files.js';
export { problemCodes, version } from './gen/document.gen.js';
export * from './gen/operations.gen.js';
export type * from './gen/types.gen.js';
export { ndjson } from './lines.js';
export { type NotificationsOptions, notifications } from './notifications.js'; // bare-drops
export { type Credentials, type TokenStore, type Tokens, memoryStore } from './session.js';
export type { Answer, Operation } from './transport.js';
