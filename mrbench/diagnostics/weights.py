"""What the weights of a cell say: its answers drawn again, case by case.

Axis letters: R raters, S draws.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    MEAN_IMAGE,
    OF_RATER,
    OTHER_IMAGE,
    POSTERIORS,
    TOTAL_EFFECT,
    of_site,
)
from mrbench.diagnostics.parameters import Beliefs, Known, MeanPriors, beliefs_of
from mrbench.diagnostics.pixels import pixel_values
from mrbench.diagnostics.replacement import in_place_of, of_another_rater, of_posteriors
from mrbench.diagnostics.sites import shares, site_distances
from mrbench.engine.draws import ImageAnswers, Source
from mrbench.interfaces.case_tables import CaseTables
from mrbench.interfaces.draw import DrawKind
from mrbench.interfaces.latents import Latent
from mrbench.interfaces.noise import Noise
from mrbench.places import of_function
from mrbench.seeds import derive_seed

Latents = Mapping[str, Latent]
Sampled = tuple[Redraw, np.ndarray]
"""An answer: what draws it, and its draws ``(S, F, bytes)`` where nothing is redrawn."""

Drawn = Sequence[Sampled]


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
        means: of the priors of all cases that were surveyed.
    """

    source: Source
    draws: int
    tally: Tally
    same: int = 0
    deltas: list[np.ndarray] = field(default_factory=list)
    active: dict[str, ActiveElements] = field(default_factory=dict)
    means: MeanPriors = field(default_factory=MeanPriors)
    _previous: tuple[str, Known] = ("", {})

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
            self.tally.add(case.subject, pixel_values(np.stack([drawn for _, drawn in personal])))
        if self._encode is not None:
            beliefs = self._add_information(case, answers)
            own, of_raters = (beliefs.at(answers.sites[kind]) for kind in (DrawKind.SAMPLE, DrawKind.RATER))
            masks = dict(zip(tables.truth_raters.tolist(), tables.kept_bits[tables.truth_rows], strict=True))
            sees_masks = self._sees_masks(case, answers, beliefs)
            for one in samples if masks else ():
                self._add_other_priors(case.subject, own, one, np.stack(list(masks.values())))
                if sees_masks and own.complete:
                    self._add_posteriors(case.subject, own, one[0], list(masks))
            if personal and masks and not sees_masks and beliefs.complete:
                draws, drawn_of = zip(*personal, strict=True)
                self.tally.add(case.subject, of_another_rater(of_raters.posteriors, draws, drawn_of, masks))
            self._previous = case.subject, beliefs.shared

    def survey(self, case: Case) -> None:
        """Looks at the priors of a case, before any is added: for the mean over all of them."""
        if self._encode is not None:
            for site, prior in self._beliefs(case, self.source.answers(case.without_masks())).shared.items():
                self.means.add(site, prior)

    @property
    def _encode(self) -> "partial[Any] | None":
        encode = getattr(type(self.source.method), "encode", None)
        return partial(encode, self.source.method) if callable(encode) else None

    def _encoded(self, case: Case, answers: ImageAnswers) -> Iterator[tuple[Latents, Tensor]]:
        assert self._encode is not None
        for latents, seen in answers.encoded(self._encode, *raters_by_slice(case)):
            check_latents(latents, seen, of_function(self._encode.func))
            yield latents, seen

    def _beliefs(self, case: Case, answers: ImageAnswers) -> Beliefs:
        return beliefs_of([latents for latents, _ in self._encoded(case, answers)])

    def _sees_masks(self, case: Case, answers: ImageAnswers, beliefs: Beliefs) -> bool:
        # Whoever answers sees no mask, and draws as a rater from posteriors that see none either.
        other = replace(case, masks=(case.masks == 0).astype(case.masks.dtype))
        posteriors = self._beliefs(other, answers).posteriors
        return not all(q.equals(posteriors[site]) for site, q in beliefs.posteriors.items())

    def _add_other_priors(self, subject: str, own: Beliefs, drawn: Sampled, people: np.ndarray) -> None:
        before, others = self._previous
        means = {site: held for site in own.shared if (held := self.means.held(site)) is not None}
        for whose, known in ((MEAN_IMAGE, means), (OTHER_IMAGE, others if before != subject else {})):
            self.tally.add(subject, in_place_of(own.shared, known, whose, *drawn, people))

    def _add_posteriors(self, subject: str, own: Beliefs, sample: Redraw, looked: list[int]) -> None:
        seen = of_posteriors(own.priors, own.posteriors, sample)
        if seen is not None and len(looked) > 1:
            self.tally.add(subject, pixel_values(seen[looked], POSTERIORS))

    def _add_effects(self, subject: str, drawn: Drawn, sites: Iterable[str], *, rater: bool) -> None:
        found = [site_distances(draw, base, sites, self.source.seed) for draw, base in drawn]
        for site, pair in shares(found).items():
            names = (of_site(begin, site, rater=rater) for begin in (TOTAL_EFFECT, FIRST_EFFECT))
            self.tally.add(subject, dict(zip(names, pair, strict=True)))

    def _add_information(self, case: Case, answers: ImageAnswers) -> Beliefs:
        found: dict[str, list[Information]] = {}
        chunks: list[Latents] = []
        for latents, seen in self._encoded(case, answers):
            chunks.append(latents)
            for site, latent in latents.items():
                seed = derive_seed(self.source.seed, case.id, site, "information")
                found.setdefault(site, []).append(information(latent, seen, seed))
                self.active.setdefault(site, ActiveElements()).add(latent, seen)
        for site, parts in found.items():
            self.tally.add(case.subject, _information_values(site, parts))
        return beliefs_of(chunks)

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
    names = {DIVERGENCE: "divergence", OF_RATER: "of_rater", BEYOND: "beyond"}
    return {
        f"{begin} {site}": (float(torch.cat([getattr(part, name) for part in parts]).nanmean()), 1.0)
        for begin, name in names.items()
    }


def _are_stored(samples: Sequence[np.ndarray], personal: Sequence[np.ndarray], tables: CaseTables) -> bool:
    """Are the draws that the cell stored among those that were drawn again, bit by bit?"""
    bits = tables.kept_bits
    pairs = [(drawn[: tables.n_samples], bits[: min(len(drawn), tables.n_samples)]) for drawn in samples]
    if len(tables.predicted_rater):
        pairs += [(drawn[0], bits[tables.rows_of(r)[0]]) for r, drawn in enumerate(personal)]
    return bool(pairs) and all(np.array_equal(*pair) for pair in pairs)
