"""Pointing back: the profile that the chain has of an issuer names its DID.

A step of the background work. An issuer that has signing keys, and whose admin key is here, gets one
`setProfile` with its DID through the outbox; once the index shows it, nothing more is done until the server's
address changes. The contract knows no `setProfile` by signature, so the admin's account pays: on a test chain
it gets ether for it, elsewhere it waits until somebody has sent some. Invariant: of one issuer at most one
such operation is unfinished, and none is repeated that failed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from registry.credentials.did_web import issuer_did
from registry.credentials.identity import PINNED
from registry.encoding import Address
from registry.model.chain import CallKind, ContractCall, EventKind
from registry.model.issuers import Issuer
from registry.model.operations import Operation, OperationState
from registry.ports.chain import Chain
from registry.ports.clock import Clock
from registry.ports.signer import Signer
from registry.ports.store import Store, Unit
from registry.services.policy import Policy

PAUSE = timedelta(seconds=30)
"""How long an issuer is left alone that was looked at and is not done: on its way, refused, or without
ether."""
BETWEEN_ROUNDS = timedelta(seconds=2)

_MAX_PROFILES = 10_000


class ChainProfiles:
    """Asks for the profiles that the chain does not have yet. Several processes may do it at once."""

    def __init__(
        self, store: Store, chain: Chain, relayer: Signer | None, clock: Clock, policy: Policy
    ) -> None:
        """``relayer`` funds admins on a test chain."""
        self._store = store
        self._chain = chain
        self._funder = None if relayer is None else relayer.address
        self._clock = clock
        self._policy = policy
        self._done: dict[Address, str] = {}
        self._later: dict[Address, datetime] = {}
        self._due: datetime | None = None

    def step(self) -> bool:
        """One round; whether anything was queued.

        Raises:
            StoreUnavailableError, ChainUnavailableError: try again later.
        """
        now = self._clock.now()
        if self._due is not None and now < self._due:
            return False
        self._due = now + BETWEEN_ROUNDS
        with self._store.read() as unit:
            base = unit.meta.get(PINNED)
            if base is None:
                return False
            wanted = {issuer: issuer_did(base, issuer) for issuer in unit.signing_keys.issuers()}
            waiting = [
                issuer
                for issuer, did in wanted.items()
                if self._done.get(issuer) != did and self._later.get(issuer, now) <= now
            ]
            missing = [issuer for issuer in waiting if not self._is_settled(unit, issuer, wanted[issuer])]
        self._later |= dict.fromkeys(waiting, now + PAUSE)
        queued = [self._queue(issuer, wanted[issuer], now) for issuer in missing]
        return any(queued)

    def _is_settled(self, unit: Unit, issuer: Address, did: str) -> bool:
        """Whether nothing is to be done: now, or (which is remembered) for good."""
        row = unit.issuers.get(issuer)
        if row is None or not row.hosted_admin:
            self._done[issuer] = did
            return True
        position = unit.events.position()
        newest = _newest_profile(unit, issuer)
        if newest is not None and newest[1] == did:
            if position is not None and newest[0] <= position.final_block:
                self._done[issuer] = did
            return True
        return _stands_in_outbox(unit.outbox.operations_of_kind(issuer, CallKind.SET_PROFILE), did)

    def _queue(self, issuer: Address, did: str, now: datetime) -> bool:
        funded = self._chain.info.test_chain and self._funder is not None
        if not funded and self._chain.balance_wei(issuer) == 0:
            return False
        with self._store.write() as unit:
            unit.issuers.lock(issuer)
            row = unit.issuers.get(issuer)
            if row is None or self._is_settled(unit, issuer, did):
                return False
            self._fund(unit, row, now)
            call = ContractCall(CallKind.SET_PROFILE, issuer, uri=did)
            unit.outbox.add_operation(issuer, issuer, call, OperationState.QUEUED, now)
        return True

    def _fund(self, unit: Unit, issuer: Issuer, now: datetime) -> None:
        if not self._chain.info.test_chain or self._funder is None:
            return
        call = ContractCall(
            CallKind.FUND, issuer.address, account=issuer.address, value_wei=self._policy.funding_wei
        )
        unit.outbox.add_operation(issuer.address, self._funder, call, OperationState.QUEUED, now)


def _newest_profile(unit: Unit, issuer: Address) -> tuple[int, str] | None:
    """Block and URI of the newest `ProfileSet` that the index has."""
    found = unit.events.list(issuer=issuer, kinds={EventKind.PROFILE_SET}, limit=_MAX_PROFILES)
    return (found[-1].event.block_number, found[-1].event.uri) if found else None


def _stands_in_outbox(operations: Sequence[Operation], did: str) -> bool:
    """Whether the DID is on its way, or was refused by the contract, which it would be again."""
    newest = operations[-1] if operations else None
    return newest is not None and newest.call.uri == did and newest.state is not OperationState.FINAL
