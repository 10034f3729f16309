// What the types let pass and what they do not. It is compiled, and not run.
import { type Accord, type ProblemCode, type ProblemError, type Session, type User, getMe, getUser, listSessions, login, revokeSession, updateMe } from '@accord-api/accord';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const is = <A, B>(same: Same<A, B>): boolean => same;

export async function calls(client: Accord, error: ProblemError): Promise<void> {
  const user = await getUser({ client, path: { user_id: 'x' } });
  is<typeof user, User>(true);
  for await (const session of listSessions({ client })) is<typeof session, Session>(true);
  const nothing = await revokeSession({ client, path: { session_id: 'x' } });
  is<typeof nothing, void>(true);
  is<ProblemError['code'], ProblemCode | 'unknown'>(true);

  await updateMe({ client, body: { full_name: 'x' }, headers: { 'X-More': 'y' }, signal: AbortSignal.timeout(1), timeout: 1, retries: 0 });

  // @ts-expect-error there is no client
  await getMe({});
  // @ts-expect-error there is no user_id
  await getUser({ client });
  // @ts-expect-error a body is not known
  await getMe({ client, body: {} });
  // @ts-expect-error a limit is a number
  listSessions({ client, query: { limit: 'many' } });
  // @ts-expect-error one account is no list
  for await (const one of getUser({ client, path: { user_id: 'x' } })) console.log(one);
  // @ts-expect-error a password is missing
  await login({ client, body: { username: 'ada' } });

  switch (error.code) {
    case 'not-found':
      break;
    // @ts-expect-error there is no such code
    case 'not-fund':
      break;
  }
}
