"""Where the paper and the released code of a method are: what its card says, else what is known of the built-in ones.

The addresses of the built-in methods stand here, not in their packages: a word in a package is code of its trainings.
"""

from collections.abc import Mapping

from mrbench.cards import PluginCard

_ARXIV, _GITHUB = "https://arxiv.org/abs/", "https://github.com/"


def _paper(number: str, code: str = "") -> dict[str, str]:
    return {"paper": _ARXIV + number} | ({"code": _GITHUB + code} if code else {})


_UNET, _STAPLE = _paper("1505.04597"), {"paper": "https://doi.org/10.1109/TMI.2004.828354"}
_DPERSONA = _paper("2403.13417", "ycwu1997/D-Persona")
_PROSEG = _paper("2512.00748", "AI4MOL/ProSeg")
_SAMPLED = _paper("2202.07550")

LINKS: Mapping[str, Mapping[str, str]] = {
    "cm-global": _paper("1902.03680"),
    "cm-pixel": _paper("2007.15963", "moucheng2017/Learn_Noisy_Labels_Medical_Images"),
    "dpersona-1": _DPERSONA,
    "dpersona-2": _DPERSONA,
    "ensemble": _paper("1612.01474"),
    "mc-dropout": _paper("1506.02142"),
    "phiseg": _paper("1906.04045", "baumgach/PHiSeg-code"),
    "pionono": _paper("2307.11397", "arneschmidt/pionono_segmentation"),
    "prob-unet": _paper("1806.05034", "SimonKohl/probabilistic_unet"),
    "proseg": _PROSEG,
    "proseg-prior": _PROSEG,
    "ssn": _paper("2006.06015", "biomedia-mira/stochastic_segmentation_networks"),
    "staple": _STAPLE,
    "tab": _paper("2306.01340", "Merrical/TAB"),
    "tta": _paper("1807.07356"),
    "unet-heads": _UNET,
    "unet-majority": _UNET,
    "unet-random": _SAMPLED,
    "unet-ranks": _SAMPLED,
    "unet-rater": _UNET,
    "unet-soft": _SAMPLED,
    "unet-staple": _STAPLE,
}
"""By method; the methods of this project alone, and the thesis of per-rater, have no public address."""


def links_of(card: PluginCard | None, name: str) -> Mapping[str, str]:
    """Addresses by what is there, ``paper`` or ``code``; none of what is not installed: strangers set no links."""
    if card is None:
        return {}
    return card.links or LINKS.get(name, {})
