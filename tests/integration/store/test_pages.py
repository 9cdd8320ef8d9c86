"""Pages, claim links and holders on both databases."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from registry.model.pages import CredentialPage, TokenKind, Visibility
from registry.ports.store import Store

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


def page(number: int = 1) -> CredentialPage:
    return CredentialPage(f"page-{number}", f"award-{number}", Visibility.UNLISTED, False, None, NOW)


@pytest.fixture
def filled(store: Store) -> Store:
    with store.write() as unit:
        unit.pages.add(page())
        unit.pages.add_link(b"link", "page-1", NOW, LATER)
    return store


def test_page_is_found_by_id_and_award(filled: Store) -> None:
    with filled.read() as unit:
        assert unit.pages.get("page-1") == unit.pages.of_award("award-1") == page()
        assert unit.pages.get("page-2") is unit.pages.of_award("award-2") is None


def test_link_is_good_until_it_expires_and_for_one_claim(filled: Store) -> None:
    with filled.write() as unit:
        assert unit.pages.linked(b"link", NOW) == page()
        assert unit.pages.linked(b"link", LATER) is None
        assert unit.pages.linked(b"other", NOW) is None
        claimed = unit.pages.claim(b"link", NOW, "holder")
        assert claimed is not None
        assert claimed.holder == "holder"
        assert unit.pages.claim(b"link", NOW, "another") is None
        assert unit.pages.linked(b"link", NOW) is None
        assert list(unit.pages.of_holder("holder")) == [claimed]


def test_new_link_takes_the_place_of_an_unused_one(filled: Store) -> None:
    with filled.write() as unit:
        unit.pages.add_link(b"second", "page-1", NOW, LATER)
        assert unit.pages.linked(b"link", NOW) is None
        assert unit.pages.linked(b"second", NOW) == page()


def test_of_two_who_claim_at_once_one_gets_the_page(filled: Store) -> None:
    got: list[str] = []
    start = threading.Barrier(4)

    def claim(name: str) -> None:
        start.wait()
        with filled.write() as unit:
            if unit.pages.claim(b"link", NOW, name) is not None:
                got.append(name)

    threads = [threading.Thread(target=claim, args=(f"holder-{k}",)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 1
    with filled.read() as unit:
        assert [one.id for one in unit.pages.of_holder(got[0])] == ["page-1"]


def test_session_expires_and_return_link_is_replaced(store: Store) -> None:
    with store.write() as unit:
        unit.pages.add_holder("holder", NOW)
        unit.pages.add_token(b"session", "holder", TokenKind.SESSION, NOW, LATER)
        unit.pages.add_token(b"return", "holder", TokenKind.RETURN, NOW, None)
        assert unit.pages.holder_of(b"session", TokenKind.SESSION, NOW) == "holder"
        assert unit.pages.holder_of(b"session", TokenKind.SESSION, LATER) is None
        assert unit.pages.holder_of(b"session", TokenKind.RETURN, NOW) is None
        assert unit.pages.holder_of(b"return", TokenKind.RETURN, LATER) == "holder"
        unit.pages.add_token(b"another", "holder", TokenKind.RETURN, NOW, None)
        assert unit.pages.holder_of(b"return", TokenKind.RETURN, NOW) is None
        unit.pages.remove_token(b"session")
        assert unit.pages.holder_of(b"session", TokenKind.SESSION, NOW) is None


def test_what_has_expired_is_forgotten_and_the_rest_stays(filled: Store) -> None:
    with filled.write() as unit:
        unit.pages.add_holder("holder", NOW)
        unit.pages.add_token(b"session", "holder", TokenKind.SESSION, NOW, LATER)
        unit.pages.add_token(b"return", "holder", TokenKind.RETURN, NOW, None)
        unit.pages.purge(LATER)
        assert unit.pages.linked(b"link", NOW) is None
        assert unit.pages.holder_of(b"session", TokenKind.SESSION, NOW) is None
        assert unit.pages.holder_of(b"return", TokenKind.RETURN, NOW) == "holder"
        assert unit.pages.get("page-1") == page()


def test_holder_decides_what_is_shown(filled: Store) -> None:
    with filled.write() as unit:
        unit.pages.change("page-1", Visibility.PUBLIC, True)
        found = unit.pages.get("page-1")
    assert found is not None
    assert (found.visibility, found.show_name) == (Visibility.PUBLIC, True)
