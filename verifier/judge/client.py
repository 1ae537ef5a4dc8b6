"""Asking a judge model, control flow on one page.

    judge = Judge(load("judge.toml"))
    answer = await judge.ask(Ask((Message("user", "2 + 2 = 5?"),), labels=("yes", "no")))
    await judge.close()

    kept from before? -> being asked already? -> a place and a turn -> the next endpoint
        -> charge the most it can cost -> request -> charge what it did -> keep

Invariants: an `ask` ends in one answer that a model gave, or in one JudgeFailed; nothing is made
up. It ends within its deadline. Cancelled, it ends its request and gives its place back; what that
request may have cost stays charged. Answers are kept by the model that gave them, so an endpoint
with another model stands in without being mistaken for the first.

A failed attempt goes on to the next endpoint at once, and after all of them with exponential
backoff and jitter from the first again; an endpoint that asks for a rest (Retry-After) gets it
from all questions. A question that is refused is asked of each endpoint once. Where equal
questions come at once, one asks for all; if its own deadline or cancellation ends it, the next
one asks.
"""

from __future__ import annotations

import asyncio
import copy
import random
from collections import Counter
from dataclasses import dataclass, field, replace

import tenacity
from tenacity.stop import stop_base

from verifier.judge import budget, metrics, protocol
from verifier.judge.ask import Answer, Ask, JudgeFailed, Kind, Message, Place
from verifier.judge.budget import Spend
from verifier.judge.cache import OverBudget, Store
from verifier.judge.endpoint import WORKED_HERE, Endpoint, Fault, http_client
from verifier.judge.protocol import Packed
from verifier.judge.settings import JudgeSettings
from verifier.judge.traffic import Gate

__all__ = ["Answer", "Ask", "Judge", "JudgeFailed", "Kind", "Message"]

FIRST_WAIT_SECONDS = 0.5
"""Backoff is random up to this, doubled with each attempt: an overloaded server needs seconds."""

LONGEST_WAIT_SECONDS = 30.0
"""Most of such a wait."""

WAITED_REST_SECONDS = 60.0
"""A longer Retry-After is a quota that is used up, not a crowd; questions fail at once."""


_Key = tuple[bytes, frozenset[Place], bool]


@dataclass
class _Call:
    """A question on its way."""

    ask: Ask
    packed: Packed
    end: float | None
    attempts: int = 0
    failures: Counter[Endpoint] = field(default_factory=Counter)
    refused: set[Endpoint] = field(default_factory=set)
    last: Fault | None = None


class Judge:
    """A model behind one or several endpoints; belongs to one event loop. Close it when done.

    Raises SettingsError for a missing key and sqlite3.Error for a cache that cannot be opened.
    """

    def __init__(self, settings: JudgeSettings) -> None:
        self.settings = settings
        self.model = settings.endpoints[0].model
        self._http = http_client(settings.concurrency, *(each.url for each in settings.endpoints))
        self._endpoints = [Endpoint(each, settings, self._http) for each in settings.endpoints]
        self.places = frozenset(each.place for each in self._endpoints)
        self._store = Store(settings.cache.path, settings.cache.bytes)
        self._gate = Gate(settings.concurrency, settings.requests_per_minute)
        self._per_call, self._per_day = budget.per_call(settings), budget.per_day(settings)
        self._at_work: dict[_Key, asyncio.Future[Answer | JudgeFailed | None]] = {}

    async def ask(self, ask: Ask, deadline_s: float | None = None) -> Answer:
        """The judge's answer. Raises JudgeFailed."""
        loop = asyncio.get_running_loop()
        end = None if deadline_s is None else loop.time() + deadline_s
        large = sum(len(message.content) for message in ask.messages) > WORKED_HERE
        packed = await asyncio.to_thread(protocol.pack, ask) if large else protocol.pack(ask)
        key = packed.key(self.model), ask.apart_from, ask.fresh
        while (leader := self._at_work.get(key)) is not None:
            left = None if end is None else max(0.0, end - loop.time())
            await asyncio.wait([leader], timeout=left)
            if not leader.done():
                raise JudgeFailed("timeout", "the deadline passed, an equal ask is out", cut=True)
            outcome = leader.result()
            if isinstance(outcome, Answer):
                metrics.CACHE_HITS.labels("merged").inc()
                return replace(outcome, cached=True, cost_usd=0.0)
            if outcome is not None and not outcome.cut:
                raise copy.copy(outcome)
        leading = self._at_work[key] = loop.create_future()
        outcome = None
        try:
            outcome = await self._answer(_Call(ask, packed, end))
            return outcome
        except JudgeFailed as failure:
            outcome = copy.copy(failure)
            raise
        finally:
            del self._at_work[key]
            leading.set_result(outcome)

    async def close(self) -> None:
        """Ends what is left of connections, and writes what is to be kept."""
        await self._http.aclose()
        await self._store.close()

    async def _answer(self, call: _Call) -> Answer:
        try:
            async with asyncio.timeout_at(call.end):
                kept = await self._kept(call, self.model)
                return kept or await self._tried(call)
        except TimeoutError as error:
            last = call.last
            why = "the deadline passed" + (f"; before that: {last.why}" if last else "")
            where = last.endpoint if last else self._endpoints[0].url
            raise JudgeFailed("timeout", why, where, None, call.attempts, cut=True) from error

    async def _tried(self, call: _Call) -> Answer:
        """Attempts until one brings an answer."""
        stop: stop_base = tenacity.stop_after_attempt(self.settings.attempts)
        if call.end is not None:
            left = call.end - asyncio.get_running_loop().time()
            stop = tenacity.stop_any(stop, tenacity.stop_before_delay(left))
        retrying = tenacity.AsyncRetrying(
            sleep=asyncio.sleep,
            retry=tenacity.retry_if_exception(lambda error: self._goes_on(call, error)),
            wait=lambda state: self._pause(call, state),
            stop=stop,
            reraise=True,
        )
        try:
            return await retrying(self._attempt, call)
        except Fault as fault:
            # What was left to try and was not, the deadline kept from it.
            tries = retrying.statistics["attempt_number"]
            cut = fault.cut or (tries < self.settings.attempts and self._goes_on(call, fault))
            raise JudgeFailed(
                fault.kind, fault.why, fault.endpoint, fault.status, call.attempts, cut
            ) from fault

    async def _attempt(self, call: _Call) -> Answer:
        async with self._gate.place():
            endpoint = await self._next(call)
            try:
                return await self._charged(endpoint, call)
            except Fault as fault:
                call.last = fault
                call.failures[endpoint] += 1
                if fault.elsewhere:
                    call.refused.add(endpoint)
                raise

    def _candidates(self, call: _Call) -> list[Endpoint]:
        """The endpoints that may yet answer, those that failed least first."""
        unwanted = call.ask.apart_from
        left = [
            each
            for each in self._endpoints
            if each not in call.refused and each.place not in unwanted
        ]
        return sorted(left, key=lambda each: call.failures[each])

    def _goes_on(self, call: _Call, error: BaseException) -> bool:
        return isinstance(error, Fault) and not error.final and bool(self._candidates(call))

    def _pause(self, call: _Call, state: tenacity.RetryCallState) -> float:
        """No wait while there is an endpoint that was not yet tried."""
        for endpoint in self._candidates(call):
            tried = call.failures[endpoint]
            if not tried and endpoint.breaker.admits and not endpoint.rest:
                return 0.0
        backoff = tenacity.wait_random_exponential(FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS)
        return backoff(state)

    async def _next(self, call: _Call) -> Endpoint:
        """Waits for a turn and for an endpoint that does not rest."""
        while True:
            await self._gate.turn()
            usable = [each for each in self._candidates(call) if each.breaker.admits]
            if not usable:
                why = "every endpoint failed too often in a row and is left alone for a while"
                raise self._ended(call, "breaker", why)
            for endpoint in usable:
                if not endpoint.rest:
                    return endpoint
            rest = min(each.rest for each in usable)
            left = call.end and call.end - asyncio.get_running_loop().time()
            if rest > WAITED_REST_SECONDS or (left is not None and rest > left):
                why = f"every endpoint asks to be left alone for {rest:.1f} s or more"
                fault = self._ended(call, "rate_limited", why)
                fault.cut = rest <= WAITED_REST_SECONDS
                raise fault
            await asyncio.sleep(rest + random.uniform(0, FIRST_WAIT_SECONDS))

    def _ended(self, call: _Call, kind: Kind, why: str) -> Fault:
        """Nothing can be tried now; what was tried before says why."""
        if call.last is None:
            return Fault(kind, why, self._endpoints[0].url, final=True)
        last = call.last
        return Fault(last.kind, f"{last.why}; then {why}", last.endpoint, last.status, final=True)

    async def _charged(self, endpoint: Endpoint, call: _Call) -> Answer:
        """One exchange, between a charge and its settling."""
        most = budget.most(endpoint.settings, call.ask)
        probe = endpoint.breaker.take()
        good, used, reservation = None, Spend(), None
        try:
            if endpoint.model != self.model:
                kept = await self._kept(call, endpoint.model)
                if kept is not None:
                    return kept
            if passed := self._per_call.passed(most):
                raise OverBudget(
                    f"{passed} per call: this request may take {most.usd:.6g} USD and "
                    f"{most.tokens} tokens"
                )
            reservation = await self._store.reserve(most, self._per_day)
            call.attempts += 1
            used = most
            reply, known = await endpoint.exchange(call.packed, call.ask, self._gate.turn)
            good, used = True, known or most
        except OverBudget as error:
            raise Fault("budget", str(error), endpoint.url, elsewhere=True) from error
        except Fault as fault:
            good, used = fault.good, most if fault.used is None else fault.used
            raise
        finally:
            endpoint.breaker.told(good, probe)
            metrics.BREAKER.labels(endpoint.url).set(endpoint.breaker.state.value)
            metrics.COST.labels(endpoint.url).inc(used.usd)
            if reservation is not None:
                self._store.settle(reservation, used)
        prompt, completion = reply.usage or (0, 0)
        metrics.TOKENS.labels(endpoint.url, "prompt").inc(prompt)
        metrics.TOKENS.labels(endpoint.url, "completion").inc(completion)
        answer = Answer(
            text=reply.text,
            logprobs=reply.logprobs,
            prompt_tokens=prompt,
            completion_tokens=completion,
            cost_usd=used.usd,
            cached=False,
            model=endpoint.model,
            endpoint=endpoint.url,
            finish=reply.finish,
        )
        self._store.put(call.packed.key(endpoint.model), answer)
        return answer

    async def _kept(self, call: _Call, model: str) -> Answer | None:
        kept = None if call.ask.fresh else await self._store.get(call.packed.key(model))
        if kept is None or kept.place in call.ask.apart_from:
            return None
        metrics.CACHE_HITS.labels("kept").inc()
        return kept
