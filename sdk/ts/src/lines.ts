import { iterate } from './platform.js';

/** The lines of a text in UTF-8; they end with LF, CR LF or CR, and pieces of the text end anywhere. */
export async function* readLines(pieces: AsyncIterable<Uint8Array<ArrayBuffer>>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder(); // drops a byte order mark
  let rest = '';
  let half = false; // the last piece ended with CR, of which LF may be the other half
  for await (const piece of pieces) {
    let text = decoder.decode(piece, { stream: true });
    if (half && text.startsWith('\n')) text = text.slice(1);
    half = text === '' ? half : text.endsWith('\r');
    const lines = (rest + text).split(/\r\n|\n|\r/);
    rest = lines.pop() ?? '';
    yield* lines;
  }
  rest += decoder.decode();
  if (rest !== '') yield rest;
}

/**
 * The objects of a body with one in each line, as an export with
 * `Accept: application/x-ndjson` has it; it is read while one iterates.
 */
export async function* ndjson<T = Record<string, unknown>>(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<T, void, undefined> {
  for await (const line of readLines(iterate(body))) {
    if (line !== '') yield JSON.parse(line) as T;
  }
}

/** One event of a stream, or an id without one, whose data is empty. */
export interface ServerSentEvent {
  /** The last that the stream gave. */
  id: string;
  name: string;
  data: string;
  /** How many milliseconds to wait before one connects again, where the server says so. */
  retry: number | undefined;
}

/**
 * Reads events as the HTML standard has them (section 9.2.6); one that is not complete is
 * dropped. A new id that stands alone is given as well: a stream goes on after it.
 */
export async function* readEvents(pieces: AsyncIterable<Uint8Array<ArrayBuffer>>): AsyncGenerator<ServerSentEvent, void, undefined> {
  let id = '';
  let given = '';
  let name = '';
  let data: string[] = [];
  let retry: number | undefined;
  for await (const line of readLines(pieces)) {
    if (line === '') {
      if (data.length > 0 || id !== given) yield { id, name: name || 'message', data: data.join('\n'), retry };
      given = id;
      name = '';
      data = [];
      continue;
    }
    const colon = line.indexOf(':'); // at 0 in a comment, whose field has no name
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') data.push(value);
    else if (field === 'event') name = value;
    else if (field === 'id' && !value.includes('\0')) id = value;
    else if (field === 'retry' && /^\d+$/.test(value)) retry = Number(value);
  }
}
