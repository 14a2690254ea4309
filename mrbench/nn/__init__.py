"""Network parts that several methods share: backbones, latent Gaussians, heads, losses. Light until one is used."""
