"""The OpenAPI document of the API.

- document: generates the document, serves it, and the page that renders it. Open this first.
- operation: how drf-spectacular reads one operation from its view
- finish: completes what drf-spectacular takes from the views: errors, examples, the continue page
- errors: the error codes that each operation can return
- examples: example values of bodies and parameters
"""
