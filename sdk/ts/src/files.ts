import { inBrowser, iterate } from './platform.js';

/**
 * A file to upload: a Blob or a File, or where its bytes come from, with its name.
 *
 * A Blob can be read again, so that its upload is sent again where that is safe; in Node.js
 * `fs.openAsBlob` makes one of a file without reading it. A stream is read while it is
 * sent, and once. A browser cannot send a stream, and collects it into a Blob first.
 */
export type Upload =
  | Blob
  | {
      data: Blob | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;
      name: string;
      type?: string;
    };

/** A file, while it comes in. Its `body` has to be read or cancelled. */
export interface Download {
  /** Its name, where the server gives one. */
  name: string | undefined;
  /** Its content type. */
  type: string;
  /** How many bytes will come, where that is known before. */
  size: number | undefined;
  /** Its bytes. Reading them fails if the connection ends before they are complete. */
  body: ReadableStream<Uint8Array<ArrayBuffer>>;
}

/** The file that an answer holds; body is what is read of it. */
export function downloadOf(response: Response, body: Download['body']): Download {
  const length = response.headers.get('Content-Length');
  const encoded = response.headers.has('Content-Encoding'); // then it counts other bytes
  return {
    name: fileName(response.headers.get('Content-Disposition') ?? ''),
    type: response.headers.get('Content-Type') ?? 'application/octet-stream',
    size: length === null || encoded ? undefined : Number(length),
    body,
  };
}

/** The name in a Content-Disposition (RFC 6266): `filename*` counts before `filename`. */
function fileName(disposition: string): string | undefined {
  const extended = /;\s*filename\*\s*=\s*utf-8'[^']*'([^;\s]+)/i.exec(disposition)?.[1];
  if (extended !== undefined) return decodeURIComponent(extended);
  const quoted = /;\s*filename\s*=\s*"((?:[^"\\]|\\.)*)"/i.exec(disposition)?.[1];
  return quoted?.replace(/\\(.)/g, '$1') ?? /;\s*filename\s*=\s*([^;\s]+)/i.exec(disposition)?.[1];
}

/** A body as fetch takes it, made anew for each attempt unless it can be read only once. */
export interface Body {
  make: () => NonNullable<RequestInit['body']>;
  type?: string;
  once?: boolean;
  /** What went wrong where the bytes come from; then it was not the connection. */
  failure?: { error: unknown };
}

/** A form with files (RFC 7578). */
export async function multipart(fields: Record<string, Upload>): Promise<Body> {
  const form = new FormData();
  for (const [field, upload] of Object.entries(fields)) {
    if (upload instanceof Blob) {
      form.append(field, upload);
    } else if (upload.data instanceof Blob) {
      form.append(field, upload.data, upload.name);
    } else if (inBrowser()) {
      form.append(field, await new Response(toStream(upload.data)).blob(), upload.name);
    } else {
      return streamed(fields);
    }
  }
  return { make: () => form };
}

/** The same form, written while its files are read. */
function streamed(fields: Record<string, Upload>): Body {
  const boundary = `accord-${crypto.randomUUID()}`;
  const encode = new TextEncoder();
  const escape = (name: string): string => name.replace(/["\r\n]/g, encodeURIComponent);
  async function* write(): AsyncGenerator<Uint8Array> {
    try {
      yield* parts();
    } catch (error) {
      body.failure = { error };
      throw error;
    }
  }
  async function* parts(): AsyncGenerator<Uint8Array> {
    for (const [field, upload] of Object.entries(fields)) {
      const { data, name, type = 'application/octet-stream' } = upload instanceof Blob ? { data: upload, name: 'blob', type: upload.type } : upload;
      yield encode.encode(
        `--${boundary}\r\nContent-Disposition: form-data; name="${escape(field)}"; filename="${escape(name)}"\r\nContent-Type: ${type}\r\n\r\n`,
      );
      yield* data instanceof Blob ? iterate(data.stream()) : data instanceof ReadableStream ? iterate(data) : data;
      yield encode.encode('\r\n');
    }
    yield encode.encode(`--${boundary}--\r\n`);
  }
  const body: Body = { make: () => toStream(write()), type: `multipart/form-data; boundary=${boundary}`, once: true };
  return body;
}

function toStream(data: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  if (data instanceof ReadableStream) return data;
  const iterator = data[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await iterator.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
