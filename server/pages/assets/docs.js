// Swagger UI on the contract. Authorize signs in by the password grant; the
// client's id is ignored by the server, and Swagger UI wants one. It would persist
// the password with the token, in clear text, so it persists neither.
const ui = SwaggerUIBundle({
  url: '/api/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  displayRequestDuration: true,
  persistAuthorization: false,
  tryItOutEnabled: true,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
  layout: 'BaseLayout',
  oauth2RedirectUrl: location.origin + '/api/docs/oauth2-redirect.html',
});
ui.initOAuth({ clientId: 'docs', useBasicAuthenticationWithAccessCodeGrant: false });
