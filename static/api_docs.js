// Draws the OpenAPI document. Everything comes from this desk; nothing is fetched from elsewhere.
"use strict";

SwaggerUIBundle({
  domNode: document.getElementById("api"),
  url: document.getElementById("api").dataset.schema,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayOperationId: false,
  persistAuthorization: false,
  tryItOutEnabled: true,
  validatorUrl: null,
});
