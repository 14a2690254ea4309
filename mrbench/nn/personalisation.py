"""The options of D-Persona's stage II, which finds raters in a latent space; light, so that planning needs no torch."""

from mrbench.configuration import Config, option


class Personalisation(Config):
    """Stage II: a query of each rater into draws from the frozen prior."""

    widths: tuple[int, ...] = option((32, 16), "channels of a rater's query network before the latent's")
    padding: int = option(1, "of its 3x3 convolutions; 3: as released, where a flag was taken for it", ge=0)
    dropout: float = option(0.1, "share of its channels left out in training", ge=0, lt=1)
    bank: int = option(100, "prior draws that a query attends to in training", ge=1)
    epochs: int = option(100, "epochs at most", ge=1)
    learning_rate: float = option(1e-4, "of Adam", gt=0)
