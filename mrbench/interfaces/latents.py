"""The hook by which a method tells diagnostics of its latents; answers and training never see it.

A class that has latents may define ``encode(features, masks, present)``: from the features of N slices, all raters'
masks ``(N, R, H, W)`` int64 below K and who is present ``(N, R)`` bool, a :class:`Latent` for each of its latents, by
the name of the noise site that it is drawn from. It is called in evaluation mode and without gradients.
"""

from dataclasses import dataclass

from torch.distributions import Distribution


@dataclass(frozen=True, eq=False)
class Latent:
    """What is believed of a latent.

    The axes of one latent are the event of its distributions, whose densities are known.

    Attributes:
        posterior: after a rater was seen, batch ``(N, R)``, those of absent raters without meaning; ``(N, 1)`` where
            there is one of all raters together.
        prior: before, batch ``(N, 1)``, or ``(N, R)`` where it is another one for each rater. Samples draw from it, and
            answers as a rater from the posterior where that sees no mask; of a Gaussian, the site's standard normal
            noise becomes the draw by its mean and deviation.
    """

    posterior: Distribution
    prior: Distribution
