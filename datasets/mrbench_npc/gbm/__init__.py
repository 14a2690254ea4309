"""Task 2 of the challenge: glioblastoma on MRI, each case outlined by one of four annotators."""
