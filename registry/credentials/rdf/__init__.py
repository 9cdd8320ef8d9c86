"""JSON-LD documents to canonical RDF: bundled contexts, expansion without loss, RDFC-1.0, and guards against
documents that would keep a canonicaliser busy. Implements `registry.ports.documents.Canonicalizer`.
"""

from registry.credentials.rdf.canonicalizer import RdfCanonicalizer, rdf_digest
from registry.credentials.rdf.context_store import Context, ContextStore, Pin, bundled_addresses

__all__ = ["Context", "ContextStore", "Pin", "RdfCanonicalizer", "bundled_addresses", "rdf_digest"]
