"""The names of figures, in the order in which they are shown, with what each is."""

TOTAL, PEOPLE = "distance of two samples", "distance of two raters"
RATERS, WITHIN, BETWEEN = "distance of two answers as raters", "share within a rater", "share between raters"
REDRAWN = "distance of two masks of"

ENTROPY = "entropy of pixels"
PIXELS_RATER, PIXELS_WITHIN = "pixel information on the rater", "pixel information within a rater"
TOTAL_EFFECT, FIRST_EFFECT = "total effect of", "first-order effect of"
DIVERGENCE, OF_RATER, BEYOND = "KL of", "information on the rater in", "mean posterior's KL of"
ACTIVE = "active elements of"
CHANGE = "change of"
COVERING, ENERGY = "distinct samples", "energy distance"
MARGINAL, GAIN = "energy distance of level sets", "energy distance beyond level sets"

EXPLAINED = {
    TOTAL: "D_total of the stored samples: mean 1 - IoU of two different ones",
    PEOPLE: "the same of the raters' own masks, the people's D_total",
    RATERS: "D_total of answers as raters: mean 1 - IoU of two independent draws, each of a rater drawn uniformly",
    WITHIN: "of that, the part of two draws of one rater",
    BETWEEN: "of that, the part that the raters' own answers differ by",
    ENTROPY: "of answers as raters, or of samples from what is believed of each rater: nats, summed over pixels",
    PIXELS_RATER: "of that, I(r; Y): the share that the rater decides at each pixel",
    PIXELS_WITHIN: "of that, I(z; Y | r): the share that noise decides once the rater is known",
    REDRAWN: "W_r: mean 1 - IoU of two masks of this rater, who was asked again for each",
    TOTAL_EFFECT: "share of the distance of two draws that stays where this noise alone is redrawn",
    DIVERGENCE: "mean over raters of KL(q_r || p) of the latent, nats",
    OF_RATER: "I(r; z | x) in nats: what the latent knows of the rater, at most ln R",
    BEYOND: "KL(mean_r q_r || p) in nats: what the one prior of all raters cannot foresee of the image",
    COVERING: "fewest samples such that each is within a quarter of the raters' distance of one; of S > 12 greedy",
    ENERGY: "ged_unbiased of the samples",
    MARGINAL: "the same of the level sets of the samples' own mean: equal votes at every pixel, and no latent",
    GAIN: "the first less the second: below 0, the latent adds to its mean",
    CHANGE: "paired difference where the latent is another image's or rater's, or held at the mean, and all else stays",
    ACTIVE: "of the latent's elements: mean KL > .01 nats, and variance of (mu_q - mu_p) / sigma_p > .01",
    FIRST_EFFECT: "share that this noise alone decides: what is gone where it is kept and all other noise is redrawn",
}
"""Of each name, one line; those of latents begin with one of these."""

OTHER_IMAGE, OTHER_RATER = "another image", "another rater"
MEAN_IMAGE, MEAN_RATER = "the mean image", "the mean rater"
POSTERIORS = ", of posteriors"


def replaced_by(what: str, site: str, whose: str) -> str:
    """The name of a figure's change where a latent is another's."""
    return f"{CHANGE} {what} by {site} of {whose}"


def of_site(begin: str, site: str, *, rater: bool) -> str:
    """The name of a site's figure; ``rater``: of an answer in a rater's style, and not of a sample."""
    return f"{begin} {site}{', rater held' * rater}"


def explained(name: str) -> str:
    """One line on a figure; blank of a name that this version does not know."""
    begin = max((begin for begin in EXPLAINED if name.startswith(begin)), key=len, default="")
    return EXPLAINED.get(begin, "")
