"""Cases with the masks of several raters: the model, the container and the splits."""
