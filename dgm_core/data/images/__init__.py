"""Real images for all topics: published sets in their published formats, scikit-learn's, procedural ones, one's own."""

from dgm_core.data.images.catalogue import INFO, available, load
from dgm_core.data.images.imageset import ImageSet, Info

__all__ = ["INFO", "ImageSet", "Info", "available", "load"]
