"""From anybody's folder of images and masks to a container: what is understood of it is said, never guessed."""
