// What a page does with the package. It is compiled as a bundler would, with the DOM's types.
import { adminGetStats, createAccord, getMe, listSessions } from '@accord-api/accord';

export async function run(baseUrl: string, credentials: { username: string; password: string }) {
  const client = createAccord({ baseUrl, userAgent: 'not sent by a browser' });
  await client.signIn(credentials);
  const me = await getMe({ client });
  const { response } = await adminGetStats({ client }).withResponse();
  let sessions = 0;
  for await (const { is_current } of listSessions({ client, query: { limit: 50 } })) if (is_current) sessions++;
  await client.signOut();
  return { username: me.username, etag: response.headers.get('ETag'), sessions };
}
