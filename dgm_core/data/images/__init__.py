"""Real images for all topics: published sets in their published formats, scikit-learn's, procedural ones, one's own."""

from dgm_core.data.images.catalogue import INFO, available, fetch, load
from dgm_core.data.images.imageset import ImageSet, Info
from dgm_core.data.images.own import OwnImages, keep, read_images
from dgm_core.data.images.photos import photo_crops
from dgm_core.data.images.shapes import draw_shapes

__all__ = [
    "INFO", "ImageSet", "Info", "OwnImages", "available", "draw_shapes", "fetch", "keep", "load", "photo_crops",
    "read_images",
]  # fmt: skip
