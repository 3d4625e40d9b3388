"""The pages, one noun a file; each has a blueprint `bp`, served below `/zh` and `/en`."""
