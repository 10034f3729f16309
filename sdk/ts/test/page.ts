// What a page does with the package. It is compiled as a bundler would, with the DOM's types.
import { createAccord, createOrder, createProduct, downloadFile, getMe, getProduct, listProducts, notifications, uploadFile } from '@accord-api/accord';

export async function run(baseUrl: string, credentials: { username: string; password: string }) {
  const client = createAccord({ baseUrl, userAgent: 'not sent by a browser' });
  await client.signIn(credentials);
  const me = await getMe({ client });

  const product = await createProduct({ client, body: { sku: `PAGE-${Date.now()}`, name: 'Lamp', description: '', price: 1, currency: 'EUR', stock: 1 } });
  const { response } = await getProduct({ client, path: { product_id: product.id } }).withResponse();
  let products = 0;
  for await (const { id } of listProducts({ client, query: { limit: 50 } })) if (id && ++products === 60) break;

  const stream = notifications({ client, after: 0 });
  const first = stream.next();
  await createOrder({ client, body: { lines: [{ product_id: product.id, quantity: 1 }] } });
  const notification = (await first).value?.number;
  await stream.return();

  const text: string[] = [];
  const pieces = new Blob(['from a stream']).stream();
  for (const file of [new File(['from a file'], 'a.txt'), { data: pieces, name: 'b.txt' }]) {
    const { id } = await uploadFile({ client, body: { file } });
    const { name, body } = await downloadFile({ client, path: { file_id: id } });
    text.push(`${name}: ${await new Response(body).text()}`);
  }
  await client.signOut();
  return { username: me.username, etag: response.headers.get('ETag'), products, notification, text };
}
