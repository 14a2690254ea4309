"""What a trained method does, asked of its weights after its predictions are closed: where its draws differ and why."""
