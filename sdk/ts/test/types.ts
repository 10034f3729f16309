// What the types let pass and what they do not. It is compiled, and not run.
import {
  type Accord, type Order, type OrderSummary, type ProblemCode, type ProblemError,
  createOrder, deleteFile, exportOrders, getMe, getOrder, listOrders, login, uploadFile,
} from '@accord-api/accord';

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const is = <A, B>(same: Same<A, B>): boolean => same;

export async function calls(client: Accord, error: ProblemError): Promise<void> {
  const order = await getOrder({ client, path: { order_id: 'x' } });
  is<typeof order, Order>(true);
  for await (const summary of listOrders({ client })) is<typeof summary, OrderSummary>(true);
  const nothing = await deleteFile({ client, path: { file_id: 'x' } });
  is<typeof nothing, void>(true);
  is<ProblemError['code'], ProblemCode | 'unknown'>(true);

  await createOrder({ client, body: { lines: [] }, headers: { 'Idempotency-Key': 'x', 'X-More': 'y' }, signal: AbortSignal.timeout(1), timeout: 1, retries: 0 });
  await exportOrders({ client, headers: { Accept: 'text/csv' } });

  // @ts-expect-error there is no client
  await getMe({});
  // @ts-expect-error there is no order_id
  await getOrder({ client });
  // @ts-expect-error a body is not known
  await getMe({ client, body: {} });
  // @ts-expect-error a status is misspelt
  listOrders({ client, query: { status: 'payed' } });
  // @ts-expect-error it comes as CSV or NDJSON
  await exportOrders({ client, headers: { Accept: 'text/html' } });
  // @ts-expect-error a file has a name
  await uploadFile({ client, body: { file: { data: (async function* () {})() } } });
  // @ts-expect-error one order is no list
  for await (const one of getOrder({ client, path: { order_id: 'x' } })) console.log(one);
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
