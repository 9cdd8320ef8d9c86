"""Pages, claim links and holders on both databases."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from registry.model.pages import CredentialPage, TokenKind, Visibility
from registry.model.shares import Share
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


def test_pages_of_a_holder_come_newest_first_and_in_pieces(store: Store) -> None:
    with store.write() as unit:
        for number in range(5):
            made = replace(page(number), holder="holder", created_at=NOW + timedelta(minutes=number // 2))
            unit.pages.add(made)
        unit.pages.add(replace(page(9), holder="another"))
    with store.read() as unit:
        found = unit.pages.of_holder("holder")
        assert [one.id for one in found] == ["page-4", "page-3", "page-2", "page-1", "page-0"]
        last = found[1]
        rest = unit.pages.of_holder("holder", before=(last.created_at, last.id), limit=2)
        assert [one.id for one in rest] == ["page-2", "page-1"]
        assert unit.pages.count_of_holder("holder") == 5
        assert {one.id for one in unit.pages.by_ids(["page-1", "page-9", "page-77"])} == {"page-1", "page-9"}


def test_forgotten_holder_leaves_nothing_and_pages_belong_to_nobody(store: Store) -> None:
    with store.write() as unit:
        for name in ("holder", "another"):
            unit.pages.add_holder(name, NOW)
            unit.pages.add_token(name.encode(), name, TokenKind.SESSION, NOW, LATER)
            unit.pages.add_token(b"return " + name.encode(), name, TokenKind.RETURN, NOW, None)
        unit.pages.add(replace(page(1), holder="holder"))
        unit.pages.add(replace(page(2), holder="another"))
        unit.shares.add(share("s1", "holder", {1: "page-1"}))
        unit.shares.add(share("s2", "another", {1: "page-2"}))
        unit.pages.remove_holder("holder")
    with store.read() as unit:
        assert unit.pages.holder_of(b"holder", TokenKind.SESSION, NOW) is None
        assert unit.pages.holder_of(b"return holder", TokenKind.RETURN, NOW) is None
        assert unit.pages.holder_of(b"another", TokenKind.SESSION, NOW) == "another"
        found = unit.pages.get("page-1")
        assert found is not None
        assert found.holder is None
        assert unit.shares.get("s1", NOW) is None
        assert unit.shares.get("s2", NOW) == share("s2", "another", {1: "page-2"})


def test_other_sessions_end_and_the_kept_one_stays(store: Store) -> None:
    with store.write() as unit:
        for token in (b"one", b"two"):
            unit.pages.add_token(token, "holder", TokenKind.SESSION, NOW, LATER)
        unit.pages.add_token(b"theirs", "another", TokenKind.SESSION, NOW, LATER)
        unit.pages.add_token(b"return", "holder", TokenKind.RETURN, NOW, None)
        unit.pages.remove_sessions("holder", keep=b"two")
        assert unit.pages.holder_of(b"one", TokenKind.SESSION, NOW) is None
        assert unit.pages.holder_of(b"two", TokenKind.SESSION, NOW) == "holder"
        assert unit.pages.holder_of(b"theirs", TokenKind.SESSION, NOW) == "another"
        assert unit.pages.holder_of(b"return", TokenKind.RETURN, NOW) == "holder"


# --- shares -------------------------------------------------------------------------------------------------


def share(name: str, holder: str, pages: dict[int, str], at: datetime = NOW) -> Share:
    return Share(name, holder, "Title", True, at, at + timedelta(days=1), pages)


@pytest.fixture
def shared(store: Store) -> Store:
    with store.write() as unit:
        for number in (1, 2, 3):
            unit.pages.add(replace(page(number), holder="holder"))
        unit.shares.add(share("old", "holder", {1: "page-1", 2: "page-2"}))
        unit.shares.add(share("new", "holder", {1: "page-3"}, NOW + timedelta(hours=1)))
    return store


def test_share_is_found_until_it_expires(shared: Store) -> None:
    with shared.read() as unit:
        assert unit.shares.get("old", NOW) == share("old", "holder", {1: "page-1", 2: "page-2"})
        assert unit.shares.get("old", LATER) is unit.shares.get("other", NOW) is None
        assert [one.id for one in unit.shares.of_holder("holder", NOW)] == ["new", "old"]
        assert [one.id for one in unit.shares.of_holder("holder", LATER)] == ["new"]
        assert list(unit.shares.of_holder("another", NOW)) == []


def test_share_leaves_out_what_another_holder_claimed(shared: Store) -> None:
    with shared.write() as unit:
        unit.pages.add_link(b"link", "page-1", NOW, LATER)
        unit.pages.claim(b"link", NOW, "another")
        found = unit.shares.get("old", NOW)
    assert found is not None
    assert found.pages == {2: "page-2"}


def test_share_without_anything_left_is_still_there(shared: Store) -> None:
    with shared.write() as unit:
        unit.pages.add_link(b"link", "page-3", NOW, LATER)
        unit.pages.claim(b"link", NOW, "another")
        found = unit.shares.get("new", NOW)
    assert found is not None
    assert found.pages == {}


def test_only_its_holder_ends_a_share(shared: Store) -> None:
    with shared.write() as unit:
        assert unit.shares.remove("another", "old") is False
        assert unit.shares.remove("holder", "none") is False
        assert unit.shares.remove("holder", "old") is True
        assert unit.shares.get("old", NOW) is None
        assert unit.shares.get("new", NOW) is not None


def test_expired_shares_are_forgotten(shared: Store) -> None:
    with shared.write() as unit:
        unit.shares.purge(LATER)
        assert unit.shares.get("old", NOW) is None
        assert unit.shares.get("new", NOW) == share("new", "holder", {1: "page-3"}, NOW + timedelta(hours=1))
