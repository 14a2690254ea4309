"""New plugins: a package, or one file, that works as it is written and is then made the author's own."""
