"""What remains of an erased credential, and what the log ever said of any: neither digest nor name."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from uuid import uuid4

from registry.logs import JsonFormatter
from tests.api.conftest import Api, new_digest
from tests.api.support import captured_records, problem


def _database(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in directory.glob("rootmark.db*"))


def _checkpoint(api: Api) -> None:
    """Bring the write-ahead log into the file, and empty it."""
    with closing(sqlite3.connect(api.app.settings.data_dir / "rootmark.db", timeout=30)) as connection:
        while connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            pass  # a reader was in the way


def test_erased_credential_is_nowhere_in_the_database(api: Api) -> None:
    name, external_id, subject = f"urn:uuid:{uuid4()}", f"student-{uuid4()}", f"subject {uuid4()}"
    credential = {"id": name, "credentialSubject": {"name": subject}}
    body = {"credential": credential, "external_id": external_id}
    made = api.issuer.post("/v1/credentials", json=body, headers={"Idempotency-Key": str(uuid4())}).json()
    api.issuer.post(f"/v1/batches/{made['batch']}/seal", headers={"Prefer": "wait=60"})
    digest = made["digest"]
    proof = api.public.get(f"/v1/credentials/{digest}/proof").json()
    change = {"digests": [digest], "note": "checked"}
    for path in ("/v1/suspensions", "/v1/suspensions"):  # the second lists it as skipped
        answer = api.issuer.post(path, json=change, headers={"Idempotency-Key": str(uuid4())}).json()
        api.final_request(answer)
    _checkpoint(api)
    before = _database(api.app.settings.data_dir)
    assert bytes.fromhex(digest[2:]) in before
    assert external_id.encode() in before
    assert subject.encode() in before

    assert api.issuer.delete(f"/v1/credentials/{digest}").status_code == 204
    _checkpoint(api)
    after = _database(api.app.settings.data_dir)
    raw = bytes.fromhex(digest[2:])
    for trace in (raw, raw.hex().encode(), external_id.encode(), subject.encode(), name.encode()):
        assert trace not in after
    assert bytes.fromhex(proof["salt"][2:]) not in after

    assert api.public.get(f"/v1/verify/{digest}").json()["outcome"] == "not_found"
    problem(api.public.get(f"/v1/credentials/{digest}/proof"), 404, "not-found")
    assert api.issuer.get(f"/v1/credentials?external_id={external_id}").json()["items"] == []
    shown = api.public.post("/v1/verify", json={"credential": credential, "proof": proof}).json()
    assert shown["outcome"] == "suspended"
    problem(api.issuer.delete(f"/v1/credentials/{digest}"), 404, "not-found")


def test_erasure_leaves_the_neighbours(api: Api) -> None:
    gone, kept = new_digest(), new_digest()
    batch = api.final_batch([gone, kept])
    assert api.issuer.delete(f"/v1/credentials/{gone}").status_code == 204
    assert api.public.get(f"/v1/verify/{kept}").json()["outcome"] == "valid"
    lines = api.issuer.get(f"/v1/batches/{batch['id']}/proofs").text.splitlines()
    assert [json.loads(line)["digest"] for line in lines] == [kept]


def test_log_of_a_whole_story_holds_nothing_of_any_credential(api: Api) -> None:
    name, external_id, subject, note = (
        f"{word}-{uuid4()}" for word in ("urn:uuid:x", "e", "subject", "note")
    )
    credential = {"id": f"urn:uuid:{uuid4()}", "name": name, "credentialSubject": {"name": subject}}
    with captured_records() as records:
        line = json.dumps({"credential": credential, "external_id": external_id})
        headers = {"Content-Type": "application/x-ndjson", "Prefer": "wait=60"}
        batch = api.issuer.post("/v1/batches", content=line, headers=headers).json()
        report = api.public.post("/v1/verify", json={"credential": credential}).json()
        digest = report["digest"]
        proof = api.public.get(f"/v1/credentials/{digest}/proof").json()
        api.public.get(f"/v1/verify/{digest}?live=true")
        api.issuer.get(f"/v1/credentials?external_id={external_id}")
        api.issuer.post("/v1/batches", content=line, headers=headers)  # refused
        api.issuer.post("/v1/verify", content=line[:-1])  # refused
        made = api.issuer.post("/v1/revocations", json={"digests": [digest], "note": note})
        api.final_request(made.json())
        api.issuer.delete(f"/v1/credentials/{digest}")
    assert batch["state"] == "final"
    formatter = JsonFormatter()
    text = "\n".join(formatter.format(record) for record in records if record.name != "httpx")
    assert "rootmark.access" in text
    for line in text.splitlines():
        assert {"at", "level", "logger", "message"} <= set(json.loads(line))
    token = api.issuer.headers["authorization"].partition(" ")[2]
    for secret in (digest[2:], proof["salt"][2:], external_id, subject, name, note, token):
        assert secret not in text
