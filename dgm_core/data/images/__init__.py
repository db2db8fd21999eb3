"""Real images for all topics: published sets in their published formats, scikit-learn's, procedural ones, one's own."""

from dgm_core.data.images.catalogue import INFO, available, fetch, load
from dgm_core.data.images.imageset import ImageSet, Info
from dgm_core.data.images.photos import photo_crops
from dgm_core.data.images.shapes import draw_shapes

__all__ = ["INFO", "ImageSet", "Info", "available", "draw_shapes", "fetch", "load", "photo_crops"]
