"""eth_call and eth_estimateGas: execution that leaves no trace.

Context: a block named by number, hash, `safe`, `finalized` or `earliest` gives its own time; at `latest` and
`pending` the time is the clock's, since an idle chain grows no blocks and its last block's time says nothing
about now. A revert is error 3 with the revert's data, as in geth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NoReturn

from eth.abc import ComputationAPI
from eth.exceptions import InvalidInstruction, InvalidJumpDestination, OutOfGas, Revert
from eth_abi.abi import decode as abi_decode
from eth_abi.exceptions import DecodingError
from eth_utils.exceptions import ValidationError

from registry.chain.embedded import evm, params
from registry.chain.embedded.engine import Engine, View
from registry.chain.embedded.errors import EXECUTION_REVERTED, RpcError, rejected
from registry.chain.embedded.pool import floor_gas
from registry.chain.embedded.serialize import hexed, qty

GAS_CAP: Final = 50_000_000
"""geth's RPCGasCap."""
_CALL_STIPEND: Final = 2_300
_TOLERANCE_PERMILLE: Final = 15
"""geth's estimateGasErrorRatio."""
_ERROR_STRING: Final = bytes.fromhex("08c379a0")
_PANIC: Final = bytes.fromhex("4e487b71")

Run = Callable[[int], ComputationAPI | None]


def call(engine: Engine, given: Sequence[Any]) -> str:
    """eth_call: the returned bytes."""
    message, block = params.arguments(given, 1, 2)
    wanted = params.call_object(message)
    view = engine.resolve(params.block_id(block))
    gas = min(wanted.gas, GAS_CAP) if wanted.gas is not None else view.header.gas_limit
    computation = _runner(engine, view, wanted, strict=True)(gas)
    assert computation is not None
    if computation.is_error:
        _raise_failure(computation)
    return hexed(computation.output)


def estimate_gas(engine: Engine, given: Sequence[Any]) -> str:
    """eth_estimateGas: gas with which the call succeeds, within 1.5 % of the least."""
    message, block = params.arguments(given, 1, 2)
    wanted = params.call_object(message)
    view = engine.resolve(params.block_id(block, default="pending"))
    high = min(wanted.gas, GAS_CAP) if wanted.gas is not None else view.header.gas_limit
    first = _runner(engine, view, wanted, strict=True)(high)
    assert first is not None
    if first.is_error:
        _raise_failure(first)
    run = _runner(engine, view, wanted, strict=False)
    spent = high - first.get_gas_remaining()
    used = max(spent - min(first.get_gas_refund(), spent // 5), floor_gas(wanted.data))
    if used <= high and _succeeds(run(used)):
        return qty(used)
    return qty(_search(run, used, high, (spent + _CALL_STIPEND) * 64 // 63))


def _search(run: Run, low: int, high: int, guess: int) -> int:
    """The least gas that succeeds, roughly: ``low`` is known to fail, ``high`` to succeed."""
    middle = guess if low < guess < high else (low + high) // 2
    while (high - low) * 1000 > high * _TOLERANCE_PERMILLE:
        if _succeeds(run(middle)):
            high = middle
        else:
            low = middle
        middle = min((low + high) // 2, low * 2)
    return high


def _succeeds(computation: ComputationAPI | None) -> bool:
    return computation is not None and not computation.is_error


def _runner(engine: Engine, view: View, wanted: params.CallParams, *, strict: bool) -> Run:
    """A function that executes the call with a given gas; if not strict, too little gas gives None, not an
    error."""
    header: Any = view.header
    time = max(engine.now(), header.timestamp) if view.tag in ("latest", "pending") else header.timestamp
    state = evm.state_after(view.chain, evm.simulation_header(header, time))

    def run(gas: int) -> ComputationAPI | None:
        message = evm.Call(wanted.sender, wanted.to, wanted.data, wanted.value, gas, wanted.access_list)
        try:
            return evm.simulate(view.chain, state, message)
        except ValidationError as error:
            if not strict:
                return None
            balance = state.get_balance(wanted.sender)
            if balance < wanted.value:
                raise rejected(
                    f"insufficient funds for gas * price + value: balance {balance}, tx cost {wanted.value}, "
                    f"overshot {wanted.value - balance}"
                ) from error
            raise rejected(f"intrinsic gas too low: gas {gas}") from error

    return run


def _raise_failure(computation: ComputationAPI) -> NoReturn:
    error = computation.error
    if isinstance(error, Revert):
        raise RpcError(EXECUTION_REVERTED, _revert_message(computation.output), hexed(computation.output))
    if isinstance(error, OutOfGas):
        raise rejected("out of gas")
    if isinstance(error, InvalidInstruction):
        raise rejected("invalid opcode")
    if isinstance(error, InvalidJumpDestination):
        raise rejected("invalid jump destination")
    raise rejected(f"execution failed: {type(error).__name__}")


def _revert_message(output: bytes) -> str:
    try:
        if output[:4] == _ERROR_STRING:
            return f"execution reverted: {abi_decode(['string'], output[4:])[0]}"
        if output[:4] == _PANIC:
            return f"execution reverted: panic 0x{abi_decode(['uint256'], output[4:])[0]:02x}"
    except (DecodingError, UnicodeDecodeError):
        pass
    return "execution reverted"
