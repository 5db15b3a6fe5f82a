// Renders the OpenAPI document. Everything is loaded from this desk.
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
