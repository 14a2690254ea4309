"""Training steps as the released codes take them, written afresh from what is known of them, with what they waste.

They start from the weights of a method of ours and draw the same random numbers, so that losses and gradients can be
compared. What a release computes otherwise than its paper is taken over only where the method's preset takes it over.
Waste that is kept: anomaly detection, loops over samples, images and raters, vectors gathered to every pixel, heads
whose output is not used, gradients of frozen parts.
"""
