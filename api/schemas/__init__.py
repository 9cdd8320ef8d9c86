"""Request bodies as pydantic models, checked after the strict JSON parser, and the shapes shown in the
OpenAPI text."""
