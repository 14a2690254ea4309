"""What the weights of a cell say: its answers drawn again, case by case.

Axis letters: R raters, S draws.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mrbench.data.case import Case
from mrbench.diagnostics.drawn import Redraw, redraws
from mrbench.diagnostics.figures import Figure, Tally
from mrbench.diagnostics.information import ActiveElements, Information, check_latents, information
from mrbench.diagnostics.law import law_of_draws, law_values
from mrbench.diagnostics.names import (
    ACTIVE,
    BEYOND,
    DIVERGENCE,
    FIRST_EFFECT,
    OF_RATER,
    TOTAL_EFFECT,
    of_site,
)
from mrbench.diagnostics.replacement import of_another_image, of_another_rater, same_posteriors
from mrbench.diagnostics.sites import shares, site_distances
from mrbench.engine.draws import ImageAnswers, Source
from mrbench.interfaces.case_tables import CaseTables
from mrbench.interfaces.draw import DrawKind
from mrbench.interfaces.latents import Latent
from mrbench.interfaces.noise import Noise
from mrbench.places import of_function
from mrbench.seeds import derive_seed

Latents = Mapping[str, Latent]
Drawn = Sequence[tuple[Redraw, np.ndarray]]
"""Answers: what draws each, and its draws ``(S, F, bytes)`` where nothing is redrawn."""


@dataclass(eq=False)
class WeightsDiagnosis:
    """Collects what is found of each case.

    Attributes:
        source: of the draws.
        draws: S.
        tally: of the figures.
        same: cases whose draws are the stored ones.
        deltas: Delta_rr', ``(R, R)`` of each case.
        active: by latent.
    """

    source: Source
    draws: int
    tally: Tally
    same: int = 0
    deltas: list[np.ndarray] = field(default_factory=list)
    active: dict[str, ActiveElements] = field(default_factory=dict)
    _previous: tuple[str, Latents] = ("", {})

    def add(self, case: Case, tables: CaseTables) -> None:
        """Looks at one case; ``tables``: as it was stored."""
        answers = self.source.answers(case.without_masks())
        sample, raters = redraws(self.source, answers, self.draws)
        samples = [(sample, sample(Noise))] if sample else []
        personal = [(draw, draw(Noise)) for draw in raters]
        self.same += _are_stored([drawn for _, drawn in samples], [drawn for _, drawn in personal], tables)
        self._add_effects(case.subject, samples, answers.sites[DrawKind.SAMPLE], rater=False)
        self._add_effects(case.subject, personal, answers.sites[DrawKind.RATER], rater=True)
        if personal:
            law = law_of_draws([drawn for _, drawn in personal])
            self.deltas.append(law.delta)
            self.tally.add(case.subject, law_values(law))
        if callable(encode := getattr(type(self.source.method), "encode", None)):
            hook = partial(encode, self.source.method)
            latents = self._add_information(case, answers, hook)
            if latents is not None and tables.truth.any():
                self._add_replacements(case, answers, tables, hook, latents, samples, personal)

    def _add_replacements(
        self,
        case: Case,
        answers: ImageAnswers,
        tables: CaseTables,
        encode: "partial[Any]",
        latents: Latents,
        samples: Drawn,
        personal: Drawn,
    ) -> None:
        subject, others = self._previous
        masks = dict(zip(tables.truth_raters.tolist(), tables.kept_bits[tables.truth_rows], strict=True))
        for sample, drawn in samples if subject != case.subject else ():
            people, sites = np.stack(list(masks.values())), answers.sites[DrawKind.SAMPLE]
            self.tally.add(case.subject, of_another_image(latents, others, sample, drawn, people, sites))
        if personal:
            nothing, present = raters_by_slice(replace(case, masks=np.zeros_like(case.masks)))
            blind, _ = next(answers.encoded(encode, nothing, present))
            if same_posteriors(latents, blind):
                draws, drawn_of = zip(*personal, strict=True)
                sites = answers.sites[DrawKind.RATER]
                self.tally.add(case.subject, of_another_rater(latents, draws, drawn_of, masks, sites))
        self._previous = case.subject, latents

    def _add_effects(self, subject: str, drawn: Drawn, sites: Iterable[str], *, rater: bool) -> None:
        found = [site_distances(draw, base, sites, self.source.seed) for draw, base in drawn]
        for site, pair in shares(found).items():
            names = (of_site(begin, site, rater=rater) for begin in (TOTAL_EFFECT, FIRST_EFFECT))
            self.tally.add(subject, dict(zip(names, pair, strict=True)))

    def _add_information(self, case: Case, answers: ImageAnswers, encode: "partial[Any]") -> Latents | None:
        # The latents of an image; None of a volume, whose slices have one row of noise
        masks, present = raters_by_slice(case)
        found: dict[str, list[Information]] = {}
        for latents, seen in answers.encoded(encode, masks, present):
            check_latents(latents, seen, of_function(encode.func))
            for site, latent in latents.items():
                seed = derive_seed(self.source.seed, case.id, site, "information")
                found.setdefault(site, []).append(information(latent, seen, seed))
                self.active.setdefault(site, ActiveElements()).add(latent, seen)
        for site, parts in found.items():
            self.tally.add(case.subject, _information_values(site, parts))
        return dict(latents) if len(masks) == 1 else None

    def figures(self) -> dict[str, Figure]:
        """Those that are of all cases together: the active elements of each latent."""
        counts = {site: active.count() for site, active in self.active.items()}
        return {
            f"{ACTIVE} {site}, {count[1]} in all": Figure(float(count[0])) for site, count in counts.items() if count
        }


def raters_by_slice(case: Case) -> tuple[Tensor, Tensor]:
    """A case's masks ``(D, R, H, W)`` int64 and who is present ``(D, R)``; D = 1 of an image."""
    masks = torch.from_numpy(case.masks.astype(np.int64))
    slices = masks.transpose(0, 1) if masks.dim() == 4 else masks[None]  # (D, R, H, W)
    return slices, torch.from_numpy(case.present).expand(len(slices), -1)


def _information_values(site: str, parts: Sequence[Information]) -> Mapping[str, tuple[float, float]]:
    divergence, of_rater = (
        float(torch.cat([getattr(part, name) for part in parts]).nanmean()) for name in ("divergence", "of_rater")
    )
    return {
        f"{DIVERGENCE} {site}": (divergence, 1.0),
        f"{OF_RATER} {site}": (of_rater, 1.0),
        f"{BEYOND} {site}": (divergence - of_rater, 1.0),
    }


def _are_stored(samples: Sequence[np.ndarray], personal: Sequence[np.ndarray], tables: CaseTables) -> bool:
    """Are the draws that the cell stored among those that were drawn again, bit by bit?"""
    bits = tables.kept_bits
    pairs = [(drawn[: tables.n_samples], bits[: min(len(drawn), tables.n_samples)]) for drawn in samples]
    if len(tables.predicted_rater):
        pairs += [(drawn[0], bits[tables.rows_of(r)[0]]) for r, drawn in enumerate(personal)]
    return bool(pairs) and all(np.array_equal(*pair) for pair in pairs)
