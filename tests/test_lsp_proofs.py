"""Claims in the background: the verdicts of the command line, kept while what they rest on stays, ended when not."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from lsp_fixtures import SCHEMA, Opened, opened

from interlock.lsp.claims import ClaimState, Status
from interlock.lsp.proofs import Proofs, can_prove

pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.skipif(not can_prove(), reason="the prover is not installed"),
]
POLICY = SCHEMA + (
    "entity Key\naction turn { principal User  resource Key }\n"
    'permit grown_ups { action enter when grown(principal, 18) and "𝄞" == "𝄞" }\n'
    'forbid late { action enter when resource.level > 5 because "it is late" }\n'
    "permit keys { action turn when principal.age > 1 }\n"
    "prove children_stay_out { action enter when principal.age < 18 never permitted }\n"
    "prove nobody { action enter never permitted }\n"
    "prove nothing { action enter when principal.age < 1 and principal.age > 2 never permitted }\n"
)


@pytest_asyncio.fixture
async def proofs() -> AsyncIterator[Proofs]:
    found = Proofs(lambda: None)
    yield found
    await found.close()


async def settled(
    proofs: Proofs, file: Opened, ready: Callable[[dict[str, ClaimState]], bool] | None = None
) -> dict[str, ClaimState]:
    """The states once every claim has one that is no longer on its way."""
    for _ in range(1_200):
        states = proofs.states(file.view.analysis)
        ended = {Status.RUNNING, Status.STALE}.isdisjoint(one.status for one in states.values())
        if len(states) == 3 and ended and (ready is None or ready(states)):
            return states
        await asyncio.sleep(0.05)
    raise AssertionError(f"{proofs.states(file.view.analysis)}")


def edit(file: Opened, old: str, new: str) -> None:
    document = file.session.workspace.documents[file.view.file]
    start = document.text.source.index(old)
    document.edit(start, start + len(old), new)


async def test_every_verdict_has_its_words(proofs: Proofs) -> None:
    file = opened(POLICY)
    proofs.update(file.view.analysis, 60, now=True)
    assert {one.status for one in proofs.states(file.view.analysis).values()} == {Status.RUNNING}
    states = await settled(proofs, file)
    assert {name: one.status for name, one in states.items()} == {
        "children_stay_out": Status.PROVED, "nobody": Status.REFUTED, "nothing": Status.VACUOUS,
    }  # fmt: skip
    proved, refuted = states["children_stay_out"], states["nobody"]
    assert any("`grown_ups`" in text for text, _ in proved.notes)
    assert "decision  permit by grown_ups" in refuted.counterexample
    ((text, span),) = refuted.notes
    assert text == "`late` does not apply because `resource.level > 5` does not hold"
    assert span.text == "resource.level > 5"
    assert refuted.test.startswith("/// Breaks the claim `nobody`")


async def test_an_edit_elsewhere_leaves_a_verdict_and_one_it_rests_on_does_not(
    proofs: Proofs,
) -> None:
    file = opened(POLICY)
    proofs.update(file.view.analysis, 60, now=True)
    before = await settled(proofs, file)
    edit(file, "principal.age > 1 }", "principal.age > 2 }")
    assert proofs.states(file.view.analysis) == before
    edit(file, "user.age >= limit", "user.age > limit")
    states = proofs.states(file.view.analysis)
    assert {one.status for one in states.values()} == {Status.STALE}
    proofs.update(file.view.analysis, 60, now=True)
    after = await settled(proofs, file)
    assert after["children_stay_out"].status is Status.PROVED
    edit(file, "user.age > limit", "user.age > limit or limit > 17")
    proofs.update(file.view.analysis, 60, now=True)
    after = await settled(proofs, file)
    assert after["children_stay_out"].status is Status.REFUTED


async def test_what_means_the_same_is_not_proved_again(proofs: Proofs) -> None:
    file = opened(POLICY)
    proofs.update(file.view.analysis, 60, now=True)
    before = await settled(proofs, file)
    edit(file, "{ action enter when grown", "{ // 𝄞\n  action enter when   grown")
    proofs.update(file.view.analysis, 60, now=True)
    after = await settled(proofs, file)
    # The time that it took is that of the first proof.
    assert after["children_stay_out"].milliseconds == before["children_stay_out"].milliseconds
    assert after["nobody"].milliseconds == before["nobody"].milliseconds


async def test_policies_that_do_not_compile_leave_verdicts_stale(proofs: Proofs) -> None:
    file = opened(POLICY)
    proofs.update(file.view.analysis, 60, now=True)
    before = await settled(proofs, file)
    edit(file, "principal.age > 1 }", "principal.aeg > 1 }")
    proofs.update(file.view.analysis, 60, now=True)
    states = proofs.states(file.view.analysis)
    assert {one.status for one in states.values()} == {Status.STALE}
    edit(file, "principal.aeg > 1 }", "principal.age > 1 }")
    assert proofs.states(file.view.analysis) == before


async def test_typing_ends_a_proof_that_is_stale_and_the_limit_ends_the_others(
    proofs: Proofs,
) -> None:
    file = opened(POLICY)
    for number in range(5):
        edit(
            file,
            "grown(principal, 18)",
            f"grown(principal, {18 + number}) and grown(principal, 18)",
        )
        proofs.update(file.view.analysis, 60)
        await asyncio.sleep(0.02)
    states = await settled(proofs, file)
    assert states["children_stay_out"].status is Status.PROVED
    edit(file, "grown(principal, 22)", "grown(principal, 30)")
    proofs.update(file.view.analysis, 1e-6, now=True)
    states = await settled(proofs, file)
    late = [one for one in states.values() if one.status is Status.UNKNOWN]
    assert late and all(one.message == "the time limit of 1e-06 s was reached" for one in late)
