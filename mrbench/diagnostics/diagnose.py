"""Diagnosing a finished cell: from its stored predictions, and from its weights where it has any."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mrbench.cards import Capability
from mrbench.diagnostics.document import VERSION, Diagnosis, read_diagnosis, write_diagnosis
from mrbench.diagnostics.figures import Figure, Tally
from mrbench.diagnostics.names import (
    BETWEEN,
    CHANGE,
    COVERING,
    DIVERGENCE,
    ENERGY,
    ENTROPY,
    GAIN,
    MARGINAL,
    PEOPLE,
    PIXELS_RATER,
    PIXELS_WITHIN,
    RATERS,
    TOTAL,
    TOTAL_EFFECT,
    WITHIN,
)
from mrbench.diagnostics.redraws import RedrawsDiagnosis
from mrbench.diagnostics.stored import stored_values
from mrbench.engine.cell import PREDICTIONS, CellSpec
from mrbench.engine.equivalence import other_code
from mrbench.engine.model import load_model
from mrbench.engine.phases import prepare, tested_on
from mrbench.engine.predictions import read_sizes, read_tables
from mrbench.engine.record import checked_file
from mrbench.engine.result import Result
from mrbench.engine.source import prediction_seed
from mrbench.errors import MrbenchError, PluginError
from mrbench.interfaces.case_tables import CaseTables
from mrbench.registry import Registry

if TYPE_CHECKING:
    from mrbench.data.caseset import CaseSet
    from mrbench.diagnostics.weights import WeightsDiagnosis

DRAWS = 8
"""Of every answer, where nobody says otherwise."""

NO_RATERS = "it answers as no rater"
NO_SAMPLES = "it gives no set of samples"
NO_PAIRS = "no case has two raters who differ"
NO_NOISE = "its answers draw no noise"
NO_RATERS_PIXELS = "it answers as no rater, and no latent that sees masks has a prior that samples draw from"
NO_REPLACED = "no latent that answers draw from moves with the image or the rater"
NO_SITES = "people asked again: no site of noise and no latent of theirs is known"
NO_ENCODE = "its class says nothing of latents: no encode()"


@dataclass(frozen=True)
class Asked:
    """How a cell is diagnosed.

    Attributes:
        data: the folder of prepared data.
        draws: S of what is drawn again.
        cases: that are looked at, evenly spread over the test cases; None: all.
        other_code: go on where the code is other than that of the training.
        device: ``auto``, ``cpu``, ``cuda`` or ``mps``.
        plugin_files: plugins of single files.
    """

    data: Path
    draws: int = DRAWS
    cases: int | None = None
    other_code: bool = False
    device: str = "auto"
    plugin_files: tuple[Path, ...] = ()


def kept_diagnosis(result: Result, asked: Asked) -> Diagnosis | None:
    """What is there already of a cell; None where it is not what would be computed, or is damaged."""
    found = _readable(result)
    return found if found is not None and found.matches(asked.draws, asked.cases) else None


def other_version(result: Result) -> str:
    """The version of the figures that are there of a cell; blank of this version's, of none and of damaged ones."""
    found = _readable(result)
    return "" if found is None or found.version == VERSION else found.version


def _readable(result: Result) -> Diagnosis | None:
    try:
        return read_diagnosis(result)
    except MrbenchError:
        return None


def diagnose(result: Result, registry: Registry, asked: Asked) -> Diagnosis:
    """Diagnoses a finished cell and leaves ``diagnostics.json`` in its folder.

    Raises:
        DataError: predictions, weights or data that are damaged or others by now.
        PluginError: another version or other code than that of the training.
        IncompatibleError: another version of mrbench wrote the cell.
    """
    assert result.folder is not None
    path, tally = checked_file(result.folder, PREDICTIONS), Tally()
    other = _other_code(result, asked)
    with _threads(result.spec.conditions.threads):
        again, cases = (None, None) if why_not_drawn(result.spec) else _again(result, registry, asked, tally)
        looked, of_cases = 0, read_sizes(path)[1]
        if again and cases:
            for case_id, _, _ in _chosen(path, of_cases, asked.cases):
                again.survey(cases[cases.ids.index(case_id)])
        for case_id, subject, trials in _chosen(path, of_cases, asked.cases):
            tally.add(subject, stored_values(trials))
            if again and cases:
                again.add(cases[cases.ids.index(case_id)], trials[0])
            looked += 1
    found = Diagnosis(
        draws=asked.draws if again else 0,
        cases=looked,
        of_cases=of_cases,
        same_draws=again.same if again else None,
        other_code=other,
        figures=_with_reasons(tally.figures() | (again.figures() if again else {}), result.spec),
        deltas=np.mean(again.deltas, axis=0).tolist() if again and again.deltas else [],
    )
    write_diagnosis(result.folder, found)
    return found


def _chosen(path: Path, of_cases: int, at_most: int | None) -> Iterator[tuple[str, str, list[CaseTables]]]:
    looked = of_cases if at_most is None else min(at_most, of_cases)
    chosen = set(np.linspace(0, of_cases - 1, looked).round().astype(int).tolist())
    return (one for number, one in enumerate(read_tables(path)) if number in chosen)


def why_not_drawn(spec: CellSpec) -> str:
    """Why nothing of a cell is drawn again; empty where something is."""
    if Capability.REDRAWS in spec.capabilities:
        return ""
    if spec.kind != "method":
        return f"no weights: {'masks of people' if spec.kind == 'fusion' else 'predictions made elsewhere'}"
    if {Capability.DIVERSE, Capability.PERSONAL}.isdisjoint(spec.capabilities):
        return "a single output: nothing is drawn"
    return "a wrapper has no latents of its own: its member is diagnosed" if spec.member else ""


def _other_code(result: Result, asked: Asked) -> str:
    if why_not_drawn(result.spec):
        return ""
    found = other_code(result.spec, (result.record or {}).get("code", {}))
    if found and not asked.other_code:
        made = "trained" if result.spec.kind == "method" else "computed"
        raise PluginError(
            f"{result.spec.title} was {made} by other code than is installed here",
            expected="the code of then, so that what is drawn again means the same",
            found=found,
            hint="mrbench run computes it anew; --other-code goes on, and says how many draws are those stored",
        )
    return found


def _again(
    result: Result, registry: Registry, asked: Asked, tally: Tally
) -> "tuple[WeightsDiagnosis | RedrawsDiagnosis, CaseSet]":
    """What draws again, weights or the raters themselves, and the tested cases."""
    spec = result.spec
    own, _ = prepare(spec, registry, asked.data)
    cases, _ = tested_on(spec, registry, asked.data, own)
    if Capability.REDRAWS in spec.capabilities:
        return RedrawsDiagnosis(cases.description, prediction_seed(spec), asked.draws, tally), cases
    return _weights(result, asked, tally), cases


def _weights(result: Result, asked: Asked, tally: Tally) -> "WeightsDiagnosis":
    from mrbench.diagnostics.weights import WeightsDiagnosis
    from mrbench.engine.draws import Source

    model = load_model(result, device=asked.device, plugin_files=asked.plugin_files)
    assert isinstance(model.source, Source)  # wrappers are none
    return WeightsDiagnosis(model.source, asked.draws, tally)


@contextmanager
def _threads(number: int) -> Iterator[None]:
    # Other numbers of threads add up in another order.
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _with_reasons(figures: Mapping[str, Figure], spec: CellSpec) -> dict[str, Figure]:
    """All figures, those that do not apply with the reason why."""
    drawn, sampled = why_not_drawn(spec), TOTAL in figures
    no_sites = NO_SITES if Capability.REDRAWS in spec.capabilities else drawn
    reasons = dict.fromkeys((PEOPLE, COVERING, ENERGY, MARGINAL, GAIN), NO_PAIRS if sampled else NO_SAMPLES)
    reasons |= {PEOPLE: NO_PAIRS, TOTAL: NO_SAMPLES, **dict.fromkeys((RATERS, WITHIN, BETWEEN), drawn or NO_RATERS)}
    if not any(name.startswith(ENTROPY) for name in figures):
        reasons |= dict.fromkeys((ENTROPY, PIXELS_RATER, PIXELS_WITHIN), drawn or NO_RATERS_PIXELS)
    encoded = NO_REPLACED if any(name.startswith(DIVERGENCE) for name in figures) else NO_ENCODE
    absent = (TOTAL_EFFECT, "noise", NO_NOISE), (DIVERGENCE, "latents", NO_ENCODE), (CHANGE, "latents", encoded)
    for begin, what, why in absent:
        if not any(name.startswith(begin) for name in figures):
            reasons[f"{begin} {what}"] = no_sites or why
    return {name: figures.get(name, Figure(None, why=why)) for name, why in reasons.items()} | dict(figures)
