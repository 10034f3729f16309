// Operations of each kind, as the generator writes them: what the client does is tried on
// these, whatever the contract has at the moment.
import type { Download, Options, Upload } from '@accord-api/accord';

interface Order {
  lines: { product_id: string; quantity: number }[];
}

export const createOrder = (options: Options<{ url: '/api/v1/orders'; body: Order }>) => options.client.call<Order>({
  method: 'POST', path: '/api/v1/orders', answer: 'json', body: 'application/json', signedIn: true, idempotent: true,
}, options);

export const getOrder = (options: Options<{ url: '/api/v1/orders/{order_id}'; path: { order_id: string } }>) => options.client.call<Order>({
  method: 'GET', path: '/api/v1/orders/{order_id}', answer: 'json', signedIn: true,
}, options);

interface Product {
  id: string;
}

export const createProduct = (options: Options<{ url: '/api/v1/products'; body: Record<string, unknown> }>) => options.client.call<Product>({
  method: 'POST', path: '/api/v1/products', answer: 'json', body: 'application/json', signedIn: true,
}, options);

export const getProduct = (options: Options<{ url: '/api/v1/products/{product_id}'; path: { product_id: string } }>) => options.client.call<Product>({
  method: 'GET', path: '/api/v1/products/{product_id}', answer: 'json',
}, options);

interface ListProducts {
  url: '/api/v1/products';
  query?: { q?: string; in_stock?: boolean; limit?: number };
}

export const listProducts = (options: Options<ListProducts>) => options.client.call<{ items: Product[]; next_cursor: string | null }>({
  method: 'GET', path: '/api/v1/products', answer: 'json', list: true,
}, options);

export const uploadFile = (options: Options<{ url: '/api/v1/files'; body: { file: Upload } }>) => options.client.call<{ id: string }>({
  method: 'POST', path: '/api/v1/files', answer: 'json', body: 'multipart/form-data', signedIn: true,
}, options);

export const downloadFile = (options: Options<{ url: '/api/v1/files/{file_id}'; path: { file_id: string } }>) => options.client.call<Download>({
  method: 'GET', path: '/api/v1/files/{file_id}', answer: 'file', signedIn: true,
}, options);
