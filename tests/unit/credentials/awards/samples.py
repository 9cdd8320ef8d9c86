"""Achievements, awards and a JSON-LD processor that knows the two contexts of Open Badges alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from pyld import jsonld

from registry.credentials.badges import CONTEXTS
from registry.encoding import Address
from registry.model.awards import Achievement

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
CONTEXT_FILES = dict(zip(CONTEXTS, ("credentials-v2.json", "context-3.0.3.json"), strict=True))
DIRECTORY = Path(__file__).resolve().parents[3] / "vectors" / "open-badges"
LEVELS = [
    {"id": "urn:uuid:7a6b8f4c-1d2e-4f3a-8b5c-0d1e2f3a4b5c", "name": "Mastered", "level": "4", "points": "9"},
    {"id": "urn:uuid:8a6b8f4c-1d2e-4f3a-8b5c-0d1e2f3a4b5c", "name": "Begun", "description": "a start"},
]
FULL: dict[str, Any] = {
    "name": "Welding",
    "description": "Joins metal",
    "criteria": {"id": "https://college.example/welding", "narrative": "Weld *three* joints."},
    "image": "https://college.example/welding.png",
    "achievement_type": "MicroCredential",
    "tags": ["metal", "craft"],
    "alignment": [
        {
            "target_name": "Welder",
            "target_url": "https://esco.example/welder",
            "target_framework": "ESCO",
            "target_code": "7212",
            "target_type": "CFItem",
            "target_description": "Joins pieces of metal",
        }
    ],
    "credits_available": 2.5,
    "result_descriptions": [
        {
            "id": "urn:uuid:1a6b8f4c-1d2e-4f3a-8b5c-0d1e2f3a4b5c",
            "name": "Grade",
            "result_type": "LetterGrade",
            "allowed_values": ["C", "B", "A"],
            "required_value": "C",
        },
        {
            "id": "urn:uuid:2a6b8f4c-1d2e-4f3a-8b5c-0d1e2f3a4b5c",
            "name": "Seam",
            "result_type": "RubricCriterionLevel",
            "rubric_criterion_levels": LEVELS,
            "required_level": LEVELS[1]["id"],
        },
        {
            "id": "urn:uuid:3a6b8f4c-1d2e-4f3a-8b5c-0d1e2f3a4b5c",
            "name": "Points",
            "result_type": "Percent",
            "value_min": "0",
            "value_max": "100",
        },
        {
            "id": "urn:uuid:4a6b8f4c-1d2e-4f3a-8b5c-0d1e2f3a4b5c",
            "name": "State",
            "result_type": "Status",
        },
    ],
    "related": [{"id": "https://college.example/soldering", "version": "2", "language": "en"}],
    "language": "en-GB",
    "field_of_study": "Metalwork",
    "specialization": "MIG",
}
PLAIN: dict[str, Any] = {
    "name": "Welding",
    "description": "Joins metal",
    "criteria": {"narrative": "Weld three joints."},
}


def achievement(document: Mapping[str, Any] = FULL, version: int = 3) -> Achievement:
    return Achievement(
        Address(b"\x11" * 20), UUID(int=7, version=4).urn, version, json.loads(json.dumps(document)), NOW
    )


def _load(url: str, _options: object = None) -> dict[str, Any]:
    text = (DIRECTORY / CONTEXT_FILES[url]).read_text(encoding="utf-8")
    return {"contextUrl": None, "documentUrl": url, "document": json.loads(text), "contentType": None}


def dropped_terms(document: Mapping[str, Any]) -> list[str]:
    """Terms that the contexts do not define: a signature over the RDF would not cover them."""
    dropped: list[str] = []
    options = {"documentLoader": _load, "base": None}
    jsonld.expand(document, options, on_property_dropped=dropped.append)
    return dropped


def quads(document: Mapping[str, Any]) -> list[str]:
    """The RDF dataset, a statement a line."""
    options = {"documentLoader": _load, "format": "application/n-quads"}
    text: str = jsonld.to_rdf(document, options)
    return sorted(text.splitlines())
